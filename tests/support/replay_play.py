"""Whole games on a chain: a network whose arbiter is a ReplayGame, and both sides' moves."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from eth_abi import encode

from tallystick.chain.call import encode_call
from tallystick.chain.view import read_view
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import Cause
from tallystick.protocol.events import BatchRejected, ChallengeUpheld, ModelRegistered
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.replay.element import Element
from tallystick.replay.game import GAME_SPEC_ID, INPUT, NONE, GameTrace, game_content_hash
from tallystick.replay.model import Model
from tests.support.chain import Chain, Mined
from tests.support.plain_qi8 import (
    CONCAT,
    LOOKUP,
    RECALL,
    SUM,
    Net,
    apply,
    conv,
    dense,
    join,
    joined,
)
from tests.support.replay import random_net
from tests.support.replay_game import model_of
from tests.support.story import (
    CREDIT,
    HOUR,
    RULES,
    Committed,
    Network,
    conserved,
    fund,
    register,
)

WINDOW = HOUR
RULING = 5 * HOUR
DISPROOF = "(bytes32,(address,bytes32,(bytes,bytes32)),bytes)"
NET = random_net(
    [
        joined(LOOKUP, (8, 8, 40), 0),
        replace(conv((8, 8, 40), 20, 1), zw=128, zy=90),
        joined(RECALL, (8, 8, 40), 1),
        joined(CONCAT, (8, 8, 40), 2, 20),
        replace(conv((8, 8, 60), 20, 1), zw=128, zy=90),
        joined(SUM, (8, 8, 20), 2, za=9, zw=8, zy=7, hi=255),
        dense(1280, 10, zw=128, zy=128),
    ],
    seed=4,
)
"""Tensors of one chunk to four, every way to name an earlier one."""
MODEL = model_of(NET)
DATA = np.random.default_rng(8).bytes(NET.in_size)


def tensors_of(net: Net, data: bytes, lies: dict[int, int] | None = None) -> list[bytes]:
    """Return all tensors of an inference; in tensor `number` the byte at `lies[number]` is wrong.

    What follows is computed from the wrong byte.
    """
    tensors: list[bytes] = []
    for number in range(len(net.layers) + 1):
        tensor = made(net, number, tensors) if number else data
        if number in (lies or {}):
            wrong = bytearray(tensor)
            wrong[lies[number]] ^= 0x15
            tensor = bytes(wrong)
        tensors.append(tensor)
    return tensors


def made(net: Net, number: int, tensors: list[bytes]) -> bytes:
    """Return what the step before a tensor makes of those before it, by plain loops."""
    layer = net.layers[number - 1]
    if layer.record.kind in (SUM, CONCAT, RECALL):
        return join(layer, tensors[number - 1], tensors[layer.record.groups])
    return apply(layer, tensors[number - 1])


def trace(lies: dict[int, int] | None = None, data: bytes = DATA) -> GameTrace:
    """Return a trace of the net, with lies."""
    return GameTrace.of_tensors(MODEL, tensors_of(NET, data, lies))


@dataclass
class Table:
    """A network with a game and its model."""

    chain: Chain
    network: Network
    game: bytes
    data: bytes = DATA

    def commit(
        self, operator: bytes, own: GameTrace, count: int = 1, slot: int = 0, **changes: Any
    ) -> Committed:
        """Commit a batch of equal leaves with what a trace says, and changes of it."""

        def shape(leaves: list[Inference]) -> list[Inference]:
            hashes = {
                "input_hash": keccak256(self.data),
                "output_hash": keccak256(own.trees[-1].data),
                "trace_root": own.trace_root,
            }
            return [replace(leaf, **(hashes | changes)) for leaf in leaves]

        done = self.network.commit(operator, count, slot, shape=shape)
        done.inputs, done.outputs = [self.data] * count, [own.trees[-1].data] * count
        return done

    def model(self, own: GameTrace, **changes: Any) -> tuple[Any, ...]:
        """Return what opens the model; changes by name."""
        fields = {
            "registrant": "0x" + self.network.owner.hex(),
            "parent": ZERO32,
            "program": own.program(),
        } | changes
        return tuple(fields.values())

    def disproof(self, own: GameTrace, data: bytes = b"", **changes: Any) -> bytes:
        """Return evidence that needs no game."""
        return encode([DISPROOF], [(self.network.id, self.model(own, **changes), data)])

    def standing(self, batch: Committed) -> "Match":
        """Return the challenge of a batch that somebody else made."""
        dispute = self.chain.ledger().batches[batch.id].dispute
        assert dispute is not None
        return Match(self, batch, dispute, dispute.due - self.network.rules.ruling_window)

    def challenge(self, batch: Committed, challenger: bytes, index: int = 0) -> "Match":
        """Challenge a leaf."""
        dispute, mined = batch.challenge(challenger, index)
        return Match(self, batch, dispute, mined.timestamp)


@dataclass
class Match:
    """A challenge, and the moves of its game."""

    table: Table
    batch: Committed
    dispute: Dispute
    since: int
    """When the challenge was made."""

    @property
    def pre_image(self) -> Any:
        return self.batch.pre_image(self.dispute)

    @property
    def leaf(self) -> Any:
        return self.batch.opening(self.dispute.leaf_index)[0]

    @property
    def case_id(self) -> bytes:
        kind = "(uint8,bool,address,uint32,uint40,bytes32)"
        return keccak256(encode(["bytes32", kind], [self.batch.id, self.pre_image[2]]))

    @property
    def state(self) -> Any:
        """The contract's Game, by name."""
        names = ("phase", "due", "window", "tensor", "size", "chunk", "program", "hash")
        chain = self.table.chain
        game = read_view(chain.w3, "ReplayGame", self.table.game, "gameOf", self.case_id)
        return dict(zip(names, game, strict=True))

    def move(self, sender: bytes, name: str, *args: Any) -> Mined:
        call = encode_call("ReplayGame", self.table.game, name, *args)
        return self.table.chain.send_call(sender, call)

    def open(self, own: GameTrace, sender: bytes | None = None, **changes: Any) -> Mined:
        arguments = {
            "pre_image": self.pre_image,
            "leaf": self.leaf,
            "model": self.table.model(own),
            "roots": own.roots,
        } | changes
        return self.move(sender or self.dispute.party, "open", *arguments.values())

    def answer(self, own: GameTrace, against: GameTrace, /, **changes: Any) -> Mined:
        roots, hashes = own.answer(against.roots)
        arguments = {
            "pre_image": self.pre_image,
            "leaf": self.leaf,
            "program": own.program(),
            "theirs": against.roots,
            "roots": roots,
            "hashes": hashes,
        } | changes
        return self.move(self.batch.batch.operator, "answer", *arguments.values())

    def choose(self, chunk: int, nodes: tuple[bytes, ...], sender: bytes | None = None) -> Mined:
        return self.move(sender or self.dispute.party, "choose", self.pre_image, chunk, list(nodes))

    def show(self, data: bytes) -> Mined:
        return self.move(self.batch.batch.operator, "show", self.pre_image, data)

    def prove(
        self,
        own: GameTrace,
        roots: bytes,
        shown: bytes,
        offset: int,
        element: Element,
        /,
        **changes: Any,
    ) -> Mined:
        arguments = {
            "pre_image": self.pre_image,
            "leaf": self.leaf,
            "program": own.program(),
            "roots": roots,
            "shown": shown,
            "offset": offset,
            "proof": element.abi(),
        } | changes
        return self.move(self.dispute.party, "proveElement", *arguments.values())

    def prove_bytes(self, name: str, data: bytes) -> Mined:
        return self.move(self.dispute.party, name, self.pre_image, self.leaf, data)

    def claim(self, sender: bytes | None = None) -> Mined:
        return self.move(sender or self.dispute.party, "claim", self.pre_image, self.leaf)

    def until(self, phase: int, theirs: GameTrace, ours: GameTrace) -> None:
        """Play on to a phase: `theirs` is the operator's trace, `ours` the challenger's."""
        if phase >= 1:
            self.open(ours)
        if phase >= 2:
            self.answer(theirs, ours)
        tensor = self.state["tensor"] if phase >= 3 else 0
        if phase >= 3:
            self.choose(*ours.choose(tensor, theirs.trees[tensor].levels[0]))
        if phase >= 4:
            self.show(theirs.show(tensor, self.state["chunk"]))


