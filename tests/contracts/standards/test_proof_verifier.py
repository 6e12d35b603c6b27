"""ProofVerifier: ERC-8274 (draft) over an attestor, on batches of a real registry.

grades    Audited by a committee's audit, Enclave by an endorsed key, Proven by a stand-in's answer
evidence  good | bad | of another batch | malformed | the attestor reverts
metadata  malformed | not committed | another stamp | a leaf that is not there | wrong hashes
standing  open, final: asked | disputed, rejected, overwritten: false | archived: by its grade
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_abi import encode
from web3 import Web3
from web3.contract import Contract

from tallystick.chain.revert import ContractError
from tallystick.protocol.enclave import sign_batch
from tallystick.protocol.enums import Grade, Ruling
from tallystick.protocol.hexes import checksummed
from tests.support.chain import Chain
from tests.support.committee import found
from tests.support.enclave import endorsed
from tests.support.keys import held_account
from tests.support.story import Committed, Network, register

YES, NO = (one.to_bytes(32, "big") for one in (1, 0))
BATCH = "(bytes32,address,uint48,bytes32,bytes32,uint32,uint64)"
OPENING = "((address,uint64,uint64,bytes32,bytes32,bytes32),uint256,bytes32[])"
SYSTEMS = {
    Grade.AUDITED: "op/tallystick-audited",
    Grade.ENCLAVE: "tee/tallystick-enclave",
    Grade.PROVEN: "zk/tallystick-proven",
}


def metadata(batch: Committed, index: int = 0, **changes: Any) -> bytes:
    stamp = changes.get("stamp", batch.stamp)
    opening = changes.get("opening", batch.opening(index))
    return encode([BATCH, "bytes32", OPENING], [batch.batch.abi(), stamp.pack(), opening])


def facade(chain: Chain, attestor: bytes, grade: Grade = Grade.PROVEN) -> Contract:
    registry = checksummed(chain.registry.address)
    return chain.deploy("ProofVerifier", registry, checksummed(attestor), int(grade))


def verify(
    contract: Contract, batch: Committed, shown: bytes, proof: bytes, index: int = 0
) -> bool:
    inference = batch.inferences[index]
    answer: bool = contract.functions.verify(
        inference.input_hash, inference.output_hash, shown, proof
    ).call()
    return answer


@pytest.fixture
def verifier(chain: Chain, resolver: bytes) -> Contract:
    return facade(chain, resolver)


@pytest.mark.parametrize("grade", SYSTEMS, ids=lambda grade: grade.name)
def test_verify__each_grade__good_evidence_is_told_from_bad(
    chain: Chain, network: Network, operator: bytes, resolver: bytes, grade: Grade
) -> None:
    contract = facade(chain, resolver, grade)
    batch = network.commit(operator)

    assert contract.functions.proofSystem().call() == SYSTEMS[grade]
    assert verify(contract, batch, metadata(batch, 3), YES + batch.id, 3)
    assert not verify(contract, batch, metadata(batch, 3), NO, 3)
    assert not verify(contract, batch, metadata(batch, 3), YES + b"o" * 32, 3)
    assert not verify(contract, batch, metadata(batch, 3), b"", 3)


def test_verify__enclave_resolver__by_an_endorsed_key_alone(
    chain: Chain, network_owner: bytes, operator: bytes
) -> None:
    enclave, key = endorsed(chain, "Enclave"), held_account()
    network = register(
        chain, network_owner, salt=9, attestors=(bytes(20), enclave.address, bytes(20))
    )
    network.join(operator)
    batch, other = network.commit(operator), network.commit(operator, slot=1)
    contract = facade(chain, enclave.address, Grade.ENCLAVE)
    shown = sign_batch(enclave.domain, batch.batch, key.key, key.sign)

    assert not verify(contract, batch, metadata(batch), shown)
    enclave.endorse(key, operator)

    assert verify(contract, batch, metadata(batch), shown)
    assert not verify(contract, other, metadata(other), shown)
    assert not verify(contract, batch, metadata(batch), shown[:-64])


def test_verify__committee__by_enough_members_alone(
    chain: Chain, network_owner: bytes, operator: bytes, resolver: bytes
) -> None:
    committee = found(chain, 2, 3, arbiter=resolver)
    network = register(
        chain,
        network_owner,
        salt=9,
        arbiter=resolver,
        attestors=(committee.address, bytes(20), bytes(20)),
    )
    network.join(operator)
    batch = network.commit(operator)
    contract = facade(chain, committee.address, Grade.AUDITED)
    audit = committee.audit(batch)

    assert verify(contract, batch, metadata(batch), committee.evidence(audit, [0, 1]))
    assert not verify(contract, batch, metadata(batch), committee.evidence(audit, [1]))
    wrong = replace(audit, seed=b"w" * 32)
    assert not verify(contract, batch, metadata(batch), committee.evidence(wrong, [0, 1]))


def made_up_stamp(batch: Committed) -> bytes:
    return metadata(batch, stamp=replace(batch.stamp, committed_at=batch.stamp.committed_at + 1))


def wrong_leaf(batch: Committed) -> bytes:
    leaf, _, proof = batch.opening(0)
    return metadata(batch, opening=(leaf, 1, proof))


def short_proof(batch: Committed) -> bytes:
    leaf, index, proof = batch.opening(0)
    return metadata(batch, opening=(leaf, index, proof[:-1]))


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        (made_up_stamp, "BatchNotStanding"),
        (wrong_leaf, "NotInBatch"),
        (short_proof, "NotInBatch"),
        (lambda batch: metadata(batch)[:-32], None),
        (lambda _: b"", None),
    ],
)
def test_verify__wrong_metadata__is_false_and_check_says_why(
    chain: Chain,
    network: Network,
    operator: bytes,
    verifier: Contract,
    shown: Callable[[Committed], bytes],
    error: str | None,
) -> None:
    batch = network.commit(operator)

    assert not verify(verifier, batch, shown(batch), YES)
    if error is not None:
        data = verifier.encode_abi("check", [*_unpacked(shown(batch))])
        with pytest.raises(Exception) as caught:
            chain.w3.eth.call({"to": verifier.address, "data": data})
        assert _selector(verifier, error) in str(caught.value)


def _unpacked(shown: bytes) -> list[Any]:
    from eth_abi import decode

    batch, stamp, opening = decode([BATCH, "bytes32", OPENING], shown)
    leaf, index, proof = opening
    named = (batch[0], Web3.to_checksum_address(batch[1]), *batch[2:])
    return [named, stamp, ((Web3.to_checksum_address(leaf[0]), *leaf[1:]), index, list(proof))]


def _selector(contract: Contract, name: str) -> str:
    from tallystick.chain.abi import signature_hash

    entry = next(one for one in contract.abi if one.get("name") == name)
    return signature_hash(dict(entry))[:4].hex()


def test_verify__hashes_of_another_leaf__is_false(
    network: Network, operator: bytes, verifier: Contract
) -> None:
    batch = network.commit(operator)

    assert not verify(verifier, batch, metadata(batch, 0), YES, index=1)


def test_verify__final_disputed_rejected_and_overwritten__as_the_registry_holds_it(
    chain: Chain, network: Network, operator: bytes, challenger: bytes, verifier: Contract
) -> None:
    final, wrong = network.final(operator), network.commit(operator, slot=1)
    dispute, _ = wrong.challenge(challenger, 0)

    assert verify(verifier, final, metadata(final), YES)
    assert not verify(verifier, wrong, metadata(wrong), YES)
    ruling = int(Ruling.REJECTED).to_bytes(32, "big")
    chain.send(challenger, "resolve", wrong.pre_image(dispute), wrong.opening(0)[0], ruling)
    assert not verify(verifier, wrong, metadata(wrong), YES)
    network.commit(operator, slot=0)
    assert not verify(verifier, final, metadata(final), YES)


@pytest.mark.parametrize(
    ("given", "valid"), [(None, False), (Grade.AUDITED, False), (Grade.PROVEN, True)]
)
def test_verify__archived__goes_by_its_grade_whatever_the_stamp(
    chain: Chain,
    network: Network,
    operator: bytes,
    verifier: Contract,
    given: Grade | None,
    valid: bool,
) -> None:
    batch = network.commit(operator)
    if given is not None:
        reference = batch.batch.abi(), batch.stamp.pack()
        chain.send(operator, "attest", *reference, int(given), YES)
    chain.at(batch.closes_at)
    chain.send(operator, "finalize", [batch.ref], network.id, operator)
    chain.send(operator, "archive", network.id, operator, batch.ref)

    assert verify(verifier, batch, made_up_stamp(batch), b"") is valid


def test_deploy__without_code_or_grade__is_refused(chain: Chain, resolver: bytes) -> None:
    nobody = checksummed(b"n" * 20)
    registry, attestor = checksummed(chain.registry.address), checksummed(resolver)
    for arguments in ((nobody, attestor, 1), (registry, nobody, 1), (registry, attestor, 0)):
        with pytest.raises((ContractError, Exception)):
            chain.deploy("ProofVerifier", *arguments)


def test_gas__proven_of_five_leaves__is_what_the_docs_say(
    network: Network, operator: bytes, verifier: Contract
) -> None:
    batch = network.commit(operator)
    inference = batch.inferences[0]
    call = verifier.functions.verify(
        inference.input_hash, inference.output_hash, metadata(batch), YES
    )

    assert call.estimate_gas() == pytest.approx(41_130, rel=0.01)
