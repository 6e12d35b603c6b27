"""Actions of those who want to break something: all at once, from within, for ever, of nothing."""

from dataclasses import replace
from typing import Any

from eth_abi import encode

from tallystick.chain.call import encode_call
from tallystick.chain.revert import ContractError
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.enums import Ruling, State
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.rules import MAX_WINDOW
from tests.invariant import actions
from tests.invariant import model as plain
from tests.invariant.actions import ORDINARY
from tests.invariant.batches import fresh
from tests.invariant.choices import Action, in_window, pending, place_of, some
from tests.invariant.claims import forged
from tests.invariant.compare import Mismatch
from tests.invariant.machine import ACCOUNTS, OWNER, Machine
from tests.invariant.networks import MAX_BYTES

STRANGER = bytes([77]) * 20


def each(machine: Machine) -> None:
    """Several actions of a sender in one transaction, prepared from the state before the first."""
    choose = machine.choose
    sender = choose.choice([*ACCOUNTS, OWNER])
    planned = machine.plan(sender, lambda: _some_actions(machine))
    if planned and choose.random() < 0.3:
        # Somebody has copied an entry: it stands there twice.
        planned.insert(choose.randrange(len(planned)), choose.choice(planned))
    entries = [entry.data for entry in planned]
    garbage = [b"", b"\xff" * 4, bytes(3)][: choose.choice([0, 0, 0, 1, 3])]
    nested = choose.random() < 0.1
    value = 1 if choose.random() < 0.02 else 0

    def plain_action() -> list[bool]:
        if value:
            raise plain.Refused("Reverted")
        done = machine.model.each([entry.plain_action for entry in planned])
        return [*done, *(False for _ in garbage)]

    def compare(model: list[bool], answer: bytes) -> None:
        found = list(machine.decoded("each", answer))
        if found != ([True] if nested else model):
            raise Mismatch(f"each: contract did {found}, model {model}")
        for entry, done in zip(planned, model, strict=False):
            (machine.done if done else machine.refused)[entry.action] += 1
            if done:
                entry.then()

    data = encode_call("Tallystick", machine.registry, "each", [*entries, *garbage]).data
    if nested:
        data = encode_call("Tallystick", machine.registry, "each", [data]).data
    shown = "each", sender, tuple(entry.action for entry in planned)
    machine.settle("each", shown, plain_action, sender, data, value, expect=compare)


def _some_actions(machine: Machine) -> None:
    kinds = [kind for kind in ORDINARY if kind is not actions.wait]
    weights = [ORDINARY[kind] for kind in kinds]
    for kind in machine.choose.choices(kinds, weights, k=machine.choose.randint(0, 4)):
        kind(machine)


def forge(machine: Machine) -> None:
    """Disprove a batch, with evidence that convinces, by a pre-image that is not quite its own."""
    batch = some(machine, pending)
    if batch is not None:
        claim, party = forged(machine, batch.claim()), machine.choose.choice(ACCOUNTS)
        place = place_of(machine, batch)
        actions.disprove_of(machine, party, claim, place, good=True, says=Ruling.REJECTED)


# From within


def arm(machine: Machine) -> None:
    """Let the token call back on each transfer: what the lock forbids, what it lets by, nothing."""
    call_back(machine, machine.choose.choice(["forbidden", "each", "view", "nothing", "nothing"]))


def call_back(machine: Machine, how: str) -> None:
    choose, registry, asset = machine.choose, machine.registry, machine.assets.reentrant
    network = machine.networks[choose.choice(machine.playing)]
    calls: list[tuple[Any, ...]] = [
        ("deposit", ZERO_ADDRESS, 0),
        ("deposit", asset, 0),
        ("withdraw", asset, ACCOUNTS[0], 0),
        ("sweep", network),
        ("stake", network, 0),
        ("unstake", network, 0),
        ("setKey", ACCOUNTS[0]),
        ("finalize", [(ZERO32, ZERO32)], network, ACCOUNTS[0]),
        ("registerModel", network, ZERO32, ZERO32, ZERO32, "", ""),
    ]
    forbidden = encode_call("Tallystick", registry, *choose.choice(calls)).data
    call = {
        "forbidden": forbidden,
        "each": encode_call("Tallystick", registry, "each", [forbidden, forbidden]).data,
        "view": encode_call("Tallystick", registry, "creditOf", asset, ACCOUNTS[0]).data,
        "nothing": b"",
    }[how]
    target = ZERO_ADDRESS if how == "nothing" else registry
    data = keccak256(b"arm(address,bytes)")[:4] + encode(["address", "bytes"], [target, call])
    machine.world.send(STRANGER, asset, data)
    machine.model.armed[asset] = how == "forbidden"
    machine.trace.append((machine.now, "arm", (how,), "done"))


def donate(machine: Machine) -> None:
    """Give the registry coins or tokens around deposit: nobody's, and no harm."""
    amount = machine.choose.randrange(1, 100)
    if machine.choose.random() < 0.5:
        machine.world.give(machine.registry, machine.world.balance(machine.registry) + amount)
        machine.extra[ZERO_ADDRESS] += amount
        return
    asset, account = machine.assets.plain, machine.choose.choice(ACCOUNTS)
    machine.token(account, asset, b"transfer(address,uint256)", machine.registry, amount)
    machine.holds[asset][account] -= amount
    machine.extra[asset] += amount


# For ever