def finish(match: Match, theirs: GameTrace, ours: GameTrace) -> Mined:
    """Prove what the operator has wrong, the last move."""
    state = match.state
    tensor, chunk = state["tensor"], state["chunk"]
    if tensor == INPUT:
        return match.prove_bytes("proveInput", match.table.data)
    if tensor == NONE:
        return match.prove_bytes("proveOutput", ours.trees[-1].data)
    shown = theirs.show(tensor, chunk)
    return match.prove(ours, theirs.roots, shown, *ours.prove(tensor, chunk, shown))


def convicted(table: Table, mined: Mined, challenger: bytes, count: int = 1) -> None:
    """The operator's stake went, half of it to the challenger, and nothing else moved."""
    event = mined.event(BatchRejected)
    assert (event.cause, event.payee) == (Cause.RULING, challenger)
    assert table.network.totals().rejected == count
    conserved(table.chain, table.network)


def upheld(table: Table, mined: Mined) -> None:
    """The operator keeps its stake, and got half the bond."""
    assert mined.event(ChallengeUpheld).credited == RULES.challenge_bond // 2
    assert table.network.totals().rejected == 0
    conserved(table.chain, table.network)


def found(
    chain: Chain,
    owner: bytes,
    operator: bytes,
    challenger: bytes,
    model: Model = MODEL,
    data: bytes = DATA,
    **rules: Any,
) -> Table:
    """Deploy a game, register a network that it judges with a model, and let an operator in."""
    made = chain.deploy("ReplayGame", chain.w3.to_checksum_address(chain.registry.address))
    game = bytes.fromhex(made.address[2:])
    terms = {"response_window": WINDOW, "ruling_window": RULING} | rules
    terms.setdefault("arbiter", game)
    network = register(chain, owner, **terms)
    arguments = (network.id, game_content_hash(model), GAME_SPEC_ID, ZERO32, "net", "uri")
    network.model_id = (
        chain.send(owner, "registerModel", *arguments).event(ModelRegistered).model_id
    )
    network.join(operator)
    fund(chain, bytes(20), challenger, CREDIT)
    return Table(chain, network, game, data)
