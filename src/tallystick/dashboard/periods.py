"""Periods of whole days (UTC): what became final in the last of them, and in as many before."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import itemgetter
from typing import Any, Literal

from tallystick.dashboard.network_key import NetworkKey
from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.totals.expression import COUNTS

Row = dict[str, Any]
Period = Literal["1d", "7d", "30d", "all"]
LENGTHS: dict[str, int | None] = {"1d": 1, "7d": 7, "30d": 30, "all": None}
"""Days; None: since the first event."""
TREND = 30
"""Days of a network's line in the table, whatever the period."""
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


def summary(networks: Iterable[Row], flows: Mapping[NetworkKey, Sequence[Row]], days: Days) -> Row:
    """Return the headline of a period, its days, and each network's counters in it.

    Of a ranked network only the grades that known resolvers give are in the headline.

    Args:
        networks: of Snapshot.networks.
        flows: COUNTS of each network, a row a day, sorted by day.
        days: of the period.
    """
    rows = [_of(row, flows.get(NetworkKey.of(row), ()), days) for row in networks]
    ranked = [row for row in rows if row["ranked"]]
    ranked.sort(key=lambda row: -row["known_verified"])
    told: dict[date, Row] = {}
    for row in ranked:
        for day, grades in row["days"].items():
            of_day = told.setdefault(day, dict.fromkeys(GRADES.values(), 0))
            for grade, found in grades.items():
                of_day[grade] += found
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
        "days": [{"day": day, **told[day]} for day in sorted(told)],
        "networks": ranked + [row for row in rows if not row["ranked"]],
    }


def _of(network: Row, flows: Sequence[Row], days: Days) -> Row:
    known = [grade for grade in GRADES.values() if network[f"standing_{grade}"] == "known"]
    within = _between(flows, days.first, days.last)
    counted = {name: sum(row[name] for row in within) for name in COUNTS}
    verified = sum(counted[grade] for grade in GRADES.values())
    closed = sum(counted[name] for name in CLOSED)
    of_known = sum(counted[grade] for grade in known)
    before = None
    if days.before:
        earlier = _between(flows, days.before, days.first - timedelta(days=1))
        before = sum(row[grade] for row in earlier for grade in known)
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
        "days": {row["day"]: {grade: row[grade] for grade in known} for row in within},
        "trend": _trend(flows, known, days.last) if ranked else [],
    }


def _between(flows: Sequence[Row], first: date, last: date) -> Sequence[Row]:
    """Return the rows of some days; they are sorted by day."""
    begin = bisect_left(flows, first, key=itemgetter("day"))
    return flows[begin : bisect_right(flows, last, key=itemgetter("day"))]


def _trend(flows: Sequence[Row], known: Sequence[str], last: date) -> list[int]:
    recent = _between(flows, last - timedelta(days=TREND - 1), last)
    counted = {row["day"]: sum(row[grade] for grade in known) for row in recent}
    every = (last - timedelta(days=ago) for ago in reversed(range(TREND)))
    return [counted.get(day, 0) for day in every]


def _change(now: int, before: int | None) -> float | None:
    return now / before - 1 if before else None
