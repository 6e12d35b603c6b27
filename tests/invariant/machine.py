"""The compiled core in an in-process EVM, driven beside the model by random moves."""

import random
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pyrevm
from eth_abi import decode

from tallystick.batch import NO_DISPUTE, Batch, Dispute, PreImage, Stamp
from tallystick.chain.abi import contract
from tallystick.chain.call import encode_call
from tallystick.chain.logs import decode_log
from tallystick.chain.revert import ContractError, decode_revert
from tallystick.eip712 import Domain
from tallystick.enums import DisputeKind, State
from tallystick.hexes import checksummed, from_hex
from tallystick.inference import hash_leaves
from tallystick.keccak import keccak256
from tallystick.ledger import Ledger
from tallystick.network import Rules, model_id, network_id
from tallystick.opening import Opening
from tallystick.signature import account_of
from tallystick.tree import Tree
from tallystick.words import ZERO32, ZERO_ADDRESS
from tests.invariant import model as plain
from tests.support.builds import bytecode

GENESIS = 1_800_000_000
CHAIN_ID = 1
KEYS = [bytes([5]) * 31 + bytes([number]) for number in (1, 2)]
REQUESTERS = {account_of(key): key for key in KEYS}
ACCOUNTS = [bytes([16 + number]) * 20 for number in range(4)]
OWNER = bytes([99]) * 20
SLOTS = 3
MINT = 10**15


class Mismatch(AssertionError):
    """Contract and model disagree."""


