"""Committees that would not be worth their name are refused."""

from typing import Any

import pytest

from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keys import P256_FIELD
from tallystick.protocol.signature import account_of
from tests.support.chain import Chain, reverts
from tests.support.committee import KEYS, Committee, found
from tests.support.keys import held_p256, held_rsa

ACCOUNTS = [account_of(key) for key in KEYS]
NOBODY = b"n" * 20


def built(chain: Chain, **changes: Any) -> Committee:
    arguments = {"threshold": 1, "members": 2, "staked": False} | changes
    return found(chain, **arguments)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"min_drawn": 0}, "MinDrawnOutOfRange", {"minDrawn": 0, "highest": 256}),
        ({"min_drawn": 257}, "MinDrawnOutOfRange", {"minDrawn": 257, "highest": 256}),
        ({"min_drawn": 2**32 - 1}, "MinDrawnOutOfRange", {"minDrawn": 2**32 - 1}),
        ({"seed_delay": 0}, "SeedDelayOutOfRange", {"seedDelay": 0, "highest": 1024}),
        ({"seed_delay": 1025}, "SeedDelayOutOfRange", {"seedDelay": 1025}),
        ({"min_stake": 0}, "MinStakeZero", {}),
        ({"asset": NOBODY}, "AssetWithoutCode", {"asset": NOBODY}),
        ({"core": NOBODY}, "CoreWithoutCode", {"core": NOBODY}),
        ({"arbiter": NOBODY}, "ArbiterWithoutCode", {"arbiter": NOBODY}),
        ({"threshold": 0}, "KeysOutOfRange", {"keys": 2, "threshold": 0}),
        ({"threshold": 3}, "KeysOutOfRange", {"keys": 2, "threshold": 3}),
        ({"members": 0, "keys": []}, "KeysOutOfRange", {"keys": 0, "threshold": 1}),
        ({"members": 17, "keys": [bytes([n]) * 20 for n in range(1, 18)]}, "KeysOutOfRange", {}),
    ],
)
def test_terms__out_of_range__are_built(
    chain: Chain, changes: dict[str, Any], error: str, says: dict[str, Any]
) -> None:
    with reverts(error, **says):
        built(chain, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"min_drawn": 1, "seed_delay": 1, "min_stake": 1},
        {"min_drawn": 256, "seed_delay": 1024, "min_stake": 2**128 - 1},
        {"members": 16, "keys": [bytes([n]) * 20 for n in range(1, 17)], "threshold": 16},
    ],
)
def test_terms__at_their_bounds__are_taken(chain: Chain, changes: dict[str, Any]) -> None:
    committee = built(chain, **changes)

    asset, threshold, drawn, delay, _, stake, arbiter = committee.contract.functions.terms().call()
    assert (asset, arbiter) == (checksummed(bytes(20)), checksummed(bytes(20)))
    assert threshold == changes.get("threshold", 1)
    assert (drawn, delay) == (changes.get("min_drawn", 3), changes.get("seed_delay", 2))
    assert stake == changes.get("min_stake", 1000)


@pytest.mark.parametrize("place", ["asset", "core", "arbiter"])
def test_terms__contract_of_a_single_byte__is_taken(chain: Chain, place: str) -> None:
    chain.w3.provider.make_request("anvil_setCode", [checksummed(b"c" * 20), "0x00"])

    assert built(chain, **{place: b"c" * 20}).active() == 0


def test_terms__an_arbiter__is_told(chain: Chain, resolver: bytes) -> None:
    committee = built(chain, arbiter=resolver)

    assert committee.contract.functions.terms().call()[-1] == checksummed(resolver)


@pytest.mark.parametrize("kind", ["account", "p256", "rsa"])
@pytest.mark.parametrize("places", [(0, 1), (0, 2), (1, 2)])
def test_keys__same_twice__are_built(chain: Chain, kind: str, places: tuple[Any, ...]) -> None:
    """Whoever has two members by one key is one of k, not two."""
    key = {"account": ACCOUNTS[9], "p256": held_p256().key, "rsa": held_rsa().key}[kind]
    keys = ACCOUNTS[:3]
    for place in places:
        keys[place] = key

    with reverts("KeyRepeated", key=key):
        built(chain, members=3, keys=keys)


def p256(x: int, y: int) -> bytes:
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


POINT = held_p256().key
X, Y = int.from_bytes(POINT[:32], "big"), int.from_bytes(POINT[32:], "big")
RSA = held_rsa().key


NO_KEYS = {
    "nothing": b"",
    "one byte": b"k",
    "the zero address": bytes(20),
    "19 bytes": b"k" * 19,
    "21 bytes": b"k" * 21,
    "32 bytes": b"k" * 32,
    "a verifier and a point": b"v" * 20 + POINT,
    "a verifier and an RSA key": b"v" * 20 + RSA,
    "the point at infinity": bytes(64),
    "y of another point": p256(X, Y ^ 1),
    "y zero": p256(X, 0),
    "y the field's size": p256(X, P256_FIELD),
    "x the field's size": p256(P256_FIELD, Y),
    "a point cut short": POINT[:63],
    "a point and a byte": POINT + b"\0",
    "a point as SEC 1 has it": b"\x04" + POINT,
    "RSA, cut short": RSA[:-1],
    "RSA, modulus even": RSA[:-1] + bytes([RSA[-1] ^ 1]),
    "RSA, exponent 3": (3).to_bytes(4, "big") + RSA[4:],
    "RSA, exponent even": (65538).to_bytes(4, "big") + RSA[4:],
    "RSA, top bit clear": RSA[:4] + b"\x7f" + RSA[5:],
    "RSA, too long": RSA[:4] + b"\xff" * 513,
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_keys__what_is_none__are_built(chain: Chain, name: str) -> None:
    with reverts("KeyInvalid", key=NO_KEYS[name]):
        built(chain, keys=[ACCOUNTS[0], NO_KEYS[name]])


def test_keys__sixteen_of_the_longest__fit_into_a_transaction(chain: Chain) -> None:
    keys = [RSA[:4] + b"\xff" * 510 + bytes([number, 1]) for number in range(16)]

    committee = built(chain, members=16, keys=keys, threshold=16)

    assert committee.contract.functions.memberAt(15).call()[1] == keys[15]


def test_keys__of_each_kind__are_taken_and_told(chain: Chain) -> None:
    keys = [ACCOUNTS[0], POINT, RSA, held_rsa(4096).key]

    committee = built(chain, members=4, keys=keys, threshold=4)

    members = [committee.contract.functions.memberAt(place).call() for place in range(5)]
    assert [key for _, key in members] == [*keys, b""]
    assert members[4][0] == checksummed(bytes(20))
    assert [bytes.fromhex(account[2:]) for account, _ in members[:4]] == chain.accounts[:4]
