"""One inference as an operator keeps it: with its bytes and its requester's signature."""

from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256


@dataclass(frozen=True, slots=True)
class InferenceRecord:
    """An inference as a file or a store keeps it, with what is known of its bytes.

    Hashes that are not given are computed from the bytes.

    Raises:
        FieldError: neither a hash nor its bytes are given, or the bytes are not `bytes`.

    >>> InferenceRecord(input=b"2+2", output=b"4").output_hash == keccak256(b"4")
    True
    """

    input_hash: bytes = b""
    """keccak256 of the canonical input bytes."""
    output_hash: bytes = b""
    """keccak256 of the canonical output bytes."""
    requester: bytes = ZERO_ADDRESS
    """Zero: nobody signed, unsolicited."""
    nonce: int | None = None
    """None: to be given by the inference's place in its batch."""
    deadline: int | None = None
    """Unix seconds; None: to be chosen."""
    trace_root: bytes = ZERO32
    signature: bytes = b""
    """Empty: none."""
    input: bytes | None = None
    """The canonical input bytes; None: not known here, only their hash."""
    output: bytes | None = None
    line: int = 0
    """Where it stood in its file, counted from 1; of a Parquet file the row."""

    def __post_init__(self) -> None:
        if not self.input_hash:
            object.__setattr__(self, "input_hash", _hash("input", self.input))
        if not self.output_hash:
            object.__setattr__(self, "output_hash", _hash("output", self.output))

    @property
    def solicited(self) -> bool:
        """True if a requester signed for it."""
        return self.requester != ZERO_ADDRESS

    @property
    def key(self) -> tuple[bytes, int]:
        """Order of leaves: requester, then nonce; no nonce counts as 0."""
        return self.requester, self.nonce or 0

    def inference(self, model_id: bytes, operator: bytes) -> Inference:
        """Return the inference of a batch of this model and operator.

        Raises:
            FieldError: nonce or deadline are not set yet.
        """
        if self.nonce is None or self.deadline is None:
            raise FieldError("nonce or deadline", "not set", "both set")
        return Inference(
            model_id,
            operator,
            self.requester,
            self.nonce,
            self.deadline,
            self.input_hash,
            self.output_hash,
            self.trace_root,
        )


def _hash(field: str, data: bytes | None) -> bytes:
    if data is None:
        raise FieldError(field, "missing", f"{field} or {field}_hash")
    # Text has no bytes of its own: which encoding is canonical, the model's spec says.
    if type(data) is not bytes:
        raise FieldError(field, f"of type {type(data).__name__}", "bytes, such as text.encode()")
    return keccak256(data)
