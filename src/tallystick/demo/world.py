"""The stage: a registry, committees with stake, networks with different rules and one model."""

from dataclasses import dataclass, field, replace

from web3 import Web3

from tallystick.chain.call import Call, encode_call
from tallystick.chain.clock import pending_time
from tallystick.chain.deploy import create2_address, creation_code, deploy
from tallystick.chain.follower import read_ledger
from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender, Sent, Web3Sender
from tallystick.data.probe.result import ProbeResult
from tallystick.demo.cast import MEMBERS, ROLES, account
from tallystick.demo.digits.quantized import load
from tallystick.demo.seats import found_pool
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.rules import Rules, model_id, network_id
from tallystick.replay.model import SPEC_ID, Model

HOUR = 3600
ETHER = 10**18
DRAWN = 24
"""Leaves that an audit draws: a share of 5 % bad ones is missed with probability 0.95^24 = 29 %,
and every committee member draws the same; whoever compares all leaves misses none."""
SEED_DELAY = 2
NOBODY = (ZERO_ADDRESS, ZERO_ADDRESS)

RULES = Rules(
    stake_per_inference=ETHER // 10_000,
    challenge_bond=ETHER // 100,
    demand_bond=ETHER // 1000,
    challenge_window=24 * HOUR,
    response_window=6 * HOUR,
    ruling_window=12 * HOUR,
)


@dataclass
class Stage:
    """A network of the story."""

    name: str
    rules: Rules
    id: bytes
    model_id: bytes
    operators: tuple[str, ...]
    gas: int = 0
    """Gas of all transactions about its batches."""


@dataclass(frozen=True, slots=True)
class MeteredSender:
    """Sends as another does, and counts the gas as a network's."""

    sender: Sender
    stage: Stage

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return self.sender.address

    def simulate(self, call: Call) -> int:
        """See Sender."""
        return self.sender.simulate(call)

    def send(self, call: Call) -> Sent:
        """See Sender."""
        sent = self.sender.send(call)
        self.stage.gas += sent.gas_used
        return sent

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """See Sender."""
        return self.sender.sign(domain, struct_hash)


@dataclass
class World:
    """Everything on the chain, and who may send."""

    w3: Web3
    senders: dict[str, Web3Sender]
    registry: Registry
    judges: bytes
    """Committee that rules in one network."""
    auditors: dict[bytes, bytes]
    """Committees that audit, by the arbiter of the networks where they do."""
    replay: bytes
    pool: bytes
    """Whose auditors the chain draws, in one network."""
    model: Model = field(default_factory=load)
    """The digits classifier; each network has it."""
    stages: dict[str, Stage] = field(default_factory=dict)
    probes: list[ProbeResult] = field(default_factory=list)
    """Of operators' endpoints, with the chain's time."""

    def audited(self, arbiter: bytes) -> Rules:
        """Return the rules of a network that an arbiter judges and its committee audits."""
        return replace(RULES, arbiter=arbiter, attestors=(self.auditors[arbiter], *NOBODY))

    def domain_of(self, committee: bytes) -> Domain:
        """Return what memberships sign under in a committee."""
        return Domain(self.registry.domain.chain_id, committee)

    def auditors_of(self, network: bytes) -> bytes:
        """Return the committee that audits in a network."""
        return self.auditors[self.stage_of(network).rules.arbiter]

    def send(self, role: str, name: str, *args: object, value: int = 0) -> Sent:
        """Have a role call the registry."""
        return self.senders[role].send(self.registry.call(name, *args, value=value))

    @property
    def now(self) -> int:
        """Unix seconds; time of a block mined now."""
        return pending_time(self.w3)

    def sender_for(self, stage: Stage, role: str) -> Sender:
        """Return a role's sender, whose gas counts as the network's."""
        return MeteredSender(self.senders[role], stage)

    def send_for(self, stage: Stage, role: str, name: str, *args: object) -> Sent:
        """Send, and count the gas as the network's."""
        return self.sender_for(stage, role).send(self.registry.call(name, *args))

    def ledger(self) -> Ledger:
        """Return what the events say up to the latest block."""
        return read_ledger(self.registry)

    def stage_of(self, network: bytes) -> Stage:
        """Return the network of an id."""
        return next(stage for stage in self.stages.values() if stage.id == network)


