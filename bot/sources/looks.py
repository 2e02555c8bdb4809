"""What all probes have in common: how often a failure must be seen, and from how many places."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from bot.core.model import Evidence
from bot.detectors.quorum import HERE
from bot.fields import Model


def _different(names: list[str]) -> list[str]:
    if HERE in names:
        raise ValueError(f"{HERE!r} is this very program, which always looks; name the other places only")
    if len(set(names)) < len(names):
        raise ValueError("a place is named twice")
    return names


Vantage = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", examples=["fra"])]
Vantages = Annotated[list[Vantage], Field(max_length=20), AfterValidator(_different)]


class Looked(Model):
    """Something that we look at ourselves, from here and perhaps from other places."""

    evidence: ClassVar[Evidence] = Evidence.PROBE

    fail_after: int = Field(default=3, ge=1, le=20)
    """So many failures in a row are believed."""
    clear_after: int = Field(default=2, ge=1, le=20)
    """So many good answers in a row are believed."""
    vantages: Vantages = Field(default_factory=list)
    """Other places that look too and report here, with `tocsin probe`: each is the name of its token."""
    quorum: int = Field(default=2, ge=1, le=21)
    """Of the places, this one included, so many must see a failure at the same time. Means something with `vantages` only."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.vantages and self.quorum > len(self.vantages) + 1:
            raise ValueError(
                f"a quorum of {self.quorum} can never meet: {len(self.vantages) + 1} places look, this one included"
            )
        if not self.vantages and "quorum" in self.model_fields_set:
            raise ValueError("a quorum needs other places; name them under `vantages`, or leave the quorum out")
        return self

    @property
    def places(self) -> tuple[str, ...]:
        """All places that look, this one first."""
        return (HERE, *self.vantages)
