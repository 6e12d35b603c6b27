"""Gas of proven batches: `python -m tests.zk.gas` writes the snapshot anew.

Of a transaction that attests, what is executed is exact: keys and proofs are random bytes, made
anew each time, and neither the verifier's steps nor Proof's depend on them. Calldata is not: a zero
byte costs 4 gas, any other 16, and which bytes of a proof, a key's hash or an address are zero is
chance. So execution and the length of calldata are held to the unit, and calldata's gas to a band.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from eth_abi import encode

from tallystick.chain.call import Call
from tallystick.chain.deploy import create2_address, deployment
from tallystick.chain.localnet import localnet
from tallystick.protocol.enums import Grade
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.proof import ProvenLeaf
from tests.support.chain import Chain
from tests.support.proof import ProofPlace, proof_place
from tests.support.story import Committed
from tests.zk.groth16 import Answer, Groth16, Scene
from tests.zk.proven import Proven, make_proven

SNAPSHOT = Path(__file__).with_name("gas_snapshot.json")
CEILING = 650_000
"""Of attesting a batch of one, the whole transaction."""
COUNTS = (1, 2, 8)
EZKL, GROTH16 = "EZKL, digits MLP", "Groth16, two neurons"
_BASE, _ZERO, _OTHER = 21_000, 4, 16
GENESIS = 1_800_000_000


@dataclass(frozen=True)
class Spent:
    """Gas of a transaction by what it was spent on."""

    execution: int
    calldata_bytes: int
    calldata: int
    """Gas."""

    @classmethod
    def of(cls, call: Call, gas_used: int) -> "Spent":
        zeros = call.data.count(0)
        calldata = _ZERO * zeros + _OTHER * (len(call.data) - zeros)
        return cls(gas_used - _BASE - calldata, len(call.data), calldata)

    @property
    def total(self) -> int:
        return _BASE + self.execution + self.calldata


def ezkl_place(chain: Chain, proven: Proven) -> ProofPlace:
    """Deploy the model's verifier, and register a network with it."""
    creation = proven.model.creation
    chain.send_call(chain.accounts[0], deployment(creation))
    return proof_place(chain, chain.accounts[2], create2_address(creation), proven.model.circuit)


def ezkl_leaves(
    place: ProofPlace, proven: Proven, count: int, slot: int = 0
) -> tuple[Committed, list[ProvenLeaf]]:
    """Commit answers, in turns where there are more than are proven, and show their proofs."""
    records = (proven.records * count)[:count]
    pairs = [(one.input or b"", one.output or b"") for one in records]
    batch = place.commit(pairs, slot=slot)
    made = [
        replace(leaf, proof=proven.folder.get(record))
        for leaf, record in zip(place.leaves(batch, pairs), records, strict=True)
    ]
    return batch, made


def of_ezkl(chain: Chain, place: ProofPlace, proven: Proven) -> dict[str, Spent]:
    """Attest batches of 1, 2 and 8; one before, so that words are written as in daily use."""
    found, shown = {}, []
    for slot, count in enumerate((1, *COUNTS)):
        batch, shown = ezkl_leaves(place, proven, count, slot)
        found[f"{count} leaves"] = attested(place, batch, shown)
    found["verifier alone"] = _alone(chain, place, shown[0])
    return found


def of_groth16(chain: Chain, scene: Scene, answers: Sequence[Answer]) -> dict[str, Spent]:
    """The same of the small circuit of circom, of 1, 2 and 8 leaves."""
    place, found = scene.place, {}
    for slot, count in enumerate((1, *COUNTS)):
        given = (list(answers) * count)[:count]
        pairs = [one.pair for one in given]
        batch = place.commit(pairs, slot=slot)
        shown = [
            replace(leaf, proof=one.proof)
            for leaf, one in zip(place.leaves(batch, pairs), given, strict=True)
        ]
        found[f"{count} leaves"] = attested(place, batch, shown)
    found["verifier alone"] = _alone(chain, place, shown[0])
    return found


def attested(place: ProofPlace, batch: Committed, shown: Sequence[ProvenLeaf]) -> Spent:
    """Attest a batch, which is Proven then."""
    chain, evidence = place.chain, place.model.evidence(shown)
    arguments = batch.batch.abi(), batch.stamp.pack(), int(Grade.PROVEN), evidence
    mined = chain.send(chain.accounts[9], "attest", *arguments)
    assert batch.status().grade is Grade.PROVEN
    return Spent.of(chain.registry.call("attest", *arguments), mined.gas_used)


def _alone(chain: Chain, place: ProofPlace, leaf: ProvenLeaf) -> Spent:
    """A transaction that calls the verifier, and nothing else."""
    instances = place.model.circuit.instances(leaf.input, leaf.output)
    selector = keccak256(b"verifyProof(bytes,uint256[])")[:4]
    data = selector + encode(["bytes", "uint256[]"], [leaf.proof, instances])
    call = Call(place.model.verifier, data)
    return Spent.of(call, chain.send_call(chain.accounts[9], call).gas_used)


def band(size: int) -> float:
    """Most by which two runs' calldata of so many bytes differ, in gas: six standard deviations.

    A random byte is zero once in 256.
    """
    return 6 * (_OTHER - _ZERO) * (2 * size / 256) ** 0.5


def check(system: str, found: dict[str, Spent]) -> None:
    """Compare with the snapshot: to the unit what is exact, within the band what is chance."""
    known = {name: Spent(**one) for name, one in json.loads(SNAPSHOT.read_text())[system].items()}
    exact = {name: (one.execution, one.calldata_bytes) for name, one in known.items()}
    assert {name: (one.execution, one.calldata_bytes) for name, one in found.items()} == exact
    for name, one in found.items():
        difference = abs(one.calldata - known[name].calldata)
        assert difference <= band(one.calldata_bytes), f"{name}: {one.calldata}"


def main() -> None:
    with localnet(timestamp=GENESIS) as w3, tempfile.TemporaryDirectory() as folder:
        chain = Chain(w3)
        proven = make_proven(Path(folder))
        with chain.isolated():
            ezkl = of_ezkl(chain, ezkl_place(chain, proven), proven)
        (own := Path(folder, "groth16")).mkdir()
        system = Groth16.set_up(own)
        with chain.isolated():
            groth16 = of_groth16(chain, system.place(chain), system.answers())
    snapshot = {
        system: {name: asdict(one) for name, one in figures.items()}
        for system, figures in ((EZKL, ezkl), (GROTH16, groth16))
    }
    SNAPSHOT.write_text(json.dumps(snapshot, indent=2) + "\n")


if __name__ == "__main__":
    main()
