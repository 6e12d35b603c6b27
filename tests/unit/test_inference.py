"""inference.py and eip712.py against eth-account's EIP-712.

Request: digest, sign (own key | another's), recover, check; Inference: leaf; hash_leaves: order,
several models, progress; fields of a wrong length or width.
"""

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import SignableMessage, _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.inference import Inference, Request, hash_leaves
from tallystick.protocol.signature import account_of

bytes32 = st.binary(min_size=32, max_size=32)
accounts = st.binary(min_size=20, max_size=20)
uint64 = st.integers(0, 2**64 - 1)
domains = st.builds(Domain, st.integers(0, 2**256 - 1), accounts)
requests = st.builds(Request, bytes32, accounts, bytes32, accounts, uint64, uint64)
inferences = st.builds(
    Inference, bytes32, accounts, accounts, uint64, uint64, bytes32, bytes32, bytes32
)

REQUEST_FIELDS = [
    {"name": "modelId", "type": "bytes32"},
    {"name": "operator", "type": "address"},
    {"name": "inputHash", "type": "bytes32"},
    {"name": "requester", "type": "address"},
    {"name": "nonce", "type": "uint64"},
    {"name": "deadline", "type": "uint64"},
]
INFERENCE_FIELDS = [
    {"name": "modelId", "type": "bytes32"},
    {"name": "operator", "type": "address"},
    {"name": "requester", "type": "address"},
    {"name": "nonce", "type": "uint64"},
    {"name": "deadline", "type": "uint64"},
    {"name": "inputHash", "type": "bytes32"},
    {"name": "outputHash", "type": "bytes32"},
    {"name": "traceRoot", "type": "bytes32"},
]


def signable(
    domain: Domain, name: str, fields: list[dict[str, str]], message: dict[str, Any]
) -> SignableMessage:
    head = {
        "name": "Tallystick",
        "version": "1",
        "chainId": domain.chain_id,
        "verifyingContract": "0x" + domain.contract.hex(),
    }
    return encode_typed_data(head, {name: fields}, message)


def typed_request(domain: Domain, request: Request) -> SignableMessage:
    message = {
        "modelId": request.model_id,
        "operator": "0x" + request.operator.hex(),
        "inputHash": request.input_hash,
        "requester": "0x" + request.requester.hex(),
        "nonce": request.nonce,
        "deadline": request.deadline,
    }
    return signable(domain, "Request", REQUEST_FIELDS, message)


@given(domains, requests)
@settings(deadline=None)
def test_digest__any_request__same_as_eth_account(domain: Domain, request: Request) -> None:
    theirs = typed_request(domain, request)

    assert domain.separator() == theirs.header
    assert request.struct_hash() == theirs.body
    assert request.digest(domain) == bytes(_hash_eip191_message(theirs))


@given(domains, inferences)
@settings(deadline=None)
def test_leaf__any_inference__same_as_eth_account(domain: Domain, inference: Inference) -> None:
    message = {
        "modelId": inference.model_id,
        "operator": "0x" + inference.operator.hex(),
        "requester": "0x" + inference.requester.hex(),
        "nonce": inference.nonce,
        "deadline": inference.deadline,
        "inputHash": inference.input_hash,
        "outputHash": inference.output_hash,
        "traceRoot": inference.trace_root,
    }

    assert inference.leaf() == signable(domain, "Inference", INFERENCE_FIELDS, message).body


@given(st.lists(inferences, max_size=9))
def test_hash_leaves__any_models_and_operators__same_as_one_by_one(many: list[Inference]) -> None:
    assert hash_leaves(many) == b"".join(inference.leaf() for inference in many)


def test_hash_leaves__more_than_a_chunk__tells_progress_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    many = [Inference(bytes(32), bytes(20), bytes(20), 0, 9, bytes(32), bytes(32))] * 10_000

    hash_leaves(many, progress=lambda done, total: told.append((done, total)))

    assert told == [(8192, 10_000), (10_000, 10_000)]


@given(domains, st.binary(min_size=32, max_size=32).filter(any), uint64)
@settings(deadline=None, max_examples=25)
def test_sign__own_key__same_bytes_as_eth_account(domain: Domain, key: bytes, nonce: int) -> None:
    key = b"\0" + key[1:31] + b"\1"
    request = Request(bytes(32), bytes(20), bytes(32), account_of(key), nonce, 9)

    signature = request.sign(domain, key)

    theirs = Account.sign_message(typed_request(domain, request), key)
    assert signature == bytes(theirs.signature)
    assert request.recover(domain, signature) == request.requester


def test_sign__key_of_another_account__raises() -> None:
    request = Request(bytes(32), bytes(20), bytes(32), account_of(b"a" * 32), 0, 9)

    with pytest.raises(SignatureError, match="needed: its requester"):
        request.sign(Domain(1, bytes(20)), b"b" * 32)


@pytest.mark.parametrize(
    "other",
    [
        Domain(2, bytes(20)),
        Domain(1, b"c" * 20),
        Domain(1, bytes(20), "Else"),
        Domain(1, bytes(20), version="2"),
    ],
)
def test_check__signed_for_another_domain__raises(other: Domain) -> None:
    request = Request(bytes(32), bytes(20), bytes(32), account_of(b"a" * 32), 0, 9)
    signature = request.sign(other, b"a" * 32)

    with pytest.raises(SignatureError, match="is signed by"):
        request.check(Domain(1, bytes(20)), signature)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_id", bytes(31)),
        ("operator", bytes(32)),
        ("requester", bytes(19)),
        ("nonce", 2**64),
        ("nonce", -1),
        ("deadline", 2**64),
        ("input_hash", b""),
        ("output_hash", bytes(33)),
        ("trace_root", bytes(20)),
    ],
)
def test_inference__field_out_of_range__raises(field: str, value: object) -> None:
    fields: dict[str, Any] = {
        "model_id": bytes(32),
        "operator": bytes(20),
        "requester": bytes(20),
        "nonce": 0,
        "deadline": 0,
        "input_hash": bytes(32),
        "output_hash": bytes(32),
        "trace_root": bytes(32),
    }

    with pytest.raises(FieldError, match=field):
        Inference(**{**fields, field: value})


def test_key__requesters_and_nonces__ascend_as_in_the_contract() -> None:
    def key(requester: bytes, nonce: int) -> tuple[bytes, int]:
        return Inference(bytes(32), bytes(20), requester, nonce, 0, bytes(32), bytes(32)).key

    keys = [key(bytes(20), 7), key(bytes(19) + b"\1", 0), key(b"\1" + bytes(19), 0)]

    assert keys == sorted(keys)
