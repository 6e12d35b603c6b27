"""Parties of a network: its operators, the kinds of models they commit under, what was audited."""

from collections.abc import Sequence

import ibis.expr.types as ir

from tallystick.data.totals.expression import BATCH, NETWORK, Tables
from tallystick.protocol.enums import Grade


def operators(tables: Tables) -> ir.Table:
    """Return how many accounts committed in each network, and whether its owner is one of them.

    Args:
        tables: BatchCommitted, NetworkRegistered.

    Returns:
        NETWORK, operators, owner_operates.
    """
    committed = tables["BatchCommitted"].select(*NETWORK, "operator").distinct()
    owners = tables["NetworkRegistered"].select(*NETWORK, "owner")
    joined = committed.join(owners, list(NETWORK))
    same = joined.operator.cast("string") == joined.owner.cast("string")
    return joined.group_by(list(NETWORK)).agg(operators=joined.count(), owner_operates=same.any())


def specs(tables: Tables) -> ir.Table:
    """Return how many models inferences were committed under, by the hash of their spec.

    Args:
        tables: BatchCommitted, ModelRegistered.

    Returns:
        NETWORK, spec_hash (hex text), models.
    """
    used = tables["BatchCommitted"].select(*NETWORK, "model_id").distinct()
    registered = tables["ModelRegistered"].select(*NETWORK, "model_id", "spec_hash")
    joined = used.join(registered, [*NETWORK, "model_id"])
    return joined.group_by([*NETWORK, "spec_hash"]).agg(models=joined.count())


def audited(tables: Tables, networks: Sequence[str]) -> ir.Table:
    """Return the batches of some networks that were ever attested as audited.

    Args:
        tables: BatchAttested, BatchCommitted.
        networks: their ids, hex text.

    Returns:
        NETWORK, batch_id, count (inferences).
    """
    attested = tables["BatchAttested"]
    attested = attested.filter(
        attested.grade.cast("string") == Grade.AUDITED.name.lower(),
        attested.network_id.cast("string").isin(list(networks)),
    )
    attested = attested.select(*NETWORK, "batch_id").distinct()
    committed = tables["BatchCommitted"].select(*BATCH, "count")
    return attested.join(committed, list(BATCH)).select(*NETWORK, "batch_id", "count")
