"""Verifiers, a committee of them, and operators' batches of the digits model."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from tallystick.chain.localnet import MNEMONIC, advance, mine
from tallystick.chain.rpc.persistent import NodePersistent, persist
from tallystick.chain.signer import KeySigner
from tallystick.demo.digits.model import FILE, RUNNER, Digits, content_hash, load_samples, spec_hash
from tallystick.models.runner import OnnxModel
from tallystick.node.settings import Settings
from tallystick.node.verifier.assembly import assemble
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.batch import Batch
from tallystick.protocol.events import BatchCommitted, ModelRegistered
from tallystick.protocol.inference import Inference, hash_leaves
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree
from tallystick.storage.models.content import content_hash as model_hash
from tests.support.chain import Chain
from tests.support.committee import Committee
from tests.support.committee import found as found_committee
from tests.support.patience import PATIENCE
from tests.support.story import HOUR, Committed, Network, fund, keep, register

VERIFIERS = (5, 6, 7)
"""Their accounts; the member with place n of the committee is the n-th of them."""
OPERATOR, OTHER, GRIEFER = 2, 3, 8
DRAWN = 24
BOND = 10**16
RULES = {
    "stake_per_inference": 10**13,
    "challenge_bond": BOND,
    "demand_bond": BOND // 10,
    "max_bytes": 128,
    "challenge_window": 4 * HOUR,
    "response_window": HOUR,
    "ruling_window": 2 * HOUR,
}
STAKE = 10**18

Account.enable_unaudited_hdwallet_features()


def account(number: int) -> LocalAccount:
    signer: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}")
    return signer


class LiveChain(Chain):
    """Others send too: time goes as it goes."""

    def _tick(self) -> None:
        self._timed = False


@dataclass
class Stage:
    """A network on digits, which a committee audits, and which another one judges."""

    chain: Chain
    committee: Committee
    """Audits."""
    judges: Committee | None
    """Of the same members; None where another arbiter was named."""
    network: Network
    store: Path
    folder: Path
    samples: list[bytes] = field(default_factory=load_samples)
    model: Any = field(default_factory=Digits)
    """Runs what operators answer with; the digits unless serve was called."""
    source: dict[str, str] = field(default_factory=lambda: {"file": str(FILE), "runner": RUNNER})
    """Of the model, in verifiers' settings."""
    alter: Callable[[bytes], bytes] = lambda output: bytes([(output[0] + 1) % 10]) + output[1:]
    """Makes a wrong answer of a right one."""
    batches: int = 0

    def serve(self, file: Path, samples: Sequence[bytes], spec: str) -> None:
        """Have operators answer by an ONNX model, which the network gets besides.

        Args:
            spec: lines that compare its outputs.
        """
        text = f"tallystick ONNX-1\ncomparison tolerance\n{spec}"
        self.model, self.samples = OnnxModel(file), list(samples)
        self.source = {
            "file": str(file),
            "runner": "onnx",
            "spec": str(file.with_suffix(".txt")),
        }
        Path(self.source["spec"]).write_text(text)
        # What a cheat would answer: what the model gives to something else.
        self.alter = lambda output: next(
            other for other in self.model.infer(self.samples) if other[-16:] != output[-16:]
        )
        hashes = (model_hash(file), keccak256(text.encode()), ZERO32)
        owner = self.chain.accounts[1]
        mined = self.chain.send(
            owner, "registerModel", self.network.id, *hashes, file.stem, file.name
        )
        self.network.model_id = mined.event(ModelRegistered).model_id

    def commit(
        self,
        count: int,
        wrong: Sequence[int] = (),
        operator: int = OPERATOR,
        kept: bool = True,
        claimed: int | None = None,
        shape: Callable[[list[Inference]], list[Inference]] = lambda leaves: leaves,
    ) -> Committed:
        """Commit the next samples' answers, some of them wrong; keep the data in the store.

        Args:
            claimed: leaves that the batch is said to have.
        """
        start = 61 * self.batches % 1000
        inputs = [self.samples[(start + number) % len(self.samples)] for number in range(count)]
        outputs = self.model.infer(inputs)
        for index in wrong:
            outputs[index] = self.alter(outputs[index])

        leaves = [
            replace(leaf, input_hash=keccak256(data), output_hash=keccak256(output))
            for leaf, data, output in zip(self.blank(count, operator), inputs, outputs, strict=True)
        ]
        return self.commit_leaves(shape(leaves), inputs, outputs, kept, claimed)

    def blank(self, count: int, operator: int = OPERATOR) -> list[Inference]:
        """Leaves of an operator's next batch, whose bytes are still to come."""
        account = self.chain.accounts[operator]
        index = self.network.lane(account).next_index
        deadline = self.chain.now + self.network.rules.challenge_window // 4
        return self.network.inferences(account, count, index, deadline)

    def commit_leaves(
        self,
        leaves: list[Inference],
        inputs: list[bytes],
        outputs: list[bytes],
        kept: bool = True,
        claimed: int | None = None,
    ) -> Committed:
        """Commit leaves as their operator's next batch; see commit."""
        account, chain = leaves[0].operator, self.chain
        index = self.network.lane(account).next_index
        slot, self.batches = self.batches, self.batches + 1
        arguments = self.network.commitment(leaves, index, slot, count=claimed or len(leaves))
        mined = chain.send(account, "commit", arguments)
        event = mined.event(BatchCommitted)
        batch = Batch(
            self.network.id,
            account,
            index,
            event.model_id,
            event.root,
            event.stamp.count,
            event.commit_deadline,
        )
        tree = Tree.from_leaves(hash_leaves(leaves))
        done = Committed(chain, batch, event.stamp, leaves, tree, mined, inputs, outputs)
        if kept:
            keep(self.store, done)
        return done

    @property
    def spec_hash(self) -> bytes:
        return spec_hash()

    def seeded(self) -> None:
        """Have the blocks mined that the draws of all batches so far hang on."""
        mine(self.chain.w3, 3)

    def later(self, seconds: int) -> None:
        advance(self.chain.w3, seconds)

    def settings(self, name: str, **changes: Any) -> dict[str, Any]:
        """A verifier's settings, as its file has them; changes of its section by name."""
        common = {
            "rpc": self.chain.w3.provider.endpoint_uri,  # type: ignore[attr-defined]
            "registry": "0x" + self.chain.registry.address.hex(),
            "first_block": 0,
            "data": str(self.folder / name),
            "poll_every": 0.3,
        }
        verifier = {
            "stores": [str(self.store)],
            "models": [{"id": "0x" + self.network.model_id.hex(), **self.source}],
            "committees": [
                "0x" + committee.address.hex()
                for committee in (self.committee, self.judges)
                if committee
            ],
            "share_folder": str(self.folder / "shared"),
            "missing_after": 0.0,
            "look_every": 0.0001,
            "turn_every": 0.001,
            "fetch_timeout": 30.0,
            "fetch_max_size": 1 << 20,
            "demands_per_batch": 1,
        } | changes
        return {"common": common, "verifier": verifier}

    def verifier(
        self, number: int = VERIFIERS[0], name: str = "", rpc: str = "", **changes: Any
    ) -> Verifier:
        """A verifier in this process, at another URL of the chain where one is named."""
        values = self.settings(name or f"verifier {number}", **changes)
        values["common"] |= {"rpc": rpc} if rpc else {}
        settings = Settings(**values)
        w3 = persist(Web3(HTTPProvider(settings.common.rpc)), NodePersistent)
        return assemble(settings, w3, KeySigner(account(number)))

    def record(self, batch: Committed) -> Any:
        """What the chain says of a batch."""
        return self.chain.ledger().batches[batch.id]

    def sent(self, number: int) -> int:
        """How many transactions a verifier has sent; a busy machine may not have mined them yet."""
        return self.chain.w3.eth.get_transaction_count(account(number).address, "pending")


