"""Keys that sign for members, endorsers and enclaves, told apart by length, and their signatures.

Source: contracts/keys/KeyLib.sol, RsaPss.sol, IKeyring.sol.
"""

from collections.abc import Mapping

from tallystick.errors import FieldError, TallystickError
from tallystick.protocol.abi_words import check_uint, uint
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.signature import recover

Key = bytes
"""20 bytes: an address, of secp256k1, code there or not. 64 bytes: x || y, of P-256. 260 to 516
bytes: exponent (4 bytes) || modulus, of RSA-PSS."""
Signatures = Mapping[int, bytes]
"""By the place of the key that signed, from zero."""

ACCOUNT_LENGTH = 20
P256_LENGTH = 64
RSA_LENGTHS = range(260, 517)
MAX_KEYS = 16
"""On one keyring."""

P256_FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def check_key(field: str, key: Key) -> None:
    """Raise FieldError for what the contracts refuse as a key: `KeyInvalid`.

    >>> check_key("key", bytes(20))
    Traceback (most recent call last):
    tallystick.errors.FieldError: key is the zero address; needed: an address that signs
    """
    size = len(key) if type(key) is bytes else -1
    if size == ACCOUNT_LENGTH:
        if not any(key):
            raise FieldError(field, "the zero address", "an address that signs")
    elif size == P256_LENGTH:
        _check_point(field, *_halves(key))
    elif size in RSA_LENGTHS:
        _check_rsa(field, int.from_bytes(key[:4], "big"), int.from_bytes(key[4:], "big"), size - 4)
    else:
        raise FieldError(field, f"{size} bytes", "20, 64 or 260 to 516 bytes")


def p256_key(x: int, y: int) -> Key:
    """Return the key of a P-256 point; FieldError when it is not on the curve.

    Args:
        x: of the public point.
        y: of the public point.
    """
    check_uint("x", x, 256)
    check_uint("y", y, 256)
    _check_point("point", x, y)
    return uint(x) + uint(y)


def rsa_key(exponent: int, modulus: int) -> Key:
    """Return the key of an RSA pair; FieldError when the contracts would refuse it.

    Args:
        exponent: odd, above 2^16 and below 2^32.
        modulus: odd, of 2048 to 4096 bits, a multiple of 8.

    >>> len(rsa_key(65537, 2**2048 - 1))
    260
    """
    length = (modulus.bit_length() + 7) // 8
    _check_rsa("key", exponent, modulus, length)
    return exponent.to_bytes(4, "big") + modulus.to_bytes(length, "big")


def key_id(key: Key) -> bytes:
    """Return the id under which contracts keep an endorsed key, 32 bytes."""
    return keccak256(key)


def has_signed(key: Key, digest: bytes, signature: bytes) -> bool:
    """Return whether a key made a signature, as the contracts see it.

    An address signs r || s || v, P-256 r || s with low s; RSA signs these 32 bytes by RSASSA-PSS
    with SHA-256 and a salt of 32 bytes. Keys that are no address need the package `cryptography`.

    Args:
        key: any bytes.
        digest: what was signed, 32 bytes.
        signature: any bytes.
    """
    try:
        check_key("key", key)
        if len(key) == ACCOUNT_LENGTH:
            return recover(digest, signature) == key
    except TallystickError:
        return False
    return (
        _p256_signed(key, digest, signature)
        if len(key) == P256_LENGTH
        else _rsa_signed(key, digest, signature)
    )


def packed(signatures: Signatures) -> bytes:
    """Return signatures in the order of their keys' places: place, length (2 bytes), signature.

    >>> packed({2: b"xyz", 0: b"a"}).hex()
    '0000016102000378797a'
    """
    return b"".join(
        bytes([place]) + len(signature).to_bytes(2, "big") + signature
        for place, signature in sorted(signatures.items())
    )


def unpacked(signatures: bytes) -> dict[int, bytes]:
    """Return packed signatures by place; FieldError when they end within one.

    >>> unpacked(packed({2: b"xyz", 0: b"a"}))
    {0: b'a', 2: b'xyz'}
    """
    found, at = {}, 0
    while at < len(signatures):
        end = at + 3 + int.from_bytes(signatures[at + 1 : at + 3], "big")
        if end > len(signatures):
            raise FieldError("signatures", f"{len(signatures)} bytes", f"{end} or more")
        found[signatures[at]] = signatures[at + 3 : end]
        at = end
    return found


def _halves(pair: bytes) -> tuple[int, int]:
    return int.from_bytes(pair[:32], "big"), int.from_bytes(pair[32:], "big")


def _check_point(field: str, x: int, y: int) -> None:
    on_curve = (y * y - (x * x * x - 3 * x + _P256_B)) % P256_FIELD == 0
    if not (x < P256_FIELD and y < P256_FIELD and on_curve):
        raise FieldError(field, "a point not on the curve", "one of P-256")


def _check_rsa(field: str, exponent: int, modulus: int, length: int) -> None:
    if not 1 << 16 < exponent < 1 << 32 or exponent % 2 == 0:
        raise FieldError(f"{field}: exponent", exponent, "odd, above 2^16 and below 2^32")
    bits = modulus.bit_length()
    if not 2048 <= bits <= 4096 or bits != 8 * length:
        raise FieldError(
            f"{field}: modulus", f"{bits} bits", "2048 to 4096 bits, a multiple of 8, all used"
        )
    if modulus % 2 == 0:
        raise FieldError(f"{field}: modulus", "even", "odd")


def _p256_signed(key: Key, digest: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    if len(signature) != P256_LENGTH:
        return False
    r, s = _halves(signature)
    if s > P256_ORDER // 2:
        return False
    public = ec.EllipticCurvePublicNumbers(*_halves(key), ec.SECP256R1()).public_key()
    scheme = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    try:
        public.verify(utils.encode_dss_signature(r, s), digest, scheme)
    except InvalidSignature:
        return False
    return True


def _rsa_signed(key: Key, digest: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    exponent, modulus = int.from_bytes(key[:4], "big"), int.from_bytes(key[4:], "big")
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    if len(signature) != len(key) - 4:
        return False
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    try:
        public.verify(signature, digest, scheme, hashes.SHA256())
    except InvalidSignature:
        return False
    return True
