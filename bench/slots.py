"""How long the open slots of 50 partners over 30 days take, as JSON (the aim: under 50 ms)."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter
from uuid import UUID

import orjson

from fxo.core.consultations.slots import Busy, open_slots_of
from fxo.core.partners.availability import Availability, Window

PARTNERS, DAYS, RUNS = 50, 30, 21
NOW = datetime(2027, 3, 8, 9, 17, tzinfo=UTC)  # both the American and the European change of the clocks lie ahead
ZONES = (
    "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "Europe/London", "Europe/Berlin",
    "Africa/Nairobi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Singapore", "Australia/Lord_Howe",
)  # fmt: skip


def run() -> list[tuple[str, str]]:
    """The measurement as (what, figure) rows for people."""
    partners = network(Random(7))
    times = sorted(_milliseconds(partners) for _ in range(RUNS + 1))[:-1]  # the slowest filled the cache of offsets
    starts = sum(map(len, orjson.loads(as_json(partners)).values()))
    figure = f"{times[0]:.1f} / {median(times):.1f} / {times[-1]:.1f} ms"
    return [(f"slots of {PARTNERS} partners x {DAYS} days as JSON ({starts:,} slots), min / median / max of {RUNS}", figure)]


def network(random: Random) -> dict[UUID, tuple[Availability, Busy]]:
    """Partners with a lunch break on five days in ten zones, and four busy times a working day."""
    return {UUID(int=number): (_availability(ZONES[number % len(ZONES)]), _busy(random)) for number in range(PARTNERS)}


def as_json(partners: Mapping[UUID, tuple[Availability, Busy]]) -> bytes:
    """What the API sends: the ISO starts of each partner."""
    starts = open_slots_of(partners, now=NOW, window=(NOW, NOW + timedelta(days=DAYS)))
    return orjson.dumps(starts, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)


def _milliseconds(partners: Mapping[UUID, tuple[Availability, Busy]]) -> float:
    gc.collect()
    began = perf_counter()
    as_json(partners)
    return (perf_counter() - began) * 1_000


def _availability(zone: str) -> Availability:
    hours = [Window(weekday, start * 60, end * 60) for weekday in range(5) for start, end in ((8, 12), (13, 19))]
    return Availability(zone=zone, weekly=tuple(hours))


def _busy(random: Random) -> Busy:
    starts = (NOW + timedelta(days=day, minutes=15 * random.randrange(96)) for day in range(DAYS) for _ in range(4))
    return [(start, start + timedelta(minutes=random.choice((30, 60, 75, 90)))) for start in starts]


if __name__ == "__main__":
    for what, figure in run():
        print(f"{what}: {figure}")