def found(w3: Web3) -> World:
    """Deploy everything; no network is registered yet.

    Args:
        w3: connected to a chain where the roles have coins.
    """
    senders = {role: Web3Sender(w3, account(role)) for role in ROLES}
    address, _ = deploy(w3, senders["owner"], creation_code("Tallystick"))
    registry = Registry(w3, address)
    replay, _ = deploy(w3, senders["owner"], creation_code("Replay"))
    judges = _found_committee(w3, senders, address, ZERO_ADDRESS)
    # Who audits does not rule: a committee audits under one other arbiter, fixed for good.
    auditors = {
        arbiter: _found_committee(w3, senders, address, arbiter) for arbiter in (replay, judges)
    }
    pool = found_pool(w3, senders, address, replay)
    return World(w3, senders, registry, judges, auditors, replay, pool)


def build(w3: Web3, nodes: bool = True) -> World:
    """Deploy everything, register the networks, fund and stake.

    Args:
        w3: connected to a chain where the roles have coins.
        nodes: whether to register the network that nodes' processes play in.
    """
    world = found(w3)
    replayed, judged = (world.audited(arbiter) for arbiter in (world.replay, world.judges))
    _open(world, "Agora", replace(replayed, permissionless=True), ("ada", "bob"))
    _open(world, "Bourse", replace(judged, solicited=True, max_bytes=128), ("cyd", "dan", "eve"))
    if nodes:
        _open(world, "Docks", replace(replayed, solicited=True, max_bytes=128), ("gil", "hal"))
    pooled = replace(RULES, arbiter=world.replay, attestors=(world.pool, *NOBODY))
    _open(world, "Forum", pooled, ("ivy", "jon"))
    unbacked = replace(RULES, stake_per_inference=0, challenge_bond=0, permissionless=True)
    _open(world, "Commons", unbacked, ("fay",))
    for role in ("verifier", "griefer"):
        world.send(role, "deposit", ZERO_ADDRESS, ETHER, value=ETHER)
    return world


def _found_committee(
    w3: Web3, senders: dict[str, Web3Sender], address: bytes, arbiter: bytes
) -> bytes:
    min_stake = ETHER
    terms = (ZERO_ADDRESS, 2, DRAWN, SEED_DELAY, RULES.life, min_stake, arbiter)
    accounts = [senders[f"member {number}"].address for number in range(MEMBERS)]
    members = [(address, address) for address in accounts]
    code = creation_code("Committee", checksummed(address), terms, members)
    address, _ = deploy(w3, senders["owner"], code)
    assert address == create2_address(code)
    for number in range(MEMBERS):
        stake: Call = encode_call("Committee", address, "stake", number, ETHER, value=min_stake)
        senders[f"member {number}"].send(stake)
    return address


def _open(world: World, name: str, rules: Rules, operators: tuple[str, ...]) -> None:
    hashes = world.model.content_hash(), SPEC_ID
    open_network(world, name, rules, operators, "digits.qi8", hashes)


def open_network(
    world: World,
    name: str,
    rules: Rules,
    operators: tuple[str, ...],
    file: str,
    hashes: tuple[bytes, bytes],
) -> None:
    """Register a network with a model, and have its operators stake.

    Args:
        world: where.
        name: the network's.
        rules: its.
        operators: roles.
        file: the model's, by name.
        hashes: content and spec hash of the model.
    """
    owner, domain = world.senders["owner"].address, world.registry.domain
    network = network_id(domain.chain_id, domain.contract, owner, ZERO32, rules)
    world.send("owner", "registerNetwork", ZERO32, rules.abi(), ZERO32, name, "")
    model = model_id(network, owner, *hashes, ZERO32)
    named = file.partition(".")[0]
    world.send("owner", "registerModel", network, *hashes, ZERO32, named, file)
    for operator in operators:
        if not rules.permissionless:
            world.send("owner", "admit", network, world.senders[operator].address)
        if rules.stake_per_inference:
            world.send(operator, "deposit", ZERO_ADDRESS, ETHER, value=ETHER)
            world.send(operator, "stake", network, ETHER)
    world.stages[name] = Stage(name, rules, network, model, operators)
