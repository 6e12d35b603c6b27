"""The compiled registry in an in-process EVM, driven beside the model by random actions."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from eth_abi import decode

from tallystick.chain.abi import contract
from tallystick.chain.call import encode_call
from tallystick.chain.revert import ContractError
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.rules import Rules, model_id, network_id
from tallystick.protocol.totals import Totals
from tests.invariant import model as plain
from tests.invariant.committee_contract import KEYS as MEMBER_KEYS
from tests.invariant.committee_contract import MIN_STAKE, CommitteeContract
from tests.invariant.committee_model import CommitteeModel, Terms
from tests.invariant.compare import Comparison, Mismatch, lane_word
from tests.invariant.networks import AUDITED, COMMITTEE, DEEP, REGISTRY, UNBACKED, Assets, networks
from tests.invariant.teller import Teller
from tests.invariant.world import PLENTY, World
from tests.support import layout
from tests.support.builds import bytecode

CHAIN_ID = 1
ACCOUNTS = [bytes([16 + number]) * 20 for number in range(4)]
OWNER = bytes([99]) * 20
SLOTS = 3
MINT = 10**15
DEPOSIT = 20_000
STAKE = 1000
EXIT_DELAY = 60_000
DEEP_MINT = 2**132
DEEP_STAKE = 2**120


@dataclass(frozen=True)
class Planned:
    """An action that is ready to be made: by `each`, with others."""

    action: str
    plain_action: Callable[[], object]
    data: bytes
    then: Callable[[], object]


class Machine(Teller):
    """One run: everything deployed, and a source of random choices."""

    def __init__(self, choose: random.Random, edges: bool = False) -> None:
        """`edges`: counters begin near their fields' ends, and stakes may vanish: no chain would
        get there, and no event tells of it."""
        self.choose, self.edges = choose, edges
        self.world = World()
        self.raw: list[dict[str, Any]] = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.trace: list[tuple[int, str, tuple[Any, ...], str]] = []
        """Time, action, whoever and whatever, and how it ended."""
        self.batches: list[plain.Batch] = []
        self.recording: list[Planned] | None = None
        """Where actions go that `each` will make, while it collects them."""
        self.fixed: bytes | None = None
        """The sender of all of those."""
        for account in (*ACCOUNTS, OWNER):
            self.world.give(account, PLENTY)
        self.registry = self._deploy(contract("Tallystick").bytecode)
        self.assets = self._assets()
        self.resolver = self._deploy(_code("MockResolver"))
        self.refuser = self._deploy(_code("MockResolver"))
        """Takes no coins; attests and rules elsewhere."""
        super().__init__(Domain(CHAIN_ID, self.registry), choose)
        terms = Terms(2, 3, 2, EXIT_DELAY, MIN_STAKE, self.resolver)
        accounts = [ACCOUNTS[number % len(ACCOUNTS)] for number in range(len(MEMBER_KEYS))]
        self.committee = CommitteeContract(
            self.world, OWNER, self.registry, CHAIN_ID, terms, accounts
        )
        self.rules = self._rules()
        self.playing = list(range(len(self.rules)))
        """Networks that actions choose from: few, so that much happens in each."""
        self.model = plain.Model(self.rules, OWNER)
        self.committee_model = CommitteeModel(self.model, terms, accounts)
        self.model.fees[self.assets.fee] = 100
        self.model.refusing.add(self.assets.refusing)
        self.extra: Counter[bytes] = Counter()
        """By asset: what the registry has got without owing it to anybody."""
        self.ballast: dict[int, Totals] = {}
        """By network: what its counters began with."""
        self.vanished: Counter[tuple[int, bytes]] = Counter()
        """By lane: stake that was taken by no action."""
        self.stolen: Counter[bytes] = Counter()
        """The same by asset."""
        self.most_leaves = 6
        """Of a batch."""
        self.foldable = True
        """Whether events tell of every index that was used."""
        self.checks = Comparison(self)
        self._found()

    @property
    def now(self) -> int:
        return self.world.now

    def _assets(self) -> Assets:
        names = "MockToken", "FeeToken", "ReentrantToken", "BurnRefusingToken", "MockToken"
        return Assets(*(self._deploy(_code(name)) for name in names))

    def _rules(self) -> list[Rules]:
        """The rules of all networks there are, by number."""
        return networks(self.resolver, self.refuser, self.committee.address, self.assets)

    def _spec(self, network: int) -> bytes:
        """The specHash of a network's model."""
        return ZERO32

    def _chosen(self) -> list[int]:
        """The networks to play in."""
        return [
            *self.choose.sample([network for network in REGISTRY if network != UNBACKED], 2),
            UNBACKED if self.edges else self.choose.choice(REGISTRY),
            AUDITED,
            self.choose.choice([network for network in COMMITTEE if network != AUDITED]),
        ]

    def _found(self) -> None:
        for number, rules in enumerate(self.rules):
            network = network_id(CHAIN_ID, self.registry, OWNER, ZERO32, rules)
            spec = self._spec(number)
            self.call(OWNER, "registerNetwork", ZERO32, rules.abi(), ZERO32, "", "")
            self.call(OWNER, "registerModel", network, ZERO32, spec, ZERO32, "", "")
            self.networks.append(network)
            self.models.append(model_id(network, OWNER, ZERO32, spec, ZERO32))
        self.holds = {asset: Counter() for asset in self.assets.all()[1:]}
        for account in ACCOUNTS:
            for asset in self.assets.all():
                deep = asset == self.assets.deep
                if asset != ZERO_ADDRESS:
                    minted = DEEP_MINT if deep else MINT
                    self.token(account, asset, b"mint(address,uint256)", account, minted)
                    self.token(
                        account, asset, b"approve(address,uint256)", self.registry, 2**256 - 1
                    )
                    self.holds[asset][account] += minted
                self.deposit(account, asset, DEEP_MINT // 2 if deep else DEPOSIT)
        self.playing = self._chosen()
        for member, account in enumerate(self.committee_model.accounts):
            self.both(
                "stake of a member",
                partial(self.committee_model.stake, account, member, MIN_STAKE, MIN_STAKE),
                account,
                "stake",
                member,
                MIN_STAKE,
                value=MIN_STAKE,
                source="Committee",
            )
        for account in ACCOUNTS:
            for network in self.playing:
                self.admit(OWNER, network, account)
                self.stake(account, network, DEEP_STAKE if network == DEEP else STAKE)
        if self.edges:
            self._begin_near_the_ends()

    def _begin_near_the_ends(self) -> None:
        for network in self.playing:
            room = self.choose.randrange(3 * plain.MAX_COUNT)
            opened = 0
            if network == UNBACKED:
                opened = plain.MAX_OPEN - self.choose.randrange(plain.MAX_COUNT // 2)
                operator = self.choose.choice(ACCOUNTS[:2])
                self.model.lanes[network, operator].open = opened
                self.set_lane(network, operator)
            committed = plain.MAX_COMMITTED - room
            totals = Totals(committed=committed, unchallenged=committed - opened)
            self.model.totals[network] = self.ballast[network] = totals
            self._set(layout.counts_slot(self.networks[network]), layout.counts_word(totals))
        if self.choose.random() < 0.5:
            network, operator = self.choose.choice(self.playing), self.choose.choice(ACCOUNTS[:2])
            lane = self.model.lanes[network, operator]
            lane.next_index = plain.MAX_INDEX - self.choose.randrange(4)
            self.set_lane(network, operator)
            self.foldable = False

    # The EVM

    def _deploy(self, code: bytes) -> bytes:
        return self.world.deploy(OWNER, code)

    def set_lane(self, network: int, operator: bytes) -> None:
        """Let the registry's lane be the model's, which no transaction of the chain could."""
        lane = self.model.lanes[network, operator]
        self._set(layout.lane_slot(self.networks[network], operator), lane_word(lane))

    def _set(self, slot: int, word: int) -> None:
        self.world.set_word(self.registry, slot, word)

    def token(self, sender: bytes, asset: bytes, signature: bytes, account: bytes, n: int) -> None:
        """Call a token's function of an account and a number."""
        data = keccak256(signature)[:4] + bytes(12) + account + n.to_bytes(32, "big")
        self.world.send(sender, asset, data)

    def call(self, sender: bytes, name: str, *args: Any, value: int = 0) -> bytes:
        """Send a call of the registry and keep its logs; return its answer."""
        data = encode_call("Tallystick", self.registry, name, *args).data
        return self.send(sender, data, value)

    def send(self, sender: bytes, data: bytes, value: int = 0, to: bytes | None = None) -> bytes:
        """Send data to the registry, or elsewhere, and keep its logs; return the answer."""
        answer = self.world.send(sender, to or self.registry, data, value)
        for topics, logged in self.world.logs(self.registry):
            log = {
                "blockNumber": self.world.block,
                "logIndex": len(self.raw),
                "transactionHash": ZERO32,
                "address": checksummed(self.registry),
                "topics": topics,
                "data": logged,
                "time": self.now,
            }
            self.raw.append(log)
        return answer

    def read(self, name: str, *args: Any) -> Any:
        call = encode_call("Tallystick", self.registry, name, *args)
        return self.decoded(name, self.world.ask(self.registry, call.data))

    @staticmethod
    def decoded(name: str, answer: bytes) -> Any:
        """Return what a function of the registry answered."""
        return decode(contract("Tallystick").functions()[name].outputs, answer)[0]

    # One action in both worlds

    def both(
        self,
        action: str,
        plain_action: Callable[[], object],
        sender: bytes,
        name: str,
        *args: Any,
        value: int = 0,
        dirt: int = 0,
        then: Callable[[], object] = lambda: None,
        source: str = "Tallystick",
    ) -> bool:
        """Make an action in model and contract; both do it, or the contract names a model's reason.

        Args:
            action: what to call it.
            plain_action: the model's.
            sender: of the transaction.
            name: of the contract's function.
            args: its arguments.
            value: wei sent along.
            dirt: the word of the arguments, from one, that gets a bit beyond its field's width.
            then: to be done when it was done.
            source: the contract: Tallystick, Committee or another that the machine has.
        """
        to = self.address_of(source)
        data = encode_call(source, to, name, *args).data
        if dirt:
            data = _dirty(data, dirt)
        if self.recording is not None:
            self.recording.append(Planned(action, plain_action, data, then))
            return False
        return self.settle(
            action, (name, sender, args), plain_action, sender, data, value, then, to=to
        )

    def address_of(self, source: str) -> bytes:
        """Return where a contract is."""
        return self.registry if source == "Tallystick" else self.committee.address

    def attests(self, attestor: bytes, claim: plain.Claim, says: int) -> int:
        """Return what an attestor answers that is told to say so; one may have its own word."""
        return says

    def rules_on(self, arbiter: bytes, says: int) -> int:
        """Return what an arbiter answers that is told to say so; one may have its own word."""
        return says

    def plan(self, sender: bytes, make: Callable[[], object]) -> list[Planned]:
        """Return the actions that `make` would make, all of one sender, without making them."""
        self.recording, self.fixed = [], sender
        try:
            make()
            return self.recording
        finally:
            self.recording = self.fixed = None

    def settle(
        self,
        action: str,
        shown: tuple[Any, ...],
        plain_action: Callable[[], Any],
        sender: bytes,
        data: bytes,
        value: int = 0,
        then: Callable[[], object] = lambda: None,
        expect: Callable[[Any, bytes], None] | None = None,
        to: bytes | None = None,
    ) -> bool:
        """Make an action whose data is ready, of the registry unless it goes `to` another contract;
        `expect` looks at what model and contract answer."""
        reasons: set[str] = set()
        said = None
        try:
            said = plain_action()
        except plain.Refused as refused:
            reasons = refused.reasons
        try:
            answer = self.send(sender, data, value, to)
        except ContractError as error:
            self.trace.append((self.now, action, shown, error.name))
            if error.name not in reasons:
                raise Mismatch(
                    f"{action}: contract says {error}; model: {reasons or 'done'}"
                ) from error
            self.refused[action] += 1
            return False
        self.trace.append((self.now, action, shown, "done"))
        if reasons:
            raise Mismatch(f"{action}: contract did it; model: {reasons}")
        if expect:
            expect(said, answer)
        then()
        self.done[action] += 1
        return True

    def sender(self, otherwise: bytes) -> bytes:
        """Return who sends an action: the given one, unless `each` collects it for one sender."""
        return otherwise if self.fixed is None else self.fixed

    def someone(self) -> bytes:
        return self.sender(self.choose.choice(ACCOUNTS))

    def deposit(self, account: bytes, asset: bytes, amount: int) -> None:
        native = asset == ZERO_ADDRESS
        coins = amount if native and self.recording is None else 0
        holds = 0 if native else self.holds[asset][account]

        def paid() -> None:
            if not native:
                self.holds[asset][account] -= amount

        self.both(
            "deposit",
            lambda: self.model.deposit(account, asset, amount, holds, coins),
            account,
            "deposit",
            asset,
            amount,
            value=coins,
            then=paid,
        )

    def admit(self, account: bytes, network: int, operator: bytes) -> None:
        self.both(
            "admit",
            lambda: self.model.admit(account, network, operator),
            account,
            "admit",
            self.id_of(network),
            operator,
        )

    def stake(self, account: bytes, network: int, amount: int) -> None:
        self.both(
            "stake",
            lambda: self.model.stake(account, network, amount),
            account,
            "stake",
            self.id_of(network),
            amount,
        )


def _code(mock: str) -> bytes:
    return bytes.fromhex(bytecode(mock)[2:])


def _dirty(data: bytes, word: int) -> bytes:
    """Set the highest bit of a word of the arguments, from one."""
    at = 4 + 32 * (word - 1)
    return data[:at] + bytes([data[at] | 0x80]) + data[at + 1 :]
