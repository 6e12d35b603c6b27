"""Verdicts on many claims at once, into the table that a judge returns."""

from collections.abc import Sequence

import pyarrow as pa

from tallystick.networks.adapter import JUDGED

Verdict = tuple[str, str]
"""One of adapter.VERDICTS, and the reason; empty where the verdict says all."""

UNCHECKED: Verdict = ("unchecked", "")


def judged(
    claims: pa.Table, chosen: Sequence[Verdict], counts: Sequence[int] | None = None
) -> pa.Table:
    """Return claims by day, chain, verdict and reason, of the schema JUDGED.

    Args:
        claims: with the columns day and chain_id, one or more claims a row.
        chosen: the verdict of each row.
        counts: claims of each row; None: one.

    >>> from datetime import date
    >>> claims = pa.table({"day": [date(2026, 1, 1)] * 2, "chain_id": [1, 1]})
    >>> judged(claims, [UNCHECKED] * 2)["count"].to_pylist()
    [2]
    """
    amounts = [1] * len(claims) if counts is None else counts
    table = pa.table(
        {
            "day": claims["day"].cast(pa.date32()),
            "chain_id": claims["chain_id"].cast(pa.int64()),
            "verdict": pa.array([verdict for verdict, _ in chosen], pa.string()),
            "reason": pa.array([reason for _, reason in chosen], pa.string()),
            "count": pa.array(amounts, pa.int64()),
        }
    )
    keys = ["day", "chain_id", "verdict", "reason"]
    table = table.group_by(keys).aggregate([("count", "sum")])
    table = table.select([*keys, "count_sum"]).rename_columns([*keys, "count"])
    table = table.sort_by([(key, "ascending") for key in keys])
    return table.select(JUDGED.names).cast(JUDGED)


def first_of(claims: pa.Table, *keys: str) -> pa.Table:
    """Return the first row of each contract's rows that agree in some columns, in their order.

    What a network repeats is claimed once.
    """
    if not len(claims):
        return claims
    named = ["chain_id", "address", *keys]
    numbered = claims.select(named).append_column("row", pa.array(range(len(claims)), pa.int64()))
    firsts = numbered.group_by(named).aggregate([("row", "min")])["row_min"]
    return claims.take(pa.array(sorted(firsts.to_pylist()), pa.int64()))
