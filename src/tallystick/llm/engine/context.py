"""Contexts of llama.cpp: several texts side by side, with the settings that keep them exact."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from tallystick.closing import Closing
from tallystick.errors import FieldError
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.protocol import Row
from tallystick.llm.engine.vocabulary import GgufVocabulary

ROWS = 32
"""Most ids that are computed at once: from 64 on, llama.cpp's attention adds in another order."""
_ON = 1
_F16 = 1


class Ask(NamedTuple):
    """One id to be computed."""

    id: int
    position: int
    """In its text, from 0; positions of a slot follow one another."""
    slot: int
    wanted: bool
    """True if the logits of what follows are wanted."""


class Loaded(Protocol):
    """A model that contexts are made of."""

    @property
    def vocabulary(self) -> GgufVocabulary:
        """Its tokens."""


class Texts(Protocol):
    """Memory of several texts, and what runs them; whatever the arithmetic. See `Context`."""

    @property
    def model(self) -> Loaded:
        """Model that is run."""

    @property
    def ids(self) -> int:
        """Most ids of one text."""

    @property
    def slots(self) -> int:
        """Most texts."""

    def decode(self, asks: Sequence[Ask]) -> list[Row]:
        """Compute ids and return the wanted logits, in the order of the asks."""

    def forget(self, slot: int, position: int = 0) -> None:
        """Empty a slot from a position on."""

    def move(self, slot: int, to: int) -> None:
        """Put a slot's text into another slot, and empty the first."""

    def close(self) -> None:
        """Let go of the memory."""


class Context(Closing):
    """Memory of several texts, each in a slot of its own.

    Slots do not share cells (kv_unified is off): in shared ones a text's cells lie out of order
    once another text has left, sums are made in another order, and logits change.
    """

    def __init__(self, model: Model, ids: int, slots: int) -> None:
        """Take memory.

        Args:
            ids: most ids of one text.
            slots: most texts, 1 to 32.

        Raises:
            FieldError: fewer than one id or slot, or more slots.
            EngineError: llama.cpp cannot do it; mostly for lack of memory.
        """
        if not 1 <= slots <= ROWS:
            raise FieldError("slots", slots, f"1 to {ROWS}")
        if not 1 <= ids <= 1 << 24:
            raise FieldError("ids", ids, "1 to 2^24")
        self.model, self.slots = model, slots
        self._library = model.library
        c = self._library.c
        params = c.llama_context_default_params()
        params.n_ctx = -(-ids // 256) * 256 * slots
        params.n_batch = params.n_ubatch = params.n_outputs_max_per_seq = ROWS
        params.n_seq_max = slots
        params.n_threads = params.n_threads_batch = 1
        params.flash_attn_type = _ON
        params.type_k = params.type_v = _F16
        params.kv_unified = False
        params.offload_kqv = params.op_offload = False
        self.pointer: Any = c.llama_init_from_model(model.pointer, params)
        if self.pointer == self._library.ffi.NULL:
            said = self._library.last_words()
            raise EngineError(f"llama.cpp makes no context of {slots} x {ids} ids: {said}")
        self.ids = ids
        self._memory = c.llama_get_memory(self.pointer)
        self.batch = c.llama_batch_init(ROWS, 0, 1)

    def decode(self, asks: Sequence[Ask]) -> list[Row]:
        """Compute ids and return the wanted logits, in the order of the asks.

        Rows are llama.cpp's own memory: valid until the next call.

        Args:
            asks: 1 to 32, those of a slot in the order of their positions.

        Raises:
            EngineError: llama.cpp fails.
        """
        batch = self.batch
        batch.n_tokens = len(asks)
        for index, ask in enumerate(asks):
            batch.token[index] = ask.id
            batch.pos[index] = ask.position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = ask.slot
            batch.logits[index] = ask.wanted
        code = self._library.c.llama_decode(self.pointer, batch)
        if code:
            raise EngineError(f"llama.cpp cannot decode ({code}): {self._library.last_words()}")
        return [self._row(index) for index, ask in enumerate(asks) if ask.wanted]

    def forget(self, slot: int, position: int = 0) -> None:
        """Empty a slot from a position on."""
        self._library.c.llama_memory_seq_rm(self._memory, slot, position, -1)

    def move(self, slot: int, to: int) -> None:
        """Put a slot's text into another slot, and empty the first: a copy, to the bit."""
        c = self._library.c
        self.forget(to)
        c.llama_memory_seq_cp(self._memory, slot, to, -1, -1)
        self.forget(slot)

    def close(self) -> None:
        """Let go of the memory."""
        if self.pointer is not None:
            self._library.c.llama_batch_free(self.batch)
            self._library.c.llama_free(self.pointer)
            self.pointer = None

    def _row(self, index: int) -> Row:
        logits = self._library.c.llama_get_logits_ith(self.pointer, index)
        if logits == self._library.ffi.NULL:
            raise EngineError(f"llama.cpp has no logits: {self._library.last_words()}")
        size = 4 * self.model.vocabulary.size
        row: Row = np.frombuffer(self._library.ffi.buffer(logits, size), np.float32)
        row.flags.writeable = False
        return row
