"""How a walk ends: every batch, by somebody; and everybody takes out all that is theirs."""

from tallystick.protocol.enums import DisputeKind, State
from tests.invariant.actions import end_of_challenge, end_of_demand, finalize_of
from tests.invariant.compare import Mismatch
from tests.invariant.hostile import call_back
from tests.invariant.machine import OWNER, Machine


def end(machine: Machine) -> None:
    """End all batches and pay everybody.

    Raises:
        Mismatch: something keeps a batch from its end, or money in the registry.
    """
    call_back(machine, "nothing")
    lanes = list(machine.model.lanes.items())
    batches = [batch for _, lane in lanes for batch in lane.slots.values()]
    machine.world.wait(max((batch.due for batch in batches), default=machine.now) + 1)
    for batch in batches:
        if batch.state is State.DISPUTED:
            ending = end_of_challenge if batch.kind is DisputeKind.CHALLENGE else end_of_demand
            _must(ending(machine, batch.claim()), "a dispute")
    machine.world.wait(max((batch.closes_at for batch in batches), default=machine.now) + 1)
    for batch in batches:
        if batch.state is State.OPEN:
            claims = [batch.claim().undisputed()]
            _must(finalize_of(machine, claims, batch.network, batch.operator), "a batch")
    for (network, operator), lane in lanes:
        _must(_unstake(machine, network, operator, lane.stake), "a stake")
    for network in machine.playing:
        refusing = machine.rules[network].asset in machine.model.refusing
        burned = machine.model.totals[network].burned - machine.model.swept[network]
        if burned and not refusing:
            _must(_sweep(machine, network), "a burn")
    for (asset, account), credit in list(machine.model.credits.items()):
        if credit:
            _must(_withdraw(machine, asset, account, credit), "a credit")
    machine.checks.words()
    for asset in machine.assets.all():
        left = machine.checks.balance(asset) - machine.extra[asset]
        if left and asset not in machine.model.refusing:
            raise Mismatch(f"{left} of 0x{asset.hex()} stay in the registry, and are nobody's")


def _must(done: bool, what: str) -> None:
    if not done:
        raise Mismatch(f"{what} cannot end")


def _unstake(machine: Machine, network: int, operator: bytes, amount: int) -> bool:
    return machine.both(
        "unstake",
        lambda: machine.model.unstake(operator, network, amount),
        operator,
        "unstake",
        machine.id_of(network),
        amount,
    )


def _sweep(machine: Machine, network: int) -> bool:
    return machine.both(
        "sweep", lambda: machine.model.sweep(network), OWNER, "sweep", machine.id_of(network)
    )


def _withdraw(machine: Machine, asset: bytes, account: bytes, amount: int) -> bool:
    return machine.both(
        "withdraw",
        lambda: machine.model.withdraw(account, asset, amount),
        account,
        "withdraw",
        asset,
        account,
        amount,
    )
