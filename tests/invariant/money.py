"""Actions of money."""

from tallystick.protocol.abi_words import ZERO_ADDRESS
from tests.invariant import model as plain
from tests.invariant.choices import network_of
from tests.invariant.machine import OWNER, Machine


def withdraw(machine: Machine) -> None:
    choose = machine.choose
    account, asset = machine.someone(), choose.choice(machine.assets.all())
    amount = choose.choice([1, 50, machine.model.credits[asset, account] + 1, 2**256 - 1])
    refused = asset == ZERO_ADDRESS and choose.random() < 0.1
    to = machine.refuser if refused else account

    def paid() -> None:
        if asset != ZERO_ADDRESS:
            machine.holds[asset][to] += amount - machine.model.fee(asset, amount)

    machine.both(
        "withdraw",
        lambda: machine.model.withdraw(account, asset, amount, refused),
        account,
        "withdraw",
        asset,
        to,
        amount,
        then=paid,
    )


def deposit(machine: Machine) -> None:
    asset = machine.choose.choice(machine.assets.all())
    amount = machine.choose.randrange(300)
    if asset != ZERO_ADDRESS and machine.choose.random() < 0.05:
        amount = 2**256 - 1
    machine.deposit(machine.someone(), asset, amount)


def amount_of(machine: Machine, usual: list[int]) -> int:
    """An amount, now and then at the end of its type."""
    if machine.choose.random() < 0.1:
        return machine.choose.choice([plain.MAX_STAKE, plain.MAX_STAKE - 1, 2**96, 2**127, 0])
    return machine.choose.choice(usual)


def stake(machine: Machine) -> None:
    machine.stake(machine.someone(), network_of(machine), amount_of(machine, [1, 90, 5000]))


def unstake(machine: Machine) -> None:
    account, network = machine.someone(), network_of(machine)
    amount = amount_of(machine, [1, 20, 500])
    machine.both(
        "unstake",
        lambda: machine.model.unstake(account, network, amount),
        account,
        "unstake",
        machine.id_of(network),
        amount,
    )


def sweep(machine: Machine) -> None:
    network = network_of(machine)
    machine.both(
        "sweep",
        lambda: machine.model.sweep(network),
        OWNER,
        "sweep",
        machine.id_of(network),
    )
