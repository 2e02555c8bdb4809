"""A world of services that are reported, troubled and gossiped about, minute by minute; the same for the same seed.

The noise is of another family than the detector's model: Poisson around a log-normal factor that wanders (AR(1)), and
in the `wild` world, which stands in for real tweet-like counts, a self-exciting stream whose echoes are heavy-tailed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DAY = 1440
WEEK = 7 * DAY
SHAPES = ("step", "blip", "regional", "platform", "slow burn", "ramp then spike")
_SHARES = (0.30, 0.14, 0.14, 0.12, 0.15, 0.15)
_SIZES = (1.0, 90.0)  # standard deviations a minute, log-uniform
MONTHLY = 9.0  # outages per service and 28 days
_FEAST = 0.3  # by how much, as a logarithm, a holiday differs from a Sunday
_APART = 6 * 60  # minutes between two troubles of one service
_REGIONS = np.array([0.4, 0.22, 0.18, 0.12, 0.08])
_PLATFORMS = np.array([0.45, 0.35, 0.2])


class Outage(NamedTuple):
    """One trouble: minutes [start, end) of one service; `size` in standard deviations of a calm minute, as it was drawn.

    `spike` is the minute at which a ramp breaks out, else the start. `cells` are the (region, platform) it hits. Of its
    worst minute, but for chance: `lift` is how many times the usual it brings, and `peak` how many standard deviations
    more, which is less than `size` where a short trouble is over before it has risen. `visible` is the first minute that
    brings a standard deviation of a calm minute more, or half of what the worst brings if that is less.
    """

    service: int
    start: int
    end: int
    shape: str
    size: float
    spike: int
    cells: npt.NDArray[np.bool_]
    lift: float = 1.0
    peak: float = 0.0
    visible: int = -1


class Burst(NamedTuple):
    """Many reports that are no outage: a sale, a joke that goes round."""

    service: int
    start: int
    end: int


@dataclass
class World:
    """What happened: counts of distinct reporters per minute and service, NaN where the feed was silent.

    `usual` is the true season and drift, without noise and trouble. The first `learn` minutes are for learning only;
    outages and bursts before are not told to anybody. `late` marks minutes that bring what a gap kept back. `cells` splits the counts by region and platform, if asked for.
    """

    seed: int
    learn: int
    counts: Floats
    usual: Floats
    sigma: Floats
    late: npt.NDArray[np.bool_]
    outages: list[Outage] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)
    cells: npt.NDArray[np.int32] | None = None
    holidays: Sequence[int] = ()

    @property
    def months(self) -> float:
        """Months of services in the part that is judged."""
        return (len(self.counts) - self.learn) * self.counts.shape[1] / (30 * DAY)


def world(
    seed: int,
    *,
    services: int = 40,
    learn: int = 28,
    judged: int = 28,
    wild: bool = False,
    scoped: bool = False,
    holidays: Sequence[int] = (),
) -> World:
    """Live through `learn + judged` days; `wild` has heavy-tailed echoes, `scoped` has the counts by place too.

    `holidays` are days from the first, 0, on which people live as on a Sunday, and each service by a factor of its own.
    """
    random = np.random.default_rng([seed, services, learn, judged, wild, scoped])
    minutes = (learn + judged) * DAY
    usual = _usual(random, minutes, services, holidays)
    for day in holidays:
        usual[day * DAY : (day + 1) * DAY] *= np.exp(np.random.default_rng([seed, day]).normal(0.0, _FEAST, services))
    sigma = random.uniform(0.05, 0.22, services)
    calm = usual * _wander(random, minutes, sigma)
    outages, bursts = _troubles(random, usual, minutes, scoped=scoped)
    extra = np.zeros_like(usual)
    parts = []
    for outage in outages:
        part = course(random, outage, usual)
        parts.append((reached(outage, part, usual), part))
        extra[outage.start : outage.start + len(part), outage.service] += part
    for burst in bursts:
        _cheer(random, burst, usual, extra)
    counts = random.poisson(calm + extra).astype(np.float64) if not wild else _echoes(random, calm, extra)
    cells = _placed(random, counts, calm, extra, parts) if scoped else None
    late = _silences(random, counts)
    start = learn * DAY
    return World(
        seed=seed,
        learn=start,
        counts=counts,
        usual=usual,
        sigma=sigma,
        late=late,
        outages=[outage for outage, _ in parts if outage.start >= start],
        bursts=[burst for burst in bursts if burst.end >= start],
        cells=cells,
        holidays=holidays,
    )


def _usual(random: np.random.Generator, minutes: int, services: int, holidays: Sequence[int]) -> Floats:
    """Reports per minute that are true on average: sizes over three decades, days, weeks, slow drift.

    Four services of five live by about the same clock, as the people of one operator do; the others by any.
    """
    t = np.arange(minutes)[:, None]
    size = np.exp(random.uniform(np.log(0.02), np.log(50.0), services))
    day = np.zeros((minutes, services))
    shift = np.where(random.random(services) < 0.2, random.uniform(0, DAY, services), random.normal(0, 90, services))
    common = random.uniform(0, 2 * np.pi, 3)
    for harmonic, most in ((1, 1.0), (2, 0.35), (3, 0.15)):
        height, phase = random.uniform(0.2, 1.0, services) * most, common[harmonic - 1]
        own = random.normal(0.0, 0.4, services) * (harmonic - 1)
        day += height * np.cos(2 * np.pi * harmonic * (t - shift) / DAY - phase - own)
    free = ((t // DAY) % 7 >= 5) | np.isin(t // DAY, holidays)
    weekend = np.where(free, np.log(random.uniform(0.4, 1.2, services)), 0.0)
    drift = random.normal(0.0, 0.006, services) * t / DAY
    steps = random.normal(0.0, 0.05, (minutes // DAY + 2, services)).cumsum(axis=0)
    days = np.minimum(t[:, 0] // DAY, len(steps) - 2)
    part = (t % DAY) / DAY
    return size * np.exp(day + weekend + drift + steps[days] * (1 - part) + steps[days + 1] * part)


def _wander(random: np.random.Generator, minutes: int, sigma: Floats) -> Floats:
    """A log-normal factor of mean 1 that forgets itself within 20 to 240 minutes."""
    keep = np.exp(-1.0 / np.exp(random.uniform(np.log(20.0), np.log(240.0), len(sigma))))
    shocks = random.normal(0.0, 1.0, (minutes, len(sigma))) * sigma * np.sqrt(1 - keep**2)
    state = random.normal(0.0, 1.0, len(sigma)) * sigma
    for minute in range(minutes):
        state = state * keep + shocks[minute]
        shocks[minute] = state
    return np.exp(shocks - sigma**2 / 2)


def _echoes(random: np.random.Generator, calm: Floats, extra: Floats) -> Floats:
    """Counts that echo: each report calls forth others within minutes, now and then a crowd of them."""
    minutes, services = calm.shape
    branching, life = random.uniform(0.3, 0.7, services), np.exp(-1.0 / random.uniform(5.0, 30.0, services))
    crowds = np.exp(random.uniform(np.log(0.0003), np.log(0.01), services))
    counts = np.empty_like(calm)
    excited = np.zeros(services)
    for minute in range(minutes):
        counts[minute] = random.poisson(calm[minute] * (1 - branching) + excited)
        seeds = counts[minute]
        crowd = np.where(random.random(services) < crowds * np.minimum(seeds, 1), random.pareto(1.7, services) * 4, 0)
        echo = branching * random.gamma(np.maximum(seeds, 1e-9) * 0.7, 1 / 0.7) + np.minimum(crowd, 400)
        excited = excited * life + echo * (1 - life)
    return counts + random.poisson(extra)


def _troubles(
    random: np.random.Generator, usual: Floats, minutes: int, *, scoped: bool
) -> tuple[list[Outage], list[Burst]]:
    outages, bursts = [], []
    for service in range(usual.shape[1]):
        taken: list[tuple[int, int]] = []
        for _ in range(random.poisson(MONTHLY * minutes / (28 * DAY))):
            outage = trouble(random, service, int(random.integers(DAY, minutes - 12 * 60)), scoped=scoped)
            if free(taken, outage.start, outage.end):
                outages.append(outage)
        for _ in range(random.poisson(1.5 * minutes / (30 * DAY))):
            start = int(random.integers(DAY, minutes - 12 * 60))
            burst = Burst(service, start, start + int(random.uniform(15, 120)))
            if free(taken, burst.start, burst.end):
                bursts.append(burst)
    return outages, bursts


def free(taken: list[tuple[int, int]], start: int, end: int) -> bool:
    """Take the minutes for a trouble, unless they are too near to another of the same service."""
    if any(start < late + _APART and early < end + _APART for early, late in taken):
        return False
    taken.append((start, end))
    return True


def trouble(random: np.random.Generator, service: int, start: int, *, scoped: bool = False) -> Outage:
    """An outage of any shape and size that begins in that minute; `scoped` has smaller ones, of steady shapes."""
    shape = str(random.choice(SHAPES[:4] if scoped else SHAPES, p=None if scoped else _SHARES))
    size = float(np.exp(random.uniform(*np.log(_SIZES)))) * (0.35 if scoped else 1.0)
    last = int(np.clip(random.lognormal(np.log(45), 0.8), 12, 300))
    cells = np.ones((len(_REGIONS), len(_PLATFORMS)), np.bool_)
    spike = start
    if shape == "blip":
        last = int(random.integers(3, 11))
    elif shape == "regional":
        hit = random.choice(len(_REGIONS), size=int(random.integers(1, 3)), replace=False)
        cells[:] = np.isin(np.arange(len(_REGIONS)), hit)[:, None]
        size *= 1.0 if scoped else random.uniform(0.3, 0.8)
    elif shape == "platform":
        cells[:] = np.arange(len(_PLATFORMS)) == random.integers(len(_PLATFORMS))
        size *= 1.0 if scoped else random.uniform(0.3, 0.8)
    elif shape == "slow burn":
        last = int(random.uniform(120, 420))
    elif shape == "ramp then spike":
        size = max(size, 4.0)
        spike = start + int(random.uniform(60, 240))
        last = spike - start + int(random.uniform(30, 90))
    return Outage(service, start, start + last, shape, size, spike, cells)


def course(random: np.random.Generator, outage: Outage, usual: Floats) -> Floats:
    """Added reports per minute from the start on; after the end they die away within minutes."""
    minutes = np.arange(outage.end - outage.start, dtype=float)
    height = outage.size * np.sqrt(usual[outage.start, outage.service])
    course = np.full(len(minutes), height)
    if outage.shape == "slow burn":
        course *= (minutes / len(minutes)) ** 1.5
    elif outage.shape == "ramp then spike":
        weak = max(0.03 * outage.size, 0.4) / outage.size
        course *= np.where(minutes < outage.spike - outage.start, weak, 1.0)
    else:
        course *= 1 - np.exp(-(minutes + 1) / random.uniform(0.5, 20.0))
    fading = course[-1] * np.exp(-np.arange(90) / random.uniform(5.0, 15.0))
    return np.concatenate((course, fading))[: len(usual) - outage.start]


def reached(outage: Outage, course: Floats, usual: Floats) -> Outage:
    """The outage with the minute from which it shows and what its worst one brings, by its added reports per minute."""
    lasting, calm = course[: outage.end - outage.start], usual[outage.start, outage.service]
    shows = lasting >= min(np.sqrt(calm), lasting.max() / 2)
    return outage._replace(
        lift=float(1 + (lasting / usual[outage.start : outage.end, outage.service]).max()),
        peak=float(lasting.max() / np.sqrt(calm)),
        visible=outage.start + int(np.argmax(shows)),
    )


def _cheer(random: np.random.Generator, burst: Burst, usual: Floats, extra: Floats) -> None:
    """A third are one person who counts once, a third a campaign that swells and ebbs, a third go viral."""
    kind, length = random.integers(3), burst.end - burst.start
    minutes = np.arange(length) / length
    height = random.uniform(1.0, 4.0) * np.sqrt(usual[burst.start, burst.service]) * (1 + random.pareto(3.0))
    course = [np.zeros(length), height * np.sin(np.pi * minutes) ** 2, 3 * height * np.exp(-5 * minutes)][kind]
    course[0] += kind == 0
    extra[burst.start : burst.end, burst.service] += course


def _placed(
    random: np.random.Generator, counts: Floats, calm: Floats, extra: Floats, parts: list[tuple[Outage, Floats]]
) -> npt.NDArray[np.int32]:
    """The same counts by (region, platform), shape (minutes, services, 5, 3)."""
    mix = np.outer(_REGIONS, _PLATFORMS)
    weights = calm[:, :, None] * mix.ravel() + extra[:, :, None] * mix.ravel()
    for outage, part in parts:
        rows = slice(outage.start, outage.start + len(part))
        hit = (mix * outage.cells).ravel()
        weights[rows, outage.service] += part[:, None] * (hit / hit.sum() - mix.ravel())
    weights = np.maximum(weights, 1e-12)
    shares = weights / weights.sum(axis=2, keepdims=True)
    split = random.multinomial(counts.astype(np.int64), shares)
    return split.reshape(*counts.shape, *mix.shape).astype(np.int32)


def _silences(random: np.random.Generator, counts: Floats) -> npt.NDArray[np.bool_]:
    """The feed falls silent about twice a month; half of the times what was missed comes at once afterwards.

    Answers in which minutes that was.
    """
    minutes, services = counts.shape
    late = np.zeros(counts.shape, np.bool_)
    for service in range(services):
        for _ in range(random.poisson(2.0 * minutes / (30 * DAY))):
            start, last = int(random.integers(0, minutes - DAY)), int(np.clip(random.exponential(40.0), 3, 600))
            missed = np.nansum(counts[start : start + last, service])
            counts[start : start + last, service] = np.nan
            if random.random() < 0.5 and not np.isnan(counts[start + last, service]):
                counts[start + last, service] += missed
                late[start + last, service] = True
    return late
