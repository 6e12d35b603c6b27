"""An operator's acknowledgement, against eth_account's own EIP-712."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.events import KeySet, Position
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.signature import account_of

KEY = b"k" * 32
DOMAIN = Domain(31337, b"c" * 20)
hashes = st.binary(min_size=32, max_size=32)


def typed(word: Acknowledgement) -> dict[str, object]:
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Acknowledgement": [
                {"name": "networkId", "type": "bytes32"},
                {"name": "operator", "type": "address"},
                {"name": "key", "type": "address"},
                {"name": "time", "type": "uint64"},
                {"name": "requests", "type": "bytes32[]"},
                {"name": "outputs", "type": "bytes32[]"},
            ],
        },
        "primaryType": "Acknowledgement",
        "domain": {
            "name": "Tallystick",
            "version": "1",
            "chainId": DOMAIN.chain_id,
            "verifyingContract": checksummed(DOMAIN.contract),
        },
        "message": {
            "networkId": word.network_id,
            "operator": checksummed(word.operator),
            "key": checksummed(word.key),
            "time": word.time,
            "requests": list(word.requests),
            "outputs": list(word.outputs),
        },
    }


@settings(max_examples=30, deadline=None)
@given(hashes, st.integers(0, 2**64 - 1), st.lists(st.tuples(hashes, hashes), max_size=5))
def test_struct_hash__any_word__is_what_wallets_sign(
    network_id: bytes, time: int, pairs: list[tuple[bytes, bytes]]
) -> None:
    requests, outputs = tuple(one for one, _ in pairs), tuple(one for _, one in pairs)
    word = Acknowledgement(network_id, b"o" * 20, account_of(KEY), time, requests, outputs)

    signed = Account.from_key(KEY).sign_message(encode_typed_data(full_message=typed(word)))

    word.check(DOMAIN, bytes(signed.signature))


def test_check__another_key_or_word__refused() -> None:
    word = Acknowledgement(bytes(32), bytes(20), account_of(KEY), 5, (b"r" * 32,), (b"o" * 32,))
    signed = Account.from_key(b"j" * 32).sign_message(encode_typed_data(full_message=typed(word)))

    with pytest.raises(SignatureError, match="the answers are signed by 0x"):
        word.check(DOMAIN, bytes(signed.signature))
    with pytest.raises(FieldError, match="outputs is 0; needed: 1 of them"):
        Acknowledgement(bytes(32), bytes(20), bytes(20), 5, (b"r" * 32,), ())


def test_judge__key_at_the_block_of_receipt__whatever_came_later() -> None:
    operator, key, later = b"o" * 20, account_of(KEY), b"l" * 20
    places = [Position(block, 0, bytes(32), b"c" * 20) for block in (5, 9)]
    ledger = Ledger.of(
        [KeySet(operator, key, position=places[0]), KeySet(operator, later, position=places[1])]
    )
    word = Acknowledgement(bytes(32), operator, key, 5, (), ())

    for block in (5, 8, 9):
        word.judge(ledger, block)
    for block in (4, 10):
        with pytest.raises(SignatureError, match=f"is not the key .* at block {block}"):
            word.judge(ledger, block)
    Acknowledgement(bytes(32), operator, operator, 5, (), ()).judge(ledger, 1)
