"""A network whose arbiter is a Replay, and batches of one model's inferences in it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from eth_abi import encode

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tests.support.chain import Chain, Mined
from tests.support.plain_qi8 import (
    AVERAGE_POOL,
    CONVOLUTION,
    DENSE,
    LOOKUP,
    SPEC_ID,
    SUM,
    Layer,
    Net,
    Row,
    StepRecord,
)
from tests.support.story import CREDIT, Committed, Network, fund, register

EVIDENCE = "(bytes32,address,bytes32,bytes,bytes,bytes)"


@dataclass
class Replayed:
    """A network with a Replay and one model, of which everything is known."""

    network: Network
    net: Net
    replay: Any
    parent: bytes = ZERO32

    def commit(self, operator: bytes, data: bytes, output: bytes, count: int = 1) -> Committed:
        """Commit a batch of equal answers to equal inputs."""

        def shape(leaves: list[Inference]) -> list[Inference]:
            hashes = {"input_hash": keccak256(data), "output_hash": keccak256(output)}
            return [replace(leaf, **hashes) for leaf in leaves]

        return self.network.commit(operator, count, shape=shape)

    def evidence(self, data: bytes, net: Net | None = None, **changes: Any) -> bytes:
        """Return the evidence on an input; changes by name."""
        net = net or self.net
        fields = {
            "network_id": self.network.id,
            "registrant": "0x" + self.network.owner.hex(),
            "parent": self.parent,
            "steps": net.steps,
            "rows": net.rows,
            "input": data,
        } | changes
        return encode([EVIDENCE], [tuple(fields.values())])

    def disprove(self, sender: bytes, batch: Committed, evidence: bytes, index: int = 0) -> Mined:
        chain = self.network.chain
        return chain.send(sender, "disprove", batch.pre_image(), batch.opening(index), evidence)


def found(chain: Chain, net: Net, owner: bytes, operator: bytes, **rules: Any) -> Replayed:
    """Deploy a Replay, register a network that it judges with the model, and let an operator in."""
    replay = chain.deploy("Replay")
    arbiter = bytes.fromhex(replay.address[2:])
    network = register(chain, owner, arbiter=arbiter, **rules)
    network.model_id = add_model(network, net)
    network.join(operator)
    fund(chain, bytes(20), chain.accounts[4], CREDIT)
    return Replayed(network, net, replay)


def add_model(network: Network, net: Net, parent: bytes = ZERO32, spec: bytes = SPEC_ID) -> bytes:
    """Register a model in the network; returns its id."""
    arguments = (network.id, net.content_hash(), spec, parent, "model", "uri")
    mined = network.chain.send(network.owner, "registerModel", *arguments)
    return mined.event(ModelRegistered).model_id


def random_net(records: list[StepRecord], seed: int) -> Net:
    """Return a model with these steps and random rows, whose outputs spread over all bytes."""
    random = np.random.default_rng(seed)
    return Net([_random_layer(record, random) for record in records])


def _random_layer(record: StepRecord, random: np.random.Generator) -> Layer:
    if record.kind == LOOKUP:
        return Layer(record, table=random.bytes(256))
    if record.kind == SUM:
        return Layer(record, multipliers=tuple(random.integers(2**20, 2**24, 2).tolist()))
    if record.kind == AVERAGE_POOL:
        return Layer(record, [_random_row(record, random, 0)])
    if record.kind in (DENSE, CONVOLUTION):
        rows = [_random_row(record, random, record.k) for _ in range(record.out_c)]
        return Layer(record, rows)
    return Layer(record)


def _random_row(record: StepRecord, random: np.random.Generator, k: int) -> Row:
    weights = random.bytes(k)
    # Half the bytes lie about the middle after this, the others are clamped now and then.
    scale = np.float32(random.uniform(0.5, 1.5) / (60 * k**0.5 if k else record.k))
    middle = 128 * sum(weight - record.zw for weight in weights) if k else 0
    bias = int(random.integers(-1000, 1000)) - middle
    return Row(bias, int(scale.view(np.uint32)), weights)
