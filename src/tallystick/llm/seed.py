"""The seed of an answer: who asked whom for what decides its chance, and no operator."""

from tallystick.protocol.abi_words import address, check_bytes, check_uint, uint
from tallystick.protocol.keccak import keccak256

_DOMAIN = keccak256(b"LLM-1 seed")


def answer_seed(model_id: bytes, input_hash: bytes, requester: bytes, nonce: int) -> bytes:
    """Return the 32-byte seed of an inference's answer.

    Operator and deadline are not in it: another of them would be another draw.

    Args:
        model_id: 32 bytes.
        input_hash: keccak256 of the body, 32 bytes.
        requester: 20 bytes; zero where nobody signed.
        nonce: below 2^64.

    Raises:
        FieldError: an argument has another length, or is too large.

    >>> answer_seed(bytes(32), bytes(32), bytes(20), 0).hex()[:16]
    'e978f7b249b145f8'
    """
    check_bytes("model_id", model_id, 32)
    check_bytes("input_hash", input_hash, 32)
    check_bytes("requester", requester, 20)
    check_uint("nonce", nonce, 64)
    return keccak256(_DOMAIN + model_id + input_hash + address(requester) + uint(nonce))
