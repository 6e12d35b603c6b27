"""enclave.py and opengradient_item.py: what is refused, and that hashes are the sources'.

The contracts' answers to the same messages: tests/contracts/enclave and opengradient_item.
"""

import re
from pathlib import Path

import pytest
from eth_abi import decode, encode
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from tallystick.errors import FieldError
from tallystick.protocol import enclave
from tallystick.protocol.batch import Batch
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enclave import (
    Approval,
    Endorsement,
    approval_digest,
    batch_digest,
    evidence,
    key_revocation_digest,
    measurement_revocation_digest,
    sign_batch,
)
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import Inference
from tallystick.protocol.keys import rsa_key
from tallystick.protocol.opengradient_item import Item
from tallystick.protocol.signature import account_of, recover, sign

CONTRACTS = Path(__file__).parents[2] / "contracts"
DOMAIN = Domain(chain_id=31337, contract=b"e" * 20)
BATCH = Batch(b"n" * 32, b"o" * 20, 3, b"m" * 32, b"r" * 32, count=5, commit_deadline=9)
KEY = rsa_key(65537, 2**2048 - 1)
INFERENCE = Inference(b"m" * 32, b"o" * 20, b"q" * 20, 4, 9, b"i" * 32, b"u" * 32)


def typed(declaration: bytes, message: dict[str, object]) -> bytes:
    """The digest by eth-account's own EIP-712."""
    name, fields = re.fullmatch(r"(\w+)\((.*)\)", declaration.decode()).groups()
    types = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
    domain = {
        "name": "Tallystick",
        "version": "1",
        "chainId": DOMAIN.chain_id,
        "verifyingContract": checksummed(DOMAIN.contract),
    }
    signable = encode_typed_data(domain, {name: types}, message)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def test_digests__eth_account__makes_the_same() -> None:
    words = {"measurement": b"w" * 32}
    statement = Endorsement(KEY, b"w" * 32, b"o" * 20, 5, 9)
    fields = {
        "key": KEY,
        "measurement": b"w" * 32,
        "operator": checksummed(b"o" * 20),
        "notBefore": 5,
        "notAfter": 9,
    }
    names = ("networkId", "operator", "index", "modelId", "root", "count", "commitDeadline")
    batch = dict(zip(names, BATCH.abi(), strict=True)) | {"operator": checksummed(BATCH.operator)}

    assert approval_digest(DOMAIN, b"w" * 32) == typed(enclave.APPROVAL_TYPE, words)
    assert measurement_revocation_digest(DOMAIN, b"w" * 32) == typed(
        enclave.MEASUREMENT_REVOCATION_TYPE, words
    )
    assert key_revocation_digest(DOMAIN, b"k" * 32) == typed(
        enclave.KEY_REVOCATION_TYPE, {"keyId": b"k" * 32}
    )
    assert statement.digest(DOMAIN) == typed(enclave.ENDORSEMENT_TYPE, fields)
    assert batch_digest(DOMAIN, BATCH) == typed(enclave.BATCH_TYPE, batch)


@pytest.mark.parametrize(
    ("typed_as", "path"),
    [
        (enclave.APPROVAL_TYPE, "enclave/EnclaveKeys.sol"),
        (enclave.ENDORSEMENT_TYPE, "enclave/EnclaveKeys.sol"),
        (enclave.KEY_REVOCATION_TYPE, "enclave/EnclaveKeys.sol"),
        (enclave.MEASUREMENT_REVOCATION_TYPE, "enclave/EnclaveKeys.sol"),
        (enclave.BATCH_TYPE, "enclave/Enclave.sol"),
    ],
)
def test_type_strings__solidity__same(typed_as: bytes, path: str) -> None:
    assert f'"{typed_as.decode()}"' in (CONTRACTS / path).read_text()


def test_approval__solidity__same_members() -> None:
    source = (CONTRACTS / "enclave" / "IEnclaveKeys.sol").read_text()
    body = re.search(r"enum Approval {(.*?)}", source, re.DOTALL)[1]

    declared = re.findall(r"^\s+(\w+)", re.sub("//.*", "", body), re.MULTILINE)

    assert [member.name for member in Approval] == [name.upper() for name in declared]
    assert [int(member) for member in Approval] == [0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"key": b"s" * 19}, "key"),
        ({"measurement": b"w" * 31}, "measurement"),
        ({"operator": b"o" * 32}, "operator"),
        ({"not_before": -1}, "not_before"),
        ({"not_after": 2**40}, "not_after"),
        ({"not_before": 0, "not_after": 0}, "not_after"),
        ({"not_before": 10, "not_after": 9}, "not_after"),
    ],
)
def test_endorsement__field_that_the_contract_refuses__raises(
    changes: dict[str, object], field: str
) -> None:
    good = {
        "key": b"s" * 20,
        "measurement": b"w" * 32,
        "operator": b"o" * 20,
        "not_before": 5,
        "not_after": 9,
    }

    assert Endorsement(**good).not_after == 9
    with pytest.raises(FieldError, match=f"^{field} is "):
        Endorsement(**(good | changes))


def test_sign_batch__an_eoas_key__is_recovered_from_the_evidence() -> None:
    key = b"k" * 32
    shown = sign_batch(DOMAIN, BATCH, account_of(key), lambda digest: sign(digest, key))

    signer, signature = decode(["bytes", "bytes"], shown)

    assert signer == account_of(key)
    assert recover(batch_digest(DOMAIN, BATCH), signature) == signer


def test_evidence__no_key__raises() -> None:
    with pytest.raises(FieldError, match="^key is 19 bytes"):
        evidence(b"s" * 19, b"")


def test_item__evidence__is_the_leaf_and_the_ruling_evidence() -> None:
    item = Item(b"i" * 32, b"u" * 32, 7)

    shown = item.evidence(INFERENCE, KEY, b"x" * 256)

    leaf = ["address", "uint64", "uint64", "bytes32", "bytes32", "bytes32"]
    assert shown[:192] == encode(leaf, INFERENCE.abi_leaf())
    assert shown[192:] == item.ruling_evidence(KEY, b"x" * 256)
    found = decode(["uint256", "bytes", "bytes"], shown[192:])
    assert found == (7, KEY, b"x" * 256)


def test_item__hash__is_of_three_words() -> None:
    words = encode(["bytes32", "bytes32", "uint256"], [b"i" * 32, b"u" * 32, 2**255])

    assert Item(b"i" * 32, b"u" * 32, 2**255).hash() == keccak(words)


@pytest.mark.parametrize("field", ["input_hash", "output_hash"])
def test_item__evidence_for_another_inference__raises(field: str) -> None:
    fields = {"input_hash": b"i" * 32, "output_hash": b"u" * 32, "timestamp": 7} | {
        field: b"z" * 32
    }

    with pytest.raises(FieldError, match=f"^{field} is 0x"):
        Item(**fields).evidence(INFERENCE, b"s" * 20, b"")
