"""KeyLib's other kinds of keys: what they signed, and that malformed signatures are refused.

account: its signature | another's, cut short, longer | the zero address, which nothing recovers to
P-256: its signature | another's, cut short, longer
no key: nothing
"""

import pytest

from tests.contracts.rsa_pss.conftest import Verifier
from tests.support.keys import held

MESSAGE = b"m" * 32


@pytest.mark.parametrize("kind", ["account", "p256"])
def test_signature__its_own__is_accepted_until_it_changes(verifier: Verifier, kind: str) -> None:
    key = held(kind)
    good = key.sign(MESSAGE)

    assert verifier.accepts(key.key, MESSAGE, good)
    assert not verifier.accepts(key.key, b"n" * 32, good)
    assert not verifier.accepts(key.key, MESSAGE, good[:9] + bytes([good[9] ^ 1]) + good[10:])


@pytest.mark.parametrize("kind", ["account", "p256"])
def test_signature__of_another_length__is_refused(verifier: Verifier, kind: str) -> None:
    key = held(kind)
    good = key.sign(MESSAGE)

    for other in (b"", good[:-1], good + b"\0", good + good, good[:32]):
        assert not verifier.accepts(key.key, MESSAGE, other)


def test_zero_address__whatever_the_signature__signed_nothing(verifier: Verifier) -> None:
    for signature in (b"", bytes(64), bytes(65), bytes(32) + held("p256").sign(MESSAGE)):
        assert not verifier.accepts(bytes(20), MESSAGE, signature)


@pytest.mark.parametrize("length", [0, 1, 19, 21, 32, 63, 65, 259, 517])
def test_bytes_of_another_length_than_a_keys__signed_nothing(
    verifier: Verifier, length: int
) -> None:
    for signature in (b"", bytes(64), bytes(65), bytes(256)):
        assert not verifier.accepts(bytes(length), MESSAGE, signature)
