"""One inference as an operator keeps it: with its bytes and its requester's signature."""

from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.inference import Inference
from tallystick.words import ZERO32, ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class Record:
    """What a file says of one inference, or a store keeps of one leaf."""

    input_hash: bytes
    output_hash: bytes
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

    @property
    def solicited(self) -> bool:
        """Whether a requester signed for it."""
        return self.requester != ZERO_ADDRESS

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