def shield(machine: Machine) -> None:
    """Keep a batch disputed, by disputes that end well in their last second, over and over."""
    choose = machine.choose
    batch = some(machine, in_window)
    if batch is None:
        return
    place, party = place_of(machine, batch), choose.choice(ACCOUNTS)
    challenging, patient = choose.random() < 0.4, choose.random() < 0.5
    for _ in range(choose.choice([2, 2, 25])):
        if batch.state is not State.OPEN or batch.closes_at <= machine.now:
            return
        if patient:
            machine.world.wait(batch.closes_at - 1)
        claim = batch.claim()
        if challenging:
            begun = actions.challenge_of(machine, party, claim, place, good=True)
        else:
            begun = actions.demand_of(machine, party, claim, place, with_bytes=False)
        if not begun:
            return
        machine.world.wait(choose.choice([batch.due, batch.due, machine.now]))
        claim = batch.claim()
        if challenging:
            answered = actions.resolve_of(machine, claim, place, Ruling.UPHELD)
        else:
            answered = actions.reveal_of(machine, claim, place)
        if not answered:
            return


# Of nothing


def ask(machine: Machine) -> None:
    """Views of what nobody knows: an error that names it, or Unknown; never zeros for an answer."""
    network, known = ZERO32, machine.choose.choice(machine.networks)
    if machine.choose.random() < 0.5:
        network = keccak256(known)
    operator = ACCOUNTS[0]
    for name, *args in (
        ("totals",),
        ("laneOf", operator),
        ("wordOf", operator, 0),
        ("modelTerms", machine.models[0]),
        ("sweptOf",),
        ("rulesOf",),
        ("ownerOf",),
        ("lifeOf",),
    ):
        _refused(machine, "NetworkNotFound", name, network, *args)
    for number, other in enumerate(machine.networks):
        if other != known:
            _refused(machine, "ModelNotFound", "modelTerms", known, machine.models[number])
    nothing = machine.read("laneOf", known, STRANGER), machine.read("keyOf", STRANGER)
    if nothing != ((0, 0, 0, False, False), "0x" + "00" * 20):
        raise Mismatch(f"lane and key of a stranger are {nothing}")
    machine.unknown = network
    batch = fresh(machine, plain.UNKNOWN, operator, 0, 0)
    claim = batch.claim()
    pre_image = machine.pre_image(claim)
    unknown = (
        machine.read("status", network, operator, machine.ref(claim)),
        machine.read("archived", pre_image.batch.id()),
    )
    for status in unknown:
        if any(status):
            raise Mismatch(f"status of a batch that nobody committed is {status}")
    if machine.read("stateOf", pre_image.abi()):
        raise Mismatch("a batch that nobody committed has a state")


def _refused(machine: Machine, error: str, name: str, *args: Any) -> None:
    try:
        answer = machine.read(name, *args)
    except ContractError as refused:
        if refused.name != error:
            raise Mismatch(f"{name}: contract says {refused}; needed: {error}") from refused
    else:
        raise Mismatch(f"{name} of what nobody knows answers {answer}; needed: {error}")


def register(machine: Machine) -> None:
    """Networks and models that must not be: rules out of range, there already, of no network."""
    choose = machine.choose
    number = choose.choice(machine.playing)
    rules, parent, error = machine.rules[number], ZERO32, "NetworkExists"
    change: dict[str, Any] = choose.choice(
        [
            {},
            {"challenge_window": MAX_WINDOW + 1},
            {"challenge_window": 2**32 - 1},
            {"response_window": 0},
            {"response_window": rules.challenge_window // 2 + 1},
            {"ruling_window": 0},
            {"ruling_window": MAX_WINDOW + 1},
            {"max_bytes": MAX_BYTES + 1},
            {"max_bytes": 2**32 - 1},
            {"asset": STRANGER},
            {"arbiter": STRANGER, "challenge_bond": 0},
        ]
    )
    for name in change:
        error = {"max_bytes": "MaxBytesOutOfRange", "asset": "AssetWithoutCode"}.get(
            name, "ChallengeBondZero" if "bond" in name else "WindowsOutOfRange"
        )
    if not change and choose.random() < 0.5:
        parent, error = keccak256(ZERO32), "NetworkNotFound"
    _stays(
        machine,
        error,
        "registerNetwork",
        ZERO32,
        replace(rules, **change).abi(),
        parent,
        "",
        "",
    )
    network, parent, error = choose.choice(
        [
            (machine.networks[number], ZERO32, "ModelExists"),
            (machine.networks[number], keccak256(ZERO32), "ModelNotFound"),
            (keccak256(ZERO32), ZERO32, "NetworkNotFound"),
            (ZERO32, ZERO32, "NetworkNotFound"),
        ]
    )
    _stays(machine, error, "registerModel", network, ZERO32, ZERO32, parent, "", "")


def _stays(machine: Machine, error: str, name: str, *args: Any) -> None:
    def refuse() -> None:
        raise plain.Refused(error)

    machine.both(name, refuse, OWNER, name, *args)


# What no transaction can do


def starve(machine: Machine) -> None:
    """Take stake from a lane, by nothing that the design allows: rejecting must still work."""
    lanes = [key for key, lane in machine.model.lanes.items() if lane.open and lane.stake]
    if not machine.edges or not lanes:
        return
    network, operator = key = machine.choose.choice(lanes)
    lane = machine.model.lanes[key]
    taken = machine.choose.choice([1, lane.stake, lane.stake // 2 + 1])
    lane.stake, lane.short = lane.stake - taken, True
    machine.vanished[key] += taken
    machine.extra[machine.rules[network].asset] += taken
    machine.stolen[machine.rules[network].asset] += taken
    machine.set_lane(network, operator)
    machine.trace.append((machine.now, "starve", (network, operator, taken), "done"))


HOSTILE: dict[Action, int] = {
    each: 10,
    forge: 2,
    arm: 3,
    donate: 1,
    shield: 4,
    ask: 1,
    register: 2,
    starve: 1,
}
"""How often each is tried."""
