"""Networks, lanes and batches for tests, in as few words as can be."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.batch import NO_DISPUTE, Batch, Dispute, PreImage, Stamp
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.events import (
    BatchChallenged,
    BatchCommitted,
    BatchDemanded,
    ModelRegistered,
    NetworkRegistered,
)
from tallystick.protocol.inference import Inference, hash_leaves
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.merkle import Tree
from tallystick.protocol.opening import Opening
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.rules import Rules
from tallystick.protocol.signature import account_of
from tallystick.protocol.totals import Totals
from tallystick.storage.batch_store import BatchStore
from tests.support.chain import Chain, Mined

HOUR = 3600
STAKE = 1_000_000
CREDIT = 10_000_000

RULES = Rules(
    stake_per_inference=11,
    challenge_bond=101,
    demand_bond=33,
    challenge_window=4 * HOUR,
    response_window=HOUR,
    ruling_window=2 * HOUR,
    permissionless=True,
)

REQUESTER_KEYS = [bytes([7]) * 31 + bytes([number]) for number in range(1, 5)]
REQUESTERS = sorted(account_of(key) for key in REQUESTER_KEYS)
KEY_OF = {account_of(key): key for key in REQUESTER_KEYS}


@dataclass
class Committed:
    """A batch in a slot, with what its operator knows of it."""

    chain: Chain
    batch: Batch
    stamp: Stamp
    inferences: list[Inference]
    tree: Tree
    mined: Mined
    inputs: list[bytes] = field(default_factory=list)
    outputs: list[bytes] = field(default_factory=list)

    @property
    def id(self) -> bytes:
        return self.batch.id()

    @property
    def ref(self) -> tuple[bytes, bytes]:
        return self.id, self.stamp.pack()

    @property
    def closes_at(self) -> int:
        return self.stamp.closes_at

    def pre_image(self, dispute: Dispute = NO_DISPUTE, stamp: Stamp | None = None) -> Any:
        return PreImage(self.batch, stamp or self.stamp, dispute).abi()

    def opening(self, index: int) -> Any:
        return Opening(self.inferences[index], index, self.tree.proof(index)).abi()

    def signature(self, index: int) -> bytes:
        inference = self.inferences[index]
        if not inference.solicited:
            return b""
        key = KEY_OF[inference.requester]
        return inference.request().sign(self.chain.registry.domain, key)

    def challenge(self, challenger: bytes, index: int) -> tuple[Dispute, Mined]:
        """Challenge a leaf."""
        mined = self.chain.send(
            challenger, "challenge", self.batch.abi(), self.stamp.pack(), self.opening(index)
        )
        asked = mined.event(BatchChallenged)
        dispute = Dispute(DisputeKind.CHALLENGE, False, challenger, index, asked.due, asked.leaf)
        return dispute, mined

    def demand(self, demander: bytes, index: int = 0) -> Dispute:
        """Demand a leaf, without its bytes."""
        due = (
            self.chain.send(demander, "demand", self.batch.abi(), self.stamp.pack(), index, False)
            .event(BatchDemanded)
            .due
        )
        return Dispute(DisputeKind.DEMAND, False, demander, index, due, ZERO32)

    def word(self) -> bytes:
        return self.chain.registry.word(self.batch.network_id, self.batch.operator, self.stamp.slot)

    def status(self) -> Any:
        return self.chain.registry.status(
            self.batch.network_id, self.batch.operator, self.id, self.stamp
        )


@dataclass
class Network:
    """A network with one model, and lanes that are funded when first used."""

    chain: Chain
    owner: bytes
    rules: Rules
    id: bytes
    model_id: bytes

    def totals(self) -> Totals:
        return self.chain.registry.totals(self.id)

    def lane(self, operator: bytes) -> Any:
        return self.chain.registry.lane(self.id, operator)

    def credit(self, account: bytes) -> int:
        return self.chain.registry.credit(self.rules.asset, account)

    def fund(self, account: bytes, amount: int = CREDIT) -> None:
        """Credit an account, minting first where the asset is a token."""
        fund(self.chain, self.rules.asset, account, amount)

    def join(self, operator: bytes, stake: int = STAKE) -> None:
        """Fund an operator and stake."""
        self.fund(operator, CREDIT + stake)
        self.chain.send(operator, "stake", self.id, stake)
        if not self.rules.permissionless:
            self.chain.send(self.owner, "admit", self.id, operator)

    def inferences(
        self, operator: bytes, count: int, index: int, deadline: int, solicited: bool = False
    ) -> list[Inference]:
        """Good leaves: unsolicited, or of the first requester."""
        requester = REQUESTERS[0] if solicited else ZERO_ADDRESS
        first = index << 20
        return [
            Inference(
                self.model_id,
                operator,
                requester,
                first | number,
                deadline,
                keccak256(b"in %d" % number),
                keccak256(b"out %d" % number),
            )
            for number in range(count)
        ]

    def commitment(
        self, inferences: list[Inference], index: int, slot: int = 0, **changes: Any
    ) -> tuple[Any, ...]:
        """Arguments of commit; changes by name."""
        root = Tree.from_leaves(hash_leaves(inferences)).root
        fields = {
            "network_id": self.id,
            "model_id": self.model_id,
            "root": root,
            "index": index,
            "slot": slot,
            "count": len(inferences),
            "commitDeadline": min(inference.deadline for inference in inferences),
            "replaced_id": ZERO32,
            "replaced_stamp": ZERO32,
        } | changes
        return tuple(fields.values())

    def commit(
        self,
        operator: bytes,
        count: int = 5,
        slot: int = 0,
        solicited: bool = False,
        over: Committed | None = None,
        shape: Callable[[list[Inference]], list[Inference]] = lambda leaves: leaves,
        **changes: Any,
    ) -> Committed:
        """Commit a batch; `shape` changes its leaves, `over` is a finalizable batch to replace."""
        index = self.lane(operator).next_index
        deadline = self.chain.now + self.rules.challenge_window // 4
        leaves = shape(self.inferences(operator, count, index, deadline, solicited))
        if over is not None:
            changes |= {"replaced_id": over.id, "replaced_stamp": over.stamp.pack()}
        arguments = self.commitment(leaves, index, slot, **changes)
        mined = self.chain.send(operator, "commit", arguments)
        event = mined.event(BatchCommitted)
        batch = Batch(
            self.id,
            operator,
            index,
            event.model_id,
            event.root,
            event.stamp.count,
            event.commit_deadline,
        )
        inputs = [b"in %d" % number for number in range(count)]
        outputs = [b"out %d" % number for number in range(count)]
        tree = Tree.from_leaves(hash_leaves(leaves))
        return Committed(self.chain, batch, event.stamp, leaves, tree, mined, inputs, outputs)

    def final(self, operator: bytes, slot: int = 0, count: int = 5) -> Committed:
        """Commit and finalize a batch."""
        committed = self.commit(operator, count, slot)
        self.chain.at(committed.closes_at)
        self.chain.send(operator, "finalize", [committed.ref], self.id, operator)
        return committed


def fund(chain: Chain, asset: bytes, account: bytes, amount: int) -> None:
    """Credit an account in the registry, minting first where the asset is a token."""
    if asset == ZERO_ADDRESS:
        chain.send(account, "deposit", asset, amount, value=amount)
        return
    from web3 import Web3

    from tests.support.builds import abi

    token = chain.w3.eth.contract(Web3.to_checksum_address(asset), abi=abi("MockToken"))
    address = Web3.to_checksum_address(chain.registry.address)
    chain.transact(account, token.functions.mint(Web3.to_checksum_address(account), amount))
    chain.transact(account, token.functions.approve(address, amount))
    chain.send(account, "deposit", asset, amount)


def register(
    chain: Chain, owner: bytes, rules: Rules = RULES, salt: int = 0, **changes: Any
) -> Network:
    """Register a network with a model; `changes` are fields of the rules."""
    rules = replace(rules, **changes)
    mined = chain.send(
        owner, "registerNetwork", salt.to_bytes(32, "big"), rules.abi(), ZERO32, "name", "uri"
    )
    network_id = mined.event(NetworkRegistered).network_id
    mined = chain.send(
        owner, "registerModel", network_id, b"c" * 32, b"s" * 32, ZERO32, "model", "uri"
    )
    return Network(chain, owner, rules, network_id, mined.event(ModelRegistered).model_id)


def keep(folder: Path, batch: Committed) -> None:
    """Put a batch's data into a store."""
    records = [
        InferenceRecord(
            one.input_hash,
            one.output_hash,
            one.requester,
            one.nonce,
            one.deadline,
            one.trace_root,
            signature=batch.signature(index),
            input=data,
            output=output,
        )
        for index, (one, data, output) in enumerate(
            zip(batch.inferences, batch.inputs, batch.outputs, strict=True)
        )
    ]
    store = BatchStore(str(folder))
    assert store.put(batch.batch.model_id, batch.batch.operator, records) == batch.tree.root


