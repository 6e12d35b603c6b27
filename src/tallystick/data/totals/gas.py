"""Gas that a network's batches used: commits, evidence, disputes and finality."""

import ibis
import ibis.expr.types as ir

from tallystick.data.totals.expression import NETWORK, Tables

BATCH_EVENTS = (
    "BatchCommitted",
    "BatchAttested",
    "BatchChallenged",
    "BatchDemanded",
    "LeafRevealed",
    "ChallengeUpheld",
    "ChallengeLapsed",
    "BatchRejected",
    "BatchFinalized",
    "BatchArchived",
)
"""Events of batches; one an action."""


def gas(tables: Tables, transactions: ir.Table) -> ir.Table:
    """Return the gas of each network's transactions; one of several actions is shared equally.

    Args:
        tables: those of BATCH_EVENTS.
        transactions: of extract.gas.TRANSACTIONS, with chain_id and address.

    Returns:
        NETWORK and gas.
    """
    place = ["chain_id", "address", "transaction_hash"]
    actions = ibis.union(
        *(tables[name].select(*NETWORK, "transaction_hash") for name in BATCH_EVENTS)
    )
    # How many actions of each network a transaction made; most made one, of one.
    made = actions.group_by([*NETWORK, "transaction_hash"]).agg(actions=actions.count())
    shares = made.group_by(place).agg(all=made.actions.sum())
    each = made.join(shares, place).join(transactions, place)
    share = each.actions.cast("float64") / each["all"].cast("float64")
    return each.group_by(list(NETWORK)).agg(gas=(each.gas_used.cast("float64") * share).sum())
