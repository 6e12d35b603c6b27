"""An operator's word at its start: whose lane it is, what it serves, and what it can stand by."""

from tallystick.chain.confirmations import Confirmations
from tallystick.node.introduction import affordable, coins, public_url, spec_of
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.models import LoadedModel
from tallystick.node.operator.reveal_capacity import RevealCapacity
from tallystick.protocol.hexes import checksummed, to_hex


def introduce(
    lane: OperatorLane,
    models: dict[bytes, LoadedModel],
    confirmations: Confirmations,
    capacity: RevealCapacity,
    store: str,
) -> None:
    """Log what this operator is, and warn of what it cannot do.

    Args:
        lane: whose chain has been looked at.
        models: that it serves.
        confirmations: that it waits for.
        capacity: of open batches.
        store: URL of the batches' data.
    """
    rules, standing = lane.ledger.networks[lane.settings.network_id].rules, lane.standing
    w3, registry = lane.registry.w3, lane.registry
    each, gas = rules.stake_per_inference, coins(w3, lane.sender.address)
    room = standing.stake // each - standing.open_inferences if each else None
    credit = registry.credit(rules.asset, lane.operator)
    lane.log.info(
        "operator",
        account=checksummed(lane.sender.address),
        operator=checksummed(lane.operator),
        chain_id=registry.domain.chain_id,
        registry=checksummed(registry.address),
        confirmations=confirmations.blocks,
        confirmations_because=confirmations.reason,
        network=to_hex(lane.settings.network_id),
        stake=standing.stake,
        free_stake=standing.stake - each * standing.open_inferences,
        covers_inferences=room,
        credit=credit,
        coins_for_gas=gas,
        **affordable(rules, credit),
        models=[_model(lane, model) for model in models.values()],
        store=public_url(store),
        open_batches=lane.open_batches(),
        most_open_batches=capacity.batches,
    )
    lane.log.log(
        30 if capacity.batches <= lane.open_batches() else 20,
        "open batches that could all be revealed in time",
        batches=capacity.batches,
        open=lane.open_batches(),
        response_window=rules.response_window,
        block_seconds=round(capacity.block_seconds, 2),
        blocks_counted_on=capacity.blocks,
        reveals_in_one_transaction=capacity.each,
    )
    if room is not None and room < 1:
        lane.log.warning("the stake covers no inference: requests will be refused", each=each)
    if not gas:
        lane.log.warning("the account has no coins for gas")


def _model(lane: OperatorLane, model: LoadedModel) -> dict[str, str]:
    return {
        "id": to_hex(model.id),
        "name": lane.ledger.models[model.id].name,
        "spec": spec_of(model.spec_hash),
        "runner": model.runner,
    }
