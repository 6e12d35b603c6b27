"""Gas and data of the largest reveals there can be.

The batch has 2^20 leaves, the leaf is a requester's, and the operator had no credit before. Bytes
are such as cost most: none of them is zero.
"""

from dataclasses import replace
from typing import NamedTuple

from tallystick.chain.call import Call
from tallystick.chain.localnet import localnet
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Batch, Dispute, PreImage
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.events import BatchCommitted, BatchDemanded
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import MAX_COUNT, depth_of
from tallystick.protocol.opening import Opening
from tallystick.protocol.rules import MAX_BYTES
from tests.support.chain import Chain
from tests.support.story import CREDIT, KEY_OF, Network, register

GENESIS = 1_800_000_000
SIZES = (0, 1_000, 30_000, MAX_BYTES)
"""Bytes of input and output."""


class Revealed(NamedTuple):
    """A reveal, as it was sent."""

    gas: int
    data: int
    """Bytes."""


def measure(chain: Chain) -> dict[int, Revealed]:
    """Return the largest reveal of each size of bytes; 0: none were demanded."""
    network, operator = _network(chain)
    found = {}
    for size in SIZES:
        with chain.isolated():
            call = _demanded(network, operator, size)
            found[size] = Revealed(chain.send_call(operator, call).gas_used, len(call.data))
    return found


def measure_each(chain: Chain, count: int, size: int) -> Revealed:
    """Return what several of them cost as one call of `each`."""
    network, operator = _network(chain)
    calls = [_demanded(network, operator, size, index) for index in range(count)]
    mined = chain.send_call(operator, (call := chain.registry.call("each", _data(calls))))
    assert len(mined.events) == count * (2 if size else 1)
    return Revealed(mined.gas_used, len(call.data))


def _data(calls: list[Call]) -> list[bytes]:
    return [call.data for call in calls]


def _network(chain: Chain) -> tuple[Network, bytes]:
    """Return a network, and an operator without credit."""
    network = register(chain, chain.accounts[1], max_bytes=MAX_BYTES, stake_per_inference=0)
    operator = chain.accounts[2]
    network.join(operator)
    chain.send(operator, "withdraw", bytes(20), operator, CREDIT)
    assert network.credit(operator) == 0
    return network, operator


def _demanded(network: Network, operator: bytes, size: int, index: int = 0) -> Call:
    """Commit a batch, have a leaf demanded, and return the call that reveals it."""
    chain = network.chain
    place = MAX_COUNT - 2
    given, answer = (bytes([value]) * (size // 2) for value in (0xA5, 0x5A))
    deadline = chain.now + network.rules.challenge_window // 4
    (leaf,) = network.inferences(operator, 1, index, deadline, solicited=True)
    leaf = replace(leaf, input_hash=keccak256(given), output_hash=keccak256(answer))
    proof = tuple(keccak256(b"sibling %d" % level) for level in range(depth_of(MAX_COUNT)))
    node = leaf.leaf()
    for level, sibling in enumerate(proof):
        node = keccak256(sibling + node if place >> level & 1 else node + sibling)
    arguments = network.commitment([leaf], index, slot=index, root=node, count=MAX_COUNT)
    committed = chain.send(operator, "commit", arguments).event(BatchCommitted)
    stamp = committed.stamp
    batch = Batch(network.id, operator, index, network.model_id, node, MAX_COUNT, deadline)
    assert batch.id() == committed.batch_id
    demander = chain.accounts[3]
    network.fund(demander)
    demanded = chain.send(demander, "demand", batch.abi(), stamp.pack(), place, size > 0).event(
        BatchDemanded
    )
    dispute = Dispute(DisputeKind.DEMAND, size > 0, demander, place, demanded.due, ZERO32)
    return chain.registry.call(
        "reveal",
        PreImage(batch, stamp, dispute).abi(),
        Opening(leaf, place, proof).abi(),
        leaf.request().sign(chain.registry.domain, KEY_OF[leaf.requester]),
        *((given, answer) if size else (b"", b"")),
    )


def main() -> None:
    with localnet(timestamp=GENESIS) as w3:
        for size, one in measure(Chain(w3)).items():
            print(f"{size:,} bytes: {one.gas:,} gas, {one.data:,} bytes of data")


if __name__ == "__main__":
    main()