def stage(
    chain: Chain,
    folder: Path,
    threshold: int = 2,
    arbiter: bytes | None = None,
    prover: bytes = ZERO_ADDRESS,
    **rules: Any,
) -> Stage:
    """Found two committees of three verifiers, and a network that one audits and the other judges
    unless another arbiter is named; `prover` attests Proven, `rules` are changed ones of the
    network."""
    keys = [chain.accounts[number] for number in VERIFIERS]
    judges = None
    if arbiter is None:
        judges = found_committee(chain, threshold, 3, keys)
        arbiter = judges.address
    committee = found_committee(chain, threshold, 3, keys, min_drawn=DRAWN, arbiter=arbiter)
    attestors = (committee.address, ZERO_ADDRESS, prover)
    network = register(
        chain, chain.accounts[1], arbiter=arbiter, attestors=attestors, **RULES | rules
    )
    hashes = (content_hash(), spec_hash(), ZERO32)
    mined = chain.send(
        chain.accounts[1], "registerModel", network.id, *hashes, "digits", "digits.onnx"
    )
    network.model_id = mined.event(ModelRegistered).model_id
    for number in (OPERATOR, OTHER):
        network.join(chain.accounts[number], STAKE)
    for number in (*VERIFIERS, GRIEFER):
        fund(chain, ZERO_ADDRESS, chain.accounts[number], 10 * BOND)
    return Stage(chain, committee, judges, network, folder / "batches", folder)


def reveal(staged: Stage, batch: Committed) -> None:
    """Answer the demand for a leaf, with what was committed."""
    record = staged.record(batch)
    index = record.dispute.leaf_index
    answer = batch.opening(index), b"", batch.inputs[index], batch.outputs[index]
    staged.chain.send(batch.batch.operator, "reveal", record.pre_image.abi(), *answer)


def rounds(*verifiers: Verifier, count: int = 4) -> None:
    for _ in range(count):
        for verifier in verifiers:
            verifier.tick()
            mined(verifier)


def mined(verifier: Verifier) -> None:
    """Wait for what is on its way: a busy machine may mine after it has answered."""
    deadline = time.monotonic() + PATIENCE
    while verifier.journal.pending() and time.monotonic() < deadline:
        verifier.outbox.settle()
