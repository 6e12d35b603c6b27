"""answer.py: the digest as other EIP-712 libraries have it, and what a signature is bound to."""

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.answer import ANSWER_TYPE, Answer
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.signature import account_of

KEY = b"k" * 32
SIGNER = account_of(KEY)
DOMAIN = Domain(31337, b"c" * 20)
ANSWER = Answer.to(to_hex(b"x" * 32), b"n" * 32, b"o" * 20, b"body")

bytes32 = st.binary(min_size=32, max_size=32)
bytes20 = st.binary(min_size=20, max_size=20)


@settings(deadline=None)
@given(bytes32, bytes20, bytes32, st.binary(), st.integers(0, 2**63), bytes20)
def test_sign__eth_account__same_signature(
    network: bytes, operator: bytes, nonce: bytes, body: bytes, chain_id: int, core: bytes
) -> None:
    name, fields = ANSWER_TYPE.decode().rstrip(")").split("(")
    types = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
    message = encode_typed_data(
        {
            "name": "Tallystick",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": to_hex(core),
        },
        {name: types},
        {
            "networkId": network,
            "operator": to_hex(operator),
            "nonce": nonce,
            "bodyHash": keccak256(body),
        },
    )

    signed = Answer.to(to_hex(nonce), network, operator, body).sign(Domain(chain_id, core), KEY)

    assert signed == to_hex(bytes(Account.sign_message(message, KEY).signature))


def test_check__own_signature__passes() -> None:
    header = ANSWER.sign(DOMAIN, KEY)

    ANSWER.check(DOMAIN, header, SIGNER)

    assert len(header) == 132 and header.startswith("0x")


@pytest.mark.parametrize(
    "changes",
    [{"network_id": bytes(32)}, {"operator": bytes(20)}, {"nonce": bytes(32)},
     {"body_hash": bytes(32)}],
)  # fmt: skip
def test_check__signature_of_another_answer__refused(changes: dict[str, Any]) -> None:
    header = replace(ANSWER, **changes).sign(DOMAIN, KEY)

    with pytest.raises(SignatureError, match="needed: the signer"):
        ANSWER.check(DOMAIN, header, SIGNER)


def test_check__high_s__refused() -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    good = from_hex(ANSWER.sign(DOMAIN, KEY))
    high = (order - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    malleable = good[:32] + high + bytes([55 - good[64]])

    with pytest.raises(SignatureError, match="upper half"):
        ANSWER.check(DOMAIN, to_hex(malleable), SIGNER)


@pytest.mark.parametrize("header", ["", "0x", "0xzz", "0x" + "00" * 64, "00" * 65])
def test_check__malformed_header__refused(header: str) -> None:
    with pytest.raises(SignatureError, match="X-Tallystick-Signature"):
        ANSWER.check(DOMAIN, header, SIGNER)


@pytest.mark.parametrize("nonce", ["", "0x00", "no hex"])
def test_to__malformed_nonce__names_the_header(nonce: str) -> None:
    with pytest.raises(FieldError, match="X-Tallystick-Nonce"):
        Answer.to(nonce, b"n" * 32, b"o" * 20, b"")
