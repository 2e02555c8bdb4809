"""Where, on what, and what people see, as it stands in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.model import Scope, Share
from bot.core.phrases import listed
from bot.core.places import label

_MANY = 4  # places or platforms that one sentence names
_IN_A_SENTENCE = {"web": "the web", "api": "the API", "app": "the app", "ios": "iOS", "unknown": "unknown platforms"}
_WITH_ARTICLE = frozenset({"US", "GB", "NL", "PH", "AE", "DO", "CF", "MV", "BS", "GM"})


def where(scope: Scope | None) -> str:
    """`mostly on desktop web in India and Japan; the app looks normal`, or nothing when it is not limited."""
    if scope is None:
        return ""
    on = f"on {_some(_spoken(s.code for s in scope.platforms))}" if scope.platforms else ""
    place = f"in {_some(_spoken(s.code for s in scope.regions))}" if scope.regions else ""
    spared = _spoken(scope.spared)
    normal = f"{listed(spared)} {'looks' if len(spared) == 1 else 'look'} normal" if spared else ""
    limited = " ".join(part for part in (on, place) if part)
    return "; ".join(part for part in (f"mostly {limited}" if limited else "", normal) if part)


def spoken(codes: Iterable[str]) -> str:
    """Codes of places or platforms as they stand in a sentence: `the app and India`."""
    return listed(_spoken(codes))


def symptoms(scope: Scope | None) -> str:
    """`log-in 41 % (usually 6 %), website 31 %`: what people see."""
    return ", ".join(_lower(share(s)) for s in (scope.symptoms[:3] if scope else ()))


def share(part: Share) -> str:
    """`Log-in 40 % (usually 6 %)`, as far as the usual is known."""
    usual = f" (usually {_percent(part.usual)})" if part.usual else ""
    return f"{label(part.code)} {_percent(part.share)}{usual}"


def _some(names: Sequence[str]) -> str:
    """The first names; how many more there are where it gets long."""
    return listed(names if len(names) <= _MANY else [*names[: _MANY - 1], f"{len(names) - _MANY + 1} more"])


def _spoken(codes: Iterable[str]) -> list[str]:
    """Codes as they stand in a sentence: `the app` for both phones, `the United States`."""
    names = list(codes)
    if {"ios", "android"} <= set(names):
        names = ["app", *(n for n in names if n not in ("ios", "android"))]
    return [_IN_A_SENTENCE.get(n) or (f"the {label(n)}" if n in _WITH_ARTICLE else label(n)) for n in names]


def _percent(part: float) -> str:
    return f"{part * 100:.0f}\u00a0%" if part >= 0.005 else "under 1\u00a0%"


def _lower(name: str) -> str:
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