def kept(chain: Chain, record: BatchState, folder: Path) -> Committed:
    """Return a batch of the chain's with the data that a store has of it."""
    batch = record.batch
    records = BatchStore(str(folder)).get(batch.root, batch.model_id, batch.operator)
    leaves = [one.inference(batch.model_id, batch.operator) for one in records]
    mined = Mined(0, record.stamp.committed_at, record.stamp.committed_block, [])
    tree = Tree.from_leaves(hash_leaves(leaves))
    inputs, outputs = [one.input or b"" for one in records], [one.output or b"" for one in records]
    return Committed(chain, batch, record.stamp, leaves, tree, mined, inputs, outputs)


def conserved(chain: Chain, *networks: Network, forced: int = 0) -> None:
    """The registry holds what it owes in each network's asset, by its events and by its views."""
    ledger = chain.ledger()
    for asset in {network.rules.asset for network in networks}:
        assert chain.balance(asset, chain.registry.address) == ledger.held(asset) + forced
    for (asset, account), credit in ledger.credits.items():
        assert chain.registry.credit(asset, account) == credit
    for (network_id, operator), lane in ledger.lanes.items():
        found = chain.registry.lane(network_id, operator)
        assert (found.stake, found.open_inferences) == (lane.stake, lane.open_inferences)
        for slot, batch_id in lane.slots.items():
            assert chain.registry.word(network_id, operator, slot) == ledger.batches[batch_id].word
    for network_id in ledger.networks:
        assert chain.registry.totals(network_id) == ledger.totals[network_id]
