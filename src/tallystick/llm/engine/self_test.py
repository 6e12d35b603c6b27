"""Self-test of an engine: prefill, decoding and batches all give the logits of its class."""

from tallystick.llm.engine.context import ROWS, Ask, Context
from tallystick.llm.engine.errors import SelfTestError
from tallystick.llm.engine.model import Model
from tallystick.protocol.keccak import keccak256

SMOLLM2 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""SHA-256 of the model that specs' golden hashes are of: SmolLM2-135M-Instruct, Q4_1."""

_IDS = 2048
_LAST = 64
_SLOTS = 16


def logits_hash(model: Model, ids: int = _IDS) -> bytes:
    """Return the 32-byte hash of a model's logits: the golden one, where all is well.

    The text is (7919 j + 13) mod the vocabulary's size, for j < `ids`; the hash is keccak256 of
    the logits of its last 64 ids, float32, little-endian: read by prefill, by decoding alone, and
    by decoding among 16 texts.

    Args:
        ids: of the text, more than 64; 2048 in a spec, and for models with a shorter context the
            whole of it.

    Raises:
        SelfTestError: the three ways differ.
        EngineError: llama.cpp fails.
    """
    found = {}
    with Context(model, min(ids, model.trained_context), _SLOTS) as context:
        test = _Text(context)
        found["prefill"] = test.prefill()
        found["decoding alone"] = test.decode(slots=1)
        found[f"decoding among {_SLOTS} texts"] = test.decode(slots=_SLOTS)
    if len(set(found.values())) > 1:
        told = ", ".join(f"{way} {one.hex()}" for way, one in found.items())
        raise SelfTestError(f"{model.path.name}: logits depend on how they are computed: {told}")
    return found["prefill"]


def self_test(model: Model, golden: bytes, ids: int = _IDS) -> None:
    """Refuse an engine whose logits are others than they should be.

    Args:
        golden: the 32-byte hash of a spec with SmolLM2, or of the model's own listing.
        ids: of the text, as in `logits_hash`.

    Raises:
        SelfTestError: they are, or depend on how they are computed.
        EngineError: llama.cpp fails.
    """
    found = logits_hash(model, ids)
    if found != golden:
        raise SelfTestError(
            f"{model.path.name} by {model.library.kernel} kernels: the self-test's logits hash to "
            f"{found.hex()}, not to {golden.hex()}; this engine must not answer"
        )


class _Text:
    def __init__(self, context: Context) -> None:
        self._context = context
        size = context.model.vocabulary.size
        self._ids = [(7919 * j + 13) % size for j in range(context.ids)]
        self._size = size
        self._start = len(self._ids) - _LAST

    def prefill(self) -> bytes:
        hashed = bytearray()
        for begin in range(0, len(self._ids), ROWS):
            asks = [
                Ask(one, begin + at, 0, begin + at >= self._start)
                for at, one in enumerate(self._ids[begin : begin + ROWS])
            ]
            for row in self._context.decode(asks):
                hashed += row.astype("<f4").tobytes()
        return keccak256(hashed)

    def decode(self, slots: int) -> bytes:
        for slot in range(slots):
            self._context.forget(slot, 0 if slot else self._start)
        hashed = bytearray()
        for step, one in enumerate(self._ids[self._start :]):
            asks = [Ask(one, self._start + step, 0, True)]
            asks += [Ask((one + slot) % self._size, step, slot, True) for slot in range(1, slots)]
            hashed += self._context.decode(asks)[0].astype("<f4").tobytes()
        return keccak256(hashed)
