"""Inferences and the requests behind them, hashed as EIP-712 structs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, NamedTuple

from tallystick.errors import SignatureError
from tallystick.protocol.abi_words import (
    ZERO32,
    ZERO_ADDRESS,
    address,
    check_bytes,
    check_uint,
    uint,
)
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.progress import Progress
from tallystick.protocol.signature import recover, sign

INFERENCE_TYPE = (
    b"Inference(bytes32 modelId,address operator,address requester,uint64 nonce,uint64 deadline,"
    b"bytes32 inputHash,bytes32 outputHash,bytes32 traceRoot)"
)
REQUEST_TYPE = (
    b"Request(bytes32 modelId,address operator,bytes32 inputHash,address requester,uint64 nonce,"
    b"uint64 deadline)"
)
INFERENCE_TYPEHASH = keccak256(INFERENCE_TYPE)
REQUEST_TYPEHASH = keccak256(REQUEST_TYPE)

_LEAF_BITS = 20
"""Of an unsolicited nonce: what a leaf's index takes, which is below MAX_COUNT."""

# requester, nonce, deadline, inputHash, outputHash, traceRoot: six words.
_TAIL = Struct(">12x20s24xQ24xQ32s32s32s")
_CHUNK = 1 << 13


def unsolicited_nonce(batch_index: int, leaf_index: int) -> int:
    """Return the nonce that a leaf must have for which nobody signed: its place in its lane.

    Args:
        batch_index: its batch's, in the lane.
        leaf_index: its own, in the batch.

    Source: reveal of the registry, which takes no other.

    >>> unsolicited_nonce(3, 5) == (3 << 20) + 5
    True
    """
    return batch_index << _LEAF_BITS | leaf_index


def batch_index_of(nonce: int) -> int:
    """Return the index of the batch in whose place an unsolicited nonce stands.

    >>> batch_index_of(unsolicited_nonce(3, 5))
    3
    """
    return nonce >> _LEAF_BITS


@dataclass(frozen=True, slots=True)
class Request:
    """A request, as its requester signs it: everything about an inference but its answer."""

    model_id: bytes
    operator: bytes
    input_hash: bytes
    requester: bytes
    nonce: int
    deadline: int
    """Unix seconds; the latest commit that the requester accepts."""

    def __post_init__(self) -> None:
        for field, length in (
            ("model_id", 32),
            ("operator", 20),
            ("input_hash", 32),
            ("requester", 20),
        ):
            check_bytes(field, getattr(self, field), length)
        check_uint("nonce", self.nonce, 64)
        check_uint("deadline", self.deadline, 64)

    def struct_hash(self) -> bytes:
        """Return the EIP-712 hashStruct, 32 bytes."""
        return keccak256(
            REQUEST_TYPEHASH
            + self.model_id
            + address(self.operator)
            + self.input_hash
            + address(self.requester)
            + uint(self.nonce)
            + uint(self.deadline)
        )

    def digest(self, domain: Domain) -> bytes:
        """Return what the requester signs, 32 bytes.

        Source: requestDigest of the registry.
        """
        return domain.digest(self.struct_hash())

    def sign(self, domain: Domain, key: bytes) -> bytes:
        """Sign with the requester's 32-byte secret key; 65 bytes that the contract takes.

        Raises:
            SignatureError: the key is another account's.

        >>> from tallystick.protocol.signature import account_of
        >>> requester = account_of(b"k" * 32)
        >>> request = Request(bytes(32), bytes(20), bytes(32), requester, nonce=7, deadline=100)
        >>> domain = Domain(chain_id=31337, contract=bytes(20))
        >>> request.check(domain, request.sign(domain, b"k" * 32))
        """
        signature = sign(self.digest(domain), key)
        self.check(domain, signature)
        return signature

    def recover(self, domain: Domain, signature: bytes) -> bytes:
        """Return the 20-byte address that signed; SignatureError if the contract would refuse."""
        return recover(self.digest(domain), signature)

    def check(self, domain: Domain, signature: bytes) -> None:
        """Raise SignatureError unless the contract would take the signature as the requester's.

        It is checked with ecrecover only, whether or not the requester has code.
        """
        signer = self.recover(domain, signature)
        if signer != self.requester:
            raise SignatureError(
                f"the request is signed by {checksummed(signer)}; "
                f"needed: its requester {checksummed(self.requester)}"
            )


