"""Periods of whole days (UTC): what became final in the last of them, and in as many before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from tallystick.dashboard.flows import DaysOf, Flows, day_of, since_1970
from tallystick.dashboard.network_key import NetworkKey
from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.totals.expression import COUNTS

Row = dict[str, Any]
Period = Literal["1d", "7d", "30d", "all"]
LENGTHS: dict[str, int | None] = {"1d": 1, "7d": 7, "30d": 30, "all": None}
"""Days; None: since the first event."""
TREND = 30
"""Days of a network's line in the table, whatever the period."""
_TRENDED = timedelta(days=TREND - 1)
CLOSED = tuple(name for name in COUNTS if name != "committed")
"""Counters of batches that left open."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a period, and those before that it is compared with."""

    first: date
    last: date
    before: date | None
    """First day of as many before; None: nothing is compared."""


def days_of(period: str, first: date, last: date) -> Days:
    """Return the days of a period.

    Args:
        period: of LENGTHS.
        first, last: days of the first and the last event there is.

    >>> found = days_of("7d", date(2026, 1, 1), date(2026, 1, 31))
    >>> str(found.first), str(found.before)
    ('2026-01-25', '2026-01-18')
    >>> days_of("30d", date(2026, 1, 1), date(2026, 1, 31)).before is None
    True
    """
    length = LENGTHS[period]
    if length is None:
        return Days(first, last, None)
    begun = last - timedelta(days=length - 1)
    before = begun - timedelta(days=length)
    # Days before the first event would count as nothing verified.
    return Days(begun, last, before if before >= first else None)


def summary(networks: Iterable[Row], flows: Flows, days: Days) -> Row:
    """Return the headline of a period, its days, and each network's counters in it.

    Of a ranked network only the grades that known resolvers give are in the headline.

    Args:
        networks: of Snapshot.networks.
        flows: of each network.
        days: of the period.
    """
    rows = [_of(row, flows, days) for row in networks]
    ranked = [row for row in rows if row["ranked"]]
    ranked.sort(key=lambda row: -row["known_verified"])
    before = sum(row["before"] for row in ranked) if days.before else None
    verified = sum(row["known_verified"] for row in ranked)
    closed = sum(row["closed"] for row in ranked)
    return {
        "first_day": days.first,
        "last_day": days.last,
        "verified": verified,
        "before": before,
        "change": _change(verified, before),
        "closed": closed,
        "share": verified / closed if closed else None,
        "by_grade": {
            grade: sum(row["known"].get(grade, 0) for row in ranked) for grade in GRADES.values()
        },
        "not_counted": {
            "unchallenged": sum(row["unchallenged"] for row in ranked),
            "rejected": sum(row["rejected"] for row in ranked),
            "unresolved": sum(row["unresolved"] for row in ranked),
            "not_known": sum(row["verified"] - row["known_verified"] for row in ranked),
        },
        "days": _days(ranked, flows, days),
        "networks": ranked + [row for row in rows if not row["ranked"]],
    }


def _of(network: Row, flows: Flows, days: Days) -> Row:
    key, known = NetworkKey.of(network), _known(network)
    counted = flows.sums(key, days.first, days.last)
    verified = sum(counted[grade] for grade in GRADES.values())
    closed = sum(counted[name] for name in CLOSED)
    of_known = sum(counted[grade] for grade in known)
    before = None
    if days.before:
        earlier = flows.sums(key, days.before, days.first - timedelta(days=1))
        before = sum(earlier[grade] for grade in known)
    ranked = network["rank"] is not None
    return {
        **{name: network[name] for name in NetworkKey._fields},
        "ranked": ranked,
        **counted,
        "verified": verified,
        "known_verified": of_known,
        "known": {grade: counted[grade] for grade in known},
        "closed": closed,
        "share": of_known / closed if closed else None,
        "before": before,
        "change": _change(of_known, before),
        "trend": _trend(flows.daily(key, days.last - _TRENDED, days.last), known, days.last)
        if ranked
        else [],
    }


def _known(network: Row) -> list[str]:
    return [grade for grade in GRADES.values() if network[f"standing_{grade}"] == "known"]


def _days(ranked: Iterable[Row], flows: Flows, days: Days) -> list[Row]:
    """Return the sum over ranked networks of each day that has any, by known grade."""
    begun = since_1970(days.first)
    sums = np.zeros((since_1970(days.last) - begun + 1, len(COUNTS)), np.int64)
    told = np.zeros(len(sums), np.bool_)
    for row in ranked:
        found = flows.daily(NetworkKey.of(row), days.first, days.last)
        # A network has a day once: no place is written to twice.
        places = found.days - begun
        told[places] = True
        for column in map(COUNTS.index, row["known"]):
            sums[places, column] += found.counts[:, column]
    by_grade = sums[:, [COUNTS.index(grade) for grade in GRADES.values()]].tolist()
    return [
        {"day": day_of(begun + place), **dict(zip(GRADES.values(), by_grade[place], strict=True))}
        for place in np.flatnonzero(told).tolist()
    ]


def daily(row: Row, flows: Flows, first: date, last: date) -> dict[date, dict[str, int]]:
    """Return what became final on each of a network's days with an event, by known grade.

    Args:
        row: of the network, in a summary.
        flows: of each network.
        first: day (UTC).
        last: day, included.
    """
    known = list(row["known"])
    found = flows.daily(NetworkKey.of(row), first, last)
    counts = found.counts[:, [COUNTS.index(grade) for grade in known]].tolist()
    return {
        day_of(day): dict(zip(known, of_day, strict=True))
        for day, of_day in zip(found.days.tolist(), counts, strict=True)
    }


def _trend(recent: DaysOf, known: Iterable[str], last: date) -> list[int]:
    every = np.zeros(TREND, np.int64)
    places = recent.days - since_1970(last) + TREND - 1
    every[places] = recent.counts[:, [COUNTS.index(grade) for grade in known]].sum(axis=1)
    counted: list[int] = every.tolist()
    return counted


def _change(now: int, before: int | None) -> float | None:
    return now / before - 1 if before else None
