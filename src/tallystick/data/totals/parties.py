"""Parties of a network: who runs its operators, and the kinds of models they commit under."""

import ibis.expr.types as ir

from tallystick.data.totals.expression import NETWORK, Tables


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
