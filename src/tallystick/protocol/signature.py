"""secp256k1 signatures as the contract takes them: 65 bytes r || s || v, low s, v 27 or 28.

Source: OpenZeppelin's ECDSA.tryRecover, which refuses everything else.
"""

from coincurve import PublicKey
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey

from tallystick.errors import SignatureError
from tallystick.protocol.abi_words import check_bytes
from tallystick.protocol.keccak import keccak256

LENGTH = 65
HIGHEST_S = SECPK1_N // 2


def sign(digest: bytes, key: bytes) -> bytes:
    """Sign a 32-byte digest with a 32-byte secret key; the signature is deterministic (RFC 6979).

    >>> recover(bytes(32), sign(bytes(32), b"k" * 32)) == account_of(b"k" * 32)
    True
    """
    check_bytes("digest", digest, 32)
    check_bytes("key", key, 32)
    signature = PrivateKey(key).sign_msg_hash(digest).to_bytes()
    return signature[:64] + bytes([27 + signature[64]])


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the 20-byte address that signed the digest.

    Raises:
        SignatureError: the contract would refuse the signature, whoever signed.

    Source: ecrecover behind OpenZeppelin's ECDSA.
    """
    check_bytes("digest", digest, 32)
    if len(signature) != LENGTH:
        raise SignatureError(f"signature is {len(signature)} bytes; needed: {LENGTH}")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    v = signature[64]
    if v not in (27, 28):
        raise SignatureError(f"v of the signature is {v}; needed: 27 or 28")
    if s > HIGHEST_S:
        raise SignatureError("s of the signature is in the upper half; needed: the lower one")
    if not 0 < r < SECPK1_N or s == 0:
        raise SignatureError("r or s of the signature is out of range")
    # eth_keys takes twice as long around the same call, and nodes check thousands a second.
    signed = signature[:64] + bytes([v - 27])
    try:
        public = PublicKey.from_signature_and_message(signed, digest, hasher=None)
    except Exception as error:  # Its errors have no other common base.
        raise SignatureError(f"nobody can have made the signature: {error}") from error
    return keccak256(public.format(compressed=False)[1:])[12:]


def account_of(key: bytes) -> bytes:
    """Return the 20-byte address of a 32-byte secret key."""
    check_bytes("key", key, 32)
    return bytes(PrivateKey(key).public_key.to_canonical_address())