class Machine:
    """One run: everything deployed, and a source of random choices."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.evm = pyrevm.EVM(spec_id="Cancun", gas_limit=10**9)
        self.now, self.block = GENESIS, 1
        self.events: list[Any] = []
        self.raw: list[dict[str, Any]] = []
        self.logs = 0
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.batches: list[plain.Batch] = []
        self._block()
        for account in (*ACCOUNTS, OWNER):
            self.evm.set_balance(checksummed(account), 10**30)
        self.core = self._deploy(contract("Tallystick").bytecode)
        self.token = self._deploy(bytes.fromhex(bytecode("MockToken")[2:]))
        resolver = self._deploy(bytes.fromhex(bytecode("MockResolver")[2:]))
        self.domain = Domain(CHAIN_ID, self.core)
        self.rules = self._rules(resolver)
        self.model = plain.Model(self.rules, OWNER)
        self.networks: list[bytes] = []
        self.models: list[bytes] = []
        self._found()

    def _rules(self, resolver: bytes) -> list[Rules]:
        judged = Rules(
            attestors=(resolver, resolver, resolver),
            arbiter=resolver,
            stake_per_inference=11,
            challenge_bond=3,
            demand_bond=7,
            max_bytes=40,
            challenge_window=8000,
            response_window=2000,
            ruling_window=3000,
            permissionless=True,
        )
        token = replace(
            judged,
            asset=self.token,
            permissionless=False,
            challenge_bond=101,
            max_bytes=0,
            attestors=(resolver, ZERO_ADDRESS, resolver),
        )
        unjudged = replace(
            judged,
            arbiter=ZERO_ADDRESS,
            attestors=(ZERO_ADDRESS, resolver, ZERO_ADDRESS),
            challenge_bond=5,
            solicited=True,
        )
        unbacked = replace(token, stake_per_inference=0, demand_bond=0, permissionless=True)
        return [judged, token, unjudged, unbacked]

    def _found(self) -> None:
        for rules in self.rules:
            network = network_id(CHAIN_ID, self.core, OWNER, ZERO32, rules)
            self.call(OWNER, "registerNetwork", ZERO32, rules.abi(), ZERO32, "", "")
            self.call(OWNER, "registerModel", network, ZERO32, ZERO32, ZERO32, "", "")
            self.networks.append(network)
            self.models.append(model_id(network, OWNER, ZERO32, ZERO32, ZERO32))
        for account in ACCOUNTS:
            for signature, *words in (
                (b"mint(address,uint256)", account, MINT),
                (b"approve(address,uint256)", self.core, MINT),
            ):
                data = keccak256(signature)[:4] + bytes(12) + words[0] + words[1].to_bytes(32)
                self._send(account, self.token, data, 0)
            for asset in (ZERO_ADDRESS, self.token):
                self.deposit(account, asset, 3000)
            for network in range(len(self.rules)):
                self.admit(OWNER, network, account)
                self.stake(account, network, 200)

    # The EVM

    def _block(self) -> None:
        self.evm.set_block_env(
            pyrevm.BlockEnv(number=self.block, timestamp=self.now, gas_limit=10**9)
        )

    def _deploy(self, code: bytes) -> bytes:
        return from_hex(self.evm.deploy(checksummed(OWNER), code), 20)

    def _send(self, sender: bytes, to: bytes, data: bytes, value: int) -> bytes:
        self.evm.reset_transient_storage()
        snapshot = self.evm.snapshot()
        try:
            answer = self.evm.message_call(
                checksummed(sender), checksummed(to), calldata=data, value=value, gas=10**8
            )
        except RuntimeError as error:
            self.evm.revert(snapshot)
            output = re.search("output: (0x[0-9a-f]*)", str(error))
            raise decode_revert(bytes.fromhex(output[1][2:]) if output else b"") from error
        return bytes(answer)

    def call(self, sender: bytes, name: str, *args: Any, value: int = 0) -> None:
        """Send a call of the core and keep its events."""
        call = encode_call("Tallystick", self.core, name, *args)
        self._send(sender, self.core, call.data, value)
        for log in self.evm.result.logs:
            if from_hex(log.address, 20) != self.core:
                continue
            topics = [from_hex(topic, 32) for topic in log.topics]
            data = log.data[1] if isinstance(log.data, tuple) else log.data
            raw = {
                "blockNumber": self.block,
                "logIndex": self.logs,
                "transactionHash": ZERO32,
                "address": checksummed(self.core),
                "topics": topics,
                "data": bytes(data),
            }
            self.events.append(decode_log(raw))
            self.raw.append({**raw, "time": self.now})
            self.logs += 1

    def read(self, name: str, *args: Any) -> Any:
        function = contract("Tallystick").functions()[name]
        call = encode_call("Tallystick", self.core, name, *args)
        answer = self.evm.message_call(
            checksummed(OWNER), checksummed(self.core), calldata=call.data, is_static=True
        )
        return decode(function.outputs, bytes(answer))[0]

    # One move in both worlds

    def both(self, move: str, plain_move: Any, send: Any) -> bool:
        """Make a move in model and contract; both do it, or the contract names a model's reason."""
        reasons: set[str] = set()
        try:
            plain_move()
        except plain.Refused as refused:
            reasons = refused.reasons
        try:
            send()
        except ContractError as error:
            if error.name not in reasons:
                raise Mismatch(
                    f"{move}: contract says {error}; model: {reasons or 'done'}"
                ) from error
            self.refused[move] += 1
            return False
        if reasons:
            raise Mismatch(f"{move}: contract did it; model: {reasons}")
        self.done[move] += 1
        return True

    def deposit(self, account: bytes, asset: bytes, amount: int) -> None:
        self.both(
            "deposit",
            lambda: self.model.deposit(account, asset, amount),
            lambda: self.call(
                account, "deposit", asset, amount, value=0 if asset == self.token else amount
            ),
        )

    def admit(self, account: bytes, network: int, operator: bytes) -> None:
        self.both(
            "admit",
            lambda: self.model.admit(account, network, operator),
            lambda: self.call(account, "admit", self.networks[network], operator),
        )

    def stake(self, account: bytes, network: int, amount: int) -> None:
        self.both(
            "stake",
            lambda: self.model.stake(account, network, amount),
            lambda: self.call(account, "stake", self.networks[network], amount),
        )

    # What the contract is told of a batch

    def batch_of(self, batch: plain.Batch) -> Batch:
        return Batch(
            self.networks[batch.network],
            batch.operator,
            batch.index,
            self.models[batch.network],
            self.tree(batch).root,
            batch.count,
            batch.commit_deadline,
        )

    def tree(self, batch: plain.Batch) -> Tree:
        return Tree.from_leaves(hash_leaves(batch.leaves))

    def stamp(self, batch: plain.Batch) -> Stamp:
        closes_at = batch.closes_at
        return Stamp(batch.slot, batch.count, batch.committed_at, batch.block, closes_at)

    def dispute(self, batch: plain.Batch) -> Dispute:
        if batch.state is not State.DISPUTED:
            return NO_DISPUTE
        challenged = batch.kind is DisputeKind.CHALLENGE
        leaf = batch.leaves[batch.place].leaf() if challenged else ZERO32
        return Dispute(batch.kind, batch.with_bytes, batch.party, batch.place, batch.due, leaf)

    def pre_image(self, batch: plain.Batch) -> PreImage:
        return PreImage(self.batch_of(batch), self.stamp(batch), self.dispute(batch))

    def opening(self, batch: plain.Batch, place: int) -> Any:
        return Opening(batch.leaves[place], place, self.tree(batch).proof(place)).abi()

    # Comparison

    def compare(self) -> None:
        """Counters, lanes, credits, words and balances, and the design's two invariants."""
        model, held = self.model, {ZERO_ADDRESS: 0, self.token: 0}
        for (asset, account), credit in model.credits.items():
            self._same("credit", self.read("creditOf", asset, account), credit)
            held[asset] += credit
        opened = [0] * len(self.rules)
        for (network, operator), lane in model.lanes.items():
            found = self.read("laneOf", self.networks[network], operator)
            expected = (lane.stake, lane.open, lane.next_index, lane.admitted, lane.closed)
            self._same("lane", tuple(found), expected)
            held[self.rules[network].asset] += lane.stake
            opened[network] += lane.open
            for slot, batch in lane.slots.items():
                pre_image = self.pre_image(batch)
                word = self.read("wordOf", self.networks[network], operator, slot)
                graded = batch.state is not State.REJECTED
                self._same(
                    "word",
                    word,
                    pre_image.word(batch.state, batch.grade, batch.lapsed)
                    if graded
                    else pre_image.word(State.REJECTED),
                )
                bonds = {DisputeKind.CHALLENGE: "challenge_bond", DisputeKind.DEMAND: "demand_bond"}
                if batch.state is State.DISPUTED:
                    held[self.rules[network].asset] += getattr(
                        self.rules[network], bonds[batch.kind]
                    )
        for network, totals in enumerate(model.totals):
            found = self.read("totals", self.networks[network])
            counters = [getattr(totals, name) for name in totals.__dataclass_fields__]
            self._same("totals", list(found), counters)
            self._same("open inferences", opened[network], totals.open)
            held[self.rules[network].asset] += totals.burned - model.swept[network]
        self._same("coins", self.evm.get_balance(checksummed(self.core)), held[ZERO_ADDRESS])
        for asset, amount in held.items():
            self._same("conservation", model.put_in[asset] - model.taken_out[asset], amount)

    def compare_events(self) -> None:
        """What the events fold to is what contract and model say."""
        ledger = Ledger.of(self.events)
        for network, totals in enumerate(self.model.totals):
            self._same("totals of events", ledger.totals[self.networks[network]], totals)
        for key, credit in self.model.credits.items():
            self._same("credit of events", ledger.credits[key], credit)
        for (network, operator), lane in self.model.lanes.items():
            folded = ledger.lanes[self.networks[network], operator]
            self._same("stake of events", folded.stake, lane.stake)
            for slot in lane.slots:
                word = self.read("wordOf", self.networks[network], operator, slot)
                record = ledger.batches[folded.slots[slot]]
                self._same("word of events", record.word, word)
        for batch in self.batches:
            status = self.read("archived", self.batch_of(batch).id())
            expected = batch.state if batch.archived else State.UNKNOWN
            self._same("archive", State(status[0]), expected)

    @staticmethod
    def _same(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise Mismatch(f"{what}: contract has {found}, model {expected}")
