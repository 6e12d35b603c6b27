"""Inferences per requester, and how concentrated the demand is.

Only leaves whose batch data were found can be looked at; `found` says how many those are.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from tallystick.data.totals.expression import BATCH, NETWORK, OUTCOMES, Tables


def requesters(tables: Tables, inferences: ir.Table) -> ir.Table:
    """Return inferences per network and requester, split by what became of their batches.

    Args:
        tables: BatchCommitted, BatchFinalized, BatchRejected.
        inferences: of collect.INFERENCES, with chain_id and address.

    Returns:
        NETWORK, requester (hex text; the zero address: unsolicited), solicited, inferences, and of
        these the open, rejected, and each outcome.
    """
    batches = tables["BatchCommitted"].select(*BATCH, "network_id")
    leaves = inferences.join(batches, BATCH).left_join(_ends(tables), BATCH)
    end = leaves.end.fill_null("open")
    counts = {name: (end == name).cast("int64").sum() for name in ("open", "rejected", *OUTCOMES)}
    return leaves.group_by([*NETWORK, "requester", "solicited"]).agg(
        inferences=leaves.count(), **counts
    )


def concentration(per_requester: ir.Table) -> ir.Table:
    """Return how concentrated each network's demand is.

    Args:
        per_requester: as requesters returns it.

    Returns:
        NETWORK, found (inferences whose requester is known), solicited_share (of found),
        requesters (distinct ones who signed), top_share (of the solicited, the greatest
        requester's), herfindahl (sum of squared shares over requesters: 1 / n for n equal ones, 1
        for a single one). The last two are null where nobody signed.
    """
    solicited = per_requester.solicited
    one = per_requester.inferences
    sums = per_requester.group_by(list(NETWORK)).agg(
        found=one.sum(),
        signed=one.sum(where=solicited).fill_null(0),
        requesters=per_requester.count(where=solicited),
        top=one.max(where=solicited),
        squares=(one.cast("float64") * one.cast("float64")).sum(where=solicited),
    )
    signed = sums.signed.nullif(0).cast("float64")
    return sums.select(
        *NETWORK,
        "found",
        "requesters",
        solicited_share=sums.signed.cast("float64") / sums.found.cast("float64"),
        top_share=sums.top.cast("float64") / signed,
        herfindahl=sums.squares / signed / signed,
    )


def _ends(tables: Tables) -> ir.Table:
    """Return what became of each batch that is over."""
    committed, finalized = tables["BatchCommitted"], tables["BatchFinalized"]
    taken = committed.filter(committed.finalized_count > 0)
    keys: Mapping[str, ir.Value] = {name: taken[name] for name in BATCH[:2]}
    return ibis.union(
        taken.select(**keys, batch_id=taken.finalized_id, end=taken.outcome.cast("string")),
        finalized.select(*BATCH, end=finalized.outcome.cast("string")),
        tables["BatchRejected"].select(*BATCH, end=ibis.literal("rejected")),
    )
