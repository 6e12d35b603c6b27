"""Sources of numbers that are no events: batch data, and receipts of transactions."""

from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.numbers import Scope, literal
from tallystick.data.totals.gas import BATCH_EVENTS

_FOUND = "count(*)"
_SIGNED = "count(*) FILTER (solicited)"
_REQUESTERS = "count(DISTINCT requester) FILTER (solicited)"
_OF_LEAVES = {
    "found_share": (_FOUND,),
    "solicited_share": (_SIGNED, _FOUND),
    "requesters": (_REQUESTERS,),
    "top_share": ("max(each)", "sum(each)"),
    "herfindahl": ("sum(each * each)", "sum(each)"),
}
"""Over the batch data that were found: whose leaves hash to the committed roots."""


def queries(scope: Scope, name: str, last_block: int) -> list[str]:
    """Return SQL for what a number rests on beside events; none for a part of a network."""
    if name in _OF_LEAVES:
        return [_leaves(scope.key, what, last_block) for what in _OF_LEAVES[name]]
    return [_gas(scope.key, last_block)] if name == "gas_per_verified" else []


def _leaves(key: NetworkKey, what: str, last_block: int) -> str:
    joined = (
        "FROM inferences JOIN BatchCommitted USING (chain_id, address, batch_id)\n"
        f"WHERE {Scope(key).where()}\n  AND block_number <= {last_block}"
    )
    if "each" not in what:
        return f"SELECT {what}\n{joined}"
    each = f"SELECT count(*) AS each\n{joined} AND solicited\nGROUP BY requester"
    return f"SELECT {what}\nFROM (\n{each}\n)"


def _gas(key: NetworkKey, last_block: int) -> str:
    chain_id, core, network_id = map(literal, key)
    of_core = f"chain_id = {chain_id} AND address = {core}"
    actions = "\n  UNION ALL ".join(
        f"SELECT network_id, transaction_hash FROM {name} WHERE {of_core} "
        f"AND block_number <= {last_block}"
        for name in BATCH_EVENTS
    )
    return (
        f"WITH actions AS (\n  {actions}\n), shares AS (\n"
        f"  SELECT transaction_hash, count(*) FILTER (network_id = {network_id}) / count(*) "
        "AS share\n  FROM actions GROUP BY 1\n)\n"
        "SELECT sum(gas_used * share)\nFROM transactions JOIN shares USING (transaction_hash)\n"
        f"WHERE {of_core}"
    )