class Leaf(NamedTuple):
    """An inference without what its batch says of it: what a leaf adds.

    Source: `Leaf` in contracts/interfaces/Types.sol; the fields are in its order.
    """

    requester: bytes
    nonce: int
    deadline: int
    input_hash: bytes
    output_hash: bytes
    trace_root: bytes

    def inference(self, model_id: bytes, operator: bytes) -> "Inference":
        """Return the inference of a batch of this model and operator."""
        return Inference(model_id, operator, *self)


@dataclass(frozen=True, slots=True)
class Inference:
    """One inference: who asked, what went in, what came out.

    Source: `Inference` in contracts/interfaces/Types.sol.

    >>> Inference(bytes(32), bytes(20), bytes(20), 0, 9, bytes(32), bytes(32)).leaf().hex()[:16]
    '04aece1164a710d9'
    """

    model_id: bytes
    operator: bytes
    requester: bytes
    """Zero: nobody signed, unsolicited."""
    nonce: int
    """Unique per requester and lane; unsolicited: unsolicited_nonce of its place."""
    deadline: int
    """Unix seconds; the latest commit that the requester accepts."""
    input_hash: bytes
    """keccak256 of the canonical input bytes."""
    output_hash: bytes
    """keccak256 of the canonical output bytes."""
    trace_root: bytes = ZERO32
    """Zero unless a replay tier needs it."""

    def __post_init__(self) -> None:
        for field, length in (
            ("model_id", 32),
            ("operator", 20),
            ("requester", 20),
            ("input_hash", 32),
            ("output_hash", 32),
            ("trace_root", 32),
        ):
            check_bytes(field, getattr(self, field), length)
        check_uint("nonce", self.nonce, 64)
        check_uint("deadline", self.deadline, 64)

    @property
    def solicited(self) -> bool:
        """True if a requester signed for it."""
        return self.requester != ZERO_ADDRESS

    @property
    def key(self) -> tuple[bytes, int]:
        """The key by which a batch's leaves ascend strictly: requester, then nonce."""
        return self.requester, self.nonce

    def leaf(self) -> bytes:
        """Return the leaf, 32 bytes: the EIP-712 hashStruct of the inference."""
        return keccak256(_head(self) + _tail(self))

    def request(self) -> Request:
        """Return what the requester signed."""
        return Request(
            self.model_id,
            self.operator,
            self.input_hash,
            self.requester,
            self.nonce,
            self.deadline,
        )

    def abi_leaf(self) -> tuple[Any, ...]:
        """Return `Leaf` of the contract: the fields that are not the batch's."""
        return (
            self.requester,
            self.nonce,
            self.deadline,
            self.input_hash,
            self.output_hash,
            self.trace_root,
        )

    def encode_leaf(self) -> bytes:
        """Return abi.encode(leaf) of `Leaf`: 6 words."""
        return _tail(self)


def hash_leaves(inferences: Sequence[Inference], progress: Progress | None = None) -> bytearray:
    """Return the leaves of many inferences in their order, 32 bytes each, side by side.

    Args:
        inferences: any, in leaf order.
        progress: called with leaves done and leaves in all.

    >>> one = Inference(bytes(32), bytes(20), bytes(20), 0, 9, bytes(32), bytes(32))
    >>> hash_leaves([one]) == one.leaf()
    True
    """
    leaves = bytearray()
    for start in range(0, len(inferences), _CHUNK):
        leaves += b"".join(_hashed(inferences[start : start + _CHUNK]))
        if progress:
            progress(len(leaves) // 32, len(inferences))
    return leaves


def _hashed(inferences: Iterable[Inference]) -> Iterable[bytes]:
    model, operator, head = b"", b"", b""
    for inference in inferences:
        if inference.model_id is not model or inference.operator is not operator:
            model, operator, head = inference.model_id, inference.operator, _head(inference)
        yield keccak256(head + _tail(inference))


def _head(inference: Inference) -> bytes:
    return INFERENCE_TYPEHASH + inference.model_id + address(inference.operator)


def _tail(inference: Inference) -> bytes:
    return _TAIL.pack(
        inference.requester,
        inference.nonce,
        inference.deadline,
        inference.input_hash,
        inference.output_hash,
        inference.trace_root,
    )
