"""RsaPss beside the signer and verifier of `cryptography`.

signatures: many messages and keys | lengths that are no multiple of 32 bytes | a published vector
changes: a bit of the hash, the signature or the key | anything in the encoded message
"""

import random
import secrets
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from tests.contracts.rsa_pss.conftest import Verifier
from tests.support.rsa import Encoding, accepts, opened, pss, secret

# Keys of the pool by bits, and signatures by each.
POOL = {2048: (4, 400), 3072: (2, 250), 4096: (1, 250), 2056: (1, 100), 3000: (1, 100)}

# Wycheproof, testvectors_v1/rsa_pss_2048_sha256_mgf1_32_test.json, tcId 7: its one valid message
# of 32 bytes, which is what a digest can be.
WYCHEPROOF_MODULUS = (
    "a2b451a07d0aa5f96e455671513550514a8a5b462ebef717094fa1fee82224e637f9746d3f7cafd31878d80325b6ef5a"
    "1700f65903b469429e89d6eac8845097b5ab393189db92512ed8a7711a1253facd20f79c15e8247f3d3e42e46e48c98e"
    "254a2fe9765313a03eff8f17e1a029397a1fa26a8dce26f490ed81299615d9814c22da610428e09c7d9658594266f5c0"
    "21d0fceca08d945a12be82de4d1ece6b4c03145b5d3495d4ed5411eb878daf05fd7afc3e09ada0f1126422f590975a19"
    "69816f48698bcbba1b4d9cae79d460d8f9f85e7975005d9bc22c4e5ac0f7c1a45d12569a62807d3b9a02e5a530e77306"
    "6f453d1f5b4c2e9cf7820283f742b9d5"
)
WYCHEPROOF_SIGNATURE = (
    "8bdd6db90323f3bf26a36a4ab5b92180c96881bd32b66317c4b48c2ba1421f8434000c06adde4264c6ea2d5346468c6d"
    "5e97cb13d3cb932e523ac57b59c814fa0397ca6dcc9bec4be1147d77abcd318a6aba1af46ede2f5640da06511a006fd1"
    "bd5fb8e04be22789956adc47bbec7988be477150f9b24a07dff51530e8f0c14cfef7d25ca141f512939987b7eb082563"
    "3d41a48742bd7f56d4db9733d92ac0f36b4041f51332695f551ec91076da2301120c438eb9ec197cbe318d4571b6b790"
    "98d17eded0ca47747a143e34f882ad6e3f490f3a710ff7ec1bffce022027165d96281e593180c67f44aeda9ce6605e6b"
    "8e5eac1347695dab211a965bb3d3f928"
)


@pytest.mark.parametrize("bits", POOL)
def test_verify__signatures_of_the_library__are_accepted_until_a_bit_changes(
    verifier: Verifier, bits: int
) -> None:
    keys, count = POOL[bits]
    choose = random.Random(bits)
    for number in range(keys):
        private, public = secret(bits, number), opened(bits, number).public()
        for _ in range(count):
            message = secrets.token_bytes(32)
            signature = pss(private, message)
            assert verifier.accepts(public, message, signature)

            parts = [public, message, signature]
            part = choose.randrange(3)
            parts[part] = flipped(parts[part], choose.randrange(8 * len(parts[part])))
            assert not verifier.accepts(*parts)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


def test_verify__wycheproofs_vector__is_accepted(verifier: Verifier) -> None:
    key = bytes.fromhex("00010001" + WYCHEPROOF_MODULUS)
    message = bytes(range(0xE0, 0x100))

    assert verifier.accepts(key, message, bytes.fromhex(WYCHEPROOF_SIGNATURE))
    assert not verifier.accepts(key, message[::-1], bytes.fromhex(WYCHEPROOF_SIGNATURE))


def test_verify__larger_exponent__is_accepted(verifier: Verifier) -> None:
    key, message = replace(opened(2048), exponent=65539), secrets.token_bytes(32)

    assert verifier.accepts(key.public(), message, key.sign(Encoding(key.length, message)))


@settings(max_examples=150, deadline=None)
@given(bits=st.sampled_from([2048, 2056, 3072]), data=st.data())
def test_verify__any_bits_of_the_encoding_changed__says_what_the_library_says(
    verifier: Verifier, bits: int, data: DataObject
) -> None:
    key, message = opened(bits), data.draw(st.binary(min_size=32, max_size=32))
    encoded = Encoding(key.length, message).encode()
    for bit in data.draw(st.sets(st.integers(1, 8 * key.length - 1), max_size=2)):
        encoded = flipped(encoded, bit)
    signature = key.raw(encoded)

    ours = verifier.accepts(key.public(), message, signature)

    assert ours == accepts(secret(bits).public_key(), message, signature)
