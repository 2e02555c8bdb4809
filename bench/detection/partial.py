"""A world of services reported from five regions on three platforms, with outages of all or of a part of the users.

Built after the set-up that floor and goal of the scope figures were measured on: ten outages a service, each 1.5 to 12
times the usual of the cells that it hits, of five kinds. Its noise is such that the total alone finds about as many as
it did there, seven of ten. Each region lives by its own clock and wanders a little on its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.detection.world import DAY, Floats, Outage, World

KINDS = ("global", "platform", "region", "two regions", "region+platform")
_OUTAGES = 10
_LIFTS = (1.5, 12.0)  # times the usual of the cells that are hit
_SIZES = (1.0, 30.0)  # reports a minute, log-uniform
_REGIONS = np.array([0.4, 0.22, 0.18, 0.12, 0.08])
_PLATFORMS = np.array([0.45, 0.35, 0.2])
_CLOCKS = np.array([-6.0, 5.5, 0.0, 1.0, 9.0])  # hours ahead of UTC, as the United States to Japan
_COMMON, _OWN = (0.02, 0.1), 0.05  # size of the noise that all regions share, and of what each has for itself
_APART = 4 * 60  # minutes between two outages of one service


def partial(seed: int, *, services: int = 12, learn: int = 21, judged: int = 28) -> World:
    """Live through `learn + judged` days; as many outages a day while learning, told to nobody."""
    random = np.random.default_rng([seed, services, learn, judged, 77])
    minutes = (learn + judged) * DAY
    rates, sigma = _rates(random, minutes, services)
    counts = np.empty((minutes, services))
    usual = np.empty((minutes, services))
    cells = np.empty((minutes, services, len(_REGIONS), len(_PLATFORMS)), np.int32)
    outages = []
    for service in range(services):
        mean = rates[:, service, :, None] * _platforms(random)
        usual[:, service] = mean.sum(axis=(1, 2))
        own = _outages(random, service, (minutes, learn * DAY))
        mean *= _noise(random, minutes, float(sigma[service]))[:, :, None]
        for outage in own:
            _hit(random, outage, mean)
        cells[:, service] = random.poisson(mean)
        counts[:, service] = cells[:, service].sum(axis=(1, 2))
        outages += [outage for outage in own if outage.start >= learn * DAY]
    late = np.zeros(counts.shape, np.bool_)
    return World(
        seed=seed,
        learn=learn * DAY,
        counts=counts,
        usual=usual,
        sigma=sigma,
        late=late,
        outages=outages,
        cells=cells,
    )


def _rates(random: np.random.Generator, minutes: int, services: int) -> tuple[Floats, Floats]:
    """Usual reports a minute of each region, shape (minutes, services, regions), and the noise of each service."""
    hours = np.arange(minutes)[:, None, None] / 60 + _CLOCKS
    size = np.exp(random.uniform(*np.log(_SIZES), services))
    peak, height = random.normal(15.0, 2.0, services)[:, None], random.uniform(0.3, 1.0, services)[:, None]
    day = height * np.cos((hours - peak) * 2 * np.pi / 24)
    drift = random.normal(0.0, 0.006, services)[:, None] * hours / 24
    weekend = np.where(hours // 24 % 7 >= 5, np.log(random.uniform(0.5, 1.2, services))[:, None], 0.0)
    shares = random.dirichlet(_REGIONS * 40, services)
    sigma = random.uniform(*_COMMON, services)
    return size[:, None] * shares * np.exp(day + drift + weekend), sigma


def _platforms(random: np.random.Generator) -> Floats:
    """Shares of the platforms in each region, shape (regions, platforms): alike, and not the same."""
    return random.dirichlet(_PLATFORMS * 40, len(_REGIONS))


def _noise(random: np.random.Generator, minutes: int, sigma: float) -> Floats:
    """Log-normal factors of mean 1 by region, shape (minutes, regions), that forget themselves within hours."""
    keep = np.exp(-1.0 / np.exp(random.uniform(np.log(20.0), np.log(240.0))))
    shocks = random.normal(0.0, np.sqrt(1 - keep**2), (minutes, len(_REGIONS) + 1))
    state = random.normal(0.0, 1.0, len(_REGIONS) + 1)
    for minute in range(minutes):
        state = state * keep + shocks[minute]
        shocks[minute] = state
    return np.exp(sigma * shocks[:, :1] + _OWN * shocks[:, 1:] - (sigma**2 + _OWN**2) / 2)


def _outages(random: np.random.Generator, service: int, span: tuple[int, int]) -> list[Outage]:
    """As many as asked in the judged part, and as dense before; no two near each other."""
    minutes, learn = span
    taken: list[Outage] = []
    for first, last in ((DAY, learn), (learn, minutes)):
        wanted = round(_OUTAGES * (last - first) / (minutes - learn))
        while wanted:
            start = int(random.integers(first, last - 12 * 60))
            length = int(np.clip(random.lognormal(np.log(45), 0.6), 15, 240))
            if all(start > o.end + _APART or start + length + _APART < o.start for o in taken):
                taken.append(_outage(random, service, start, length))
                wanted -= 1
    return taken


def _outage(random: np.random.Generator, service: int, start: int, length: int) -> Outage:
    """One trouble; its size is here the multiple of the usual in the cells that it hits."""
    kind = str(random.choice(KINDS))
    regions, platforms = len(_REGIONS), len(_PLATFORMS)
    where, what = np.ones(regions, np.bool_), np.ones(platforms, np.bool_)
    if "region" in kind:
        hit = random.choice(regions, size=2 if kind == "two regions" else 1, replace=False, p=_REGIONS)
        where = np.isin(np.arange(regions), hit)
    if "platform" in kind:
        what = np.arange(platforms) == random.choice(platforms, p=_PLATFORMS)
    lift = float(random.uniform(*_LIFTS))
    return Outage(service, start, start + length, kind, lift, start, np.outer(where, what))


def _hit(random: np.random.Generator, outage: Outage, mean: npt.NDArray[np.float64]) -> None:
    """Reports swell within minutes in the cells that are hit, and die away after the end."""
    minutes = np.arange(outage.end - outage.start)
    course = 1 - np.exp(-(minutes + 1) / random.uniform(0.5, 5.0))
    course = np.append(course, course[-1] * np.exp(-np.arange(60) / random.uniform(5.0, 15.0)))
    rows = mean[outage.start : outage.start + len(course)]
    factor = 1 + (outage.size - 1) * course[: len(rows)]
    rows *= np.where(outage.cells, factor[:, None, None], 1.0)
