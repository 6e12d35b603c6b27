"""Batches each of whose leaves has a zk proof: encodings, zk models, evidence.

Source: contracts/proof/IProof.sol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from eth_abi.abi import encode

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import ZERO32, check_bytes
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.rules import model_id

SPEC = b"ZK-1"
SPEC_ID = keccak256(SPEC)
"""Spec of models whose content is a proof's verifier."""
MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""Of BN254's scalar field; public values are below it."""
MAX_VALUES = 1 << 16


@dataclass(frozen=True, slots=True)
class Encoding:
    """A form of bytes as a proof's public values; each has one form of the other.

    Raises:
        FieldError: the contract takes no such encoding.

    >>> Encoding(count=2, width=1, signed=True).values(bytes([5, 255])) == [5, MODULUS - 1]
    True
    """

    TYPES: ClassVar[dict[str, tuple[int, bool]]] = {
        f"{'i' if signed else 'u'}{8 * width}": (width, signed)
        for width in (1, 2, 4, 8)
        for signed in (False, True)
    } | {"field": (32, False)}
    """Width in bytes and sign, by the name that commands take."""

    count: int
    """Numbers in the bytes, 1 to 65,536."""
    width: int
    """Bytes of each, 1 to 32, little-endian; 32: a field element, unsigned."""
    signed: bool
    """In two's complement."""
    scale: int = 0
    """A number stands for itself over 2^scale; said to readers only."""

    def __post_init__(self) -> None:
        highest = {"count": MAX_VALUES, "width": 32, "scale": 255}
        for field, most in highest.items():
            value, least = getattr(self, field), 0 if field == "scale" else 1
            if type(value) is not int or not least <= value <= most:
                raise FieldError(f"encoding's {field}", value, f"{least} to {most}")
        if self.width == 32 and self.signed:
            raise FieldError("encoding", "signed field elements", "unsigned ones")

    @classmethod
    def parse(cls, word: int) -> "Encoding":
        """Return the encoding of a word, as the contract takes it.

        Raises:
            FieldError: it is none.
        """
        if word >> 8 & 0xFF > 1:
            raise FieldError("encoding's sign", word >> 8 & 0xFF, "0 or 1")
        return cls(word >> 24, word >> 16 & 0xFF, bool(word >> 8 & 1), word & 0xFF)

    @property
    def word(self) -> int:
        """The contract's form: count, width (8 bits), sign (8), scale (8)."""
        return self.count << 24 | self.width << 16 | int(self.signed) << 8 | self.scale

    @property
    def size(self) -> int:
        """Bytes of all numbers."""
        return self.count * self.width

    def numbers(self, data: bytes) -> list[int]:
        """Return the numbers that the bytes are.

        Raises:
            FieldError: there are more bytes or fewer, or a field element is not below the modulus.
        """
        if len(data) != self.size:
            raise FieldError("encoded bytes", f"{len(data)} bytes", f"{self.size} bytes")
        numbers = [
            int.from_bytes(data[start : start + self.width], "little", signed=self.signed)
            for start in range(0, len(data), self.width)
        ]
        if self.width == 32 and max(numbers) >= MODULUS:
            raise FieldError("field element", max(numbers), "less than the modulus")
        return numbers

    def values(self, data: bytes) -> list[int]:
        """Return the public values that the bytes are, each below the modulus; see numbers."""
        return [number % MODULUS for number in self.numbers(data)]

    def data(self, values: Sequence[int]) -> bytes:
        """Return the bytes that public values are; the inverse of `values`.

        Raises:
            FieldError: other many values, or one has no bytes of this width.
        """
        if len(values) != self.count:
            raise FieldError("public values", len(values), f"{self.count}")
        written = bytearray()
        for value in values:
            if not 0 <= value < MODULUS:
                raise FieldError("public value", value, "0 or more, less than the modulus")
            number = value - MODULUS if self.signed and value > MODULUS // 2 else value
            try:
                written += number.to_bytes(self.width, "little", signed=self.signed)
            except OverflowError as error:
                kind = "signed" if self.signed else "unsigned"
                needed = f"a {kind} number of {self.width} bytes"
                raise FieldError("public value", number, needed) from error
        return bytes(written)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A zk model: the verifier's code, its key, and how leaves are public values."""

    code_hash: bytes
    """keccak256 of the verifier's runtime code, 32 bytes."""
    key_hash: bytes
    """keccak256 of the verifying key's file, 32 bytes."""
    input: Encoding
    output: Encoding

    def __post_init__(self) -> None:
        check_bytes("code_hash", self.code_hash, 32)
        check_bytes("key_hash", self.key_hash, 32)

    def content_hash(self) -> bytes:
        """Return the contentHash of models of this circuit, 32 bytes."""
        fields = [SPEC_ID, self.code_hash, self.key_hash, self.input.word, self.output.word]
        return keccak256(encode(["bytes32", "bytes32", "bytes32", "uint256", "uint256"], fields))

    def instances(self, input_: bytes, output: bytes) -> list[int]:
        """Return the public values of a leaf with these bytes; see Encoding.numbers for errors."""
        return self.input.values(input_) + self.output.values(output)


@dataclass(frozen=True, slots=True)
class ProvenLeaf:
    """A leaf of a batch with its bytes and its proof."""

    inference: Inference
    input: bytes
    output: bytes
    proof: bytes
    """As the verifier takes it."""

    def abi(self) -> tuple[object, ...]:
        """Return the contract's LeafProof."""
        return self.inference.abi_leaf(), self.input, self.output, self.proof


@dataclass(frozen=True, slots=True)
class ProofModel:
    """A registered zk model with the address of its verifier."""

    network_id: bytes
    registrant: bytes
    """Sender of registerModel, 20 bytes."""
    circuit: Circuit
    verifier: bytes
    """Address, 20 bytes."""
    parent: bytes = ZERO32

    def __post_init__(self) -> None:
        check_bytes("network_id", self.network_id, 32)
        check_bytes("registrant", self.registrant, 20)
        check_bytes("verifier", self.verifier, 20)
        check_bytes("parent", self.parent, 32)

    def id(self) -> bytes:
        """Return the id that the registry gives it, 32 bytes."""
        content = self.circuit.content_hash()
        return model_id(self.network_id, self.registrant, content, SPEC_ID, self.parent)

    def evidence(self, leaves: Sequence[ProvenLeaf]) -> bytes:
        """Return the evidence for the registry's attest.

        Args:
            leaves: all of the batch, in its order.

        Raises:
            FieldError: a leaf is of another model, or its bytes are not the leaf's.
        """
        for leaf in leaves:
            needed = {
                "model_id": self.id(),
                "input_hash": keccak256(leaf.input),
                "output_hash": keccak256(leaf.output),
            }
            for field, value in needed.items():
                found = getattr(leaf.inference, field)
                if found != value:
                    raise FieldError(field, "0x" + found.hex(), f"0x{value.hex()}")
            self.circuit.instances(leaf.input, leaf.output)
        shown = (
            self.verifier,
            self.registrant,
            self.parent,
            self.circuit.key_hash,
            self.circuit.input.word,
            self.circuit.output.word,
            [leaf.abi() for leaf in leaves],
        )
        return encode([_EVIDENCE], [shown])


_LEAF = "(address,uint64,uint64,bytes32,bytes32,bytes32)"
_EVIDENCE = f"(address,address,bytes32,bytes32,uint256,uint256,({_LEAF},bytes,bytes,bytes)[])"
