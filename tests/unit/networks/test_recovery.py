"""Signers of many signatures: the same as eth-keys finds, one process or several."""

import pytest
from coincurve import PrivateKey
from eth_keys.datatypes import PrivateKey as OtherKey

from tallystick.networks import recovery
from tallystick.networks.recovery import recover
from tallystick.protocol.keccak import keccak256

SECRETS = [keccak256(b"key %d" % number) for number in range(3)]
ACCOUNTS = [OtherKey(secret).public_key.to_canonical_address() for secret in SECRETS]


def signed(number: int) -> tuple[bytes, bytes]:
    digest = keccak256(b"digest %d" % number)
    return digest, PrivateKey(SECRETS[number % 3]).sign_recoverable(digest, hasher=None)


@pytest.mark.parametrize("workers", [1, 2])
def test_recover__by_processes__each_signer_in_its_place(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "FEW", 1)
    monkeypatch.setattr(recovery, "CHUNK", 4)

    found = recover([signed(number) for number in range(10)], workers)

    assert found == [ACCOUNTS[number % 3] for number in range(10)]


def test_recover__v_of_27_or_28__is_the_same() -> None:
    digest, signature = signed(0)

    assert recover([(digest, signature[:64] + bytes([signature[64] + 27]))]) == [ACCOUNTS[0]]


@pytest.mark.parametrize(
    "signature", [b"", bytes(65), b"\xff" * 65, bytes(64) + b"\x1b", signed(0)[1][:64] + b"\x1a"]
)
def test_recover__no_signature__is_nobody(signature: bytes) -> None:
    assert recover([(bytes(32), signature)]) == [b""]
