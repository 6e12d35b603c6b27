"""Contexts of LLM-I8: several texts side by side, as `Batching` steps through them."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from tallystick.closing import Closing
from tallystick.errors import FieldError
from tallystick.llm.engine.context import ROWS, Ask
from tallystick.llm.engine.protocol import Row
from tallystick.llm.engine.vocabulary import GgufVocabulary
from tallystick.llm.integer.transformer import LOGIT_FRACTION, TextState, Transformer


class LoadedIntegers:
    """A transformer and its tokens: what a `Batching` engine takes for a model."""

    def __init__(self, transformer: Transformer, vocabulary: GgufVocabulary) -> None:
        self.transformer, self.vocabulary = transformer, vocabulary


class IntegerContext(Closing):
    """Memory of several texts; a text's logits are the same whatever is beside it.

    Args:
        model: is run.
        ids: most of one text.
        slots: most texts, 1 to 32.

    Raises:
        FieldError: fewer than one id or slot, or more than there are.
    """

    def __init__(self, model: LoadedIntegers, ids: int, slots: int) -> None:
        if not 1 <= slots <= ROWS:
            raise FieldError("slots", slots, f"1 to {ROWS}")
        most = model.transformer.model.shape.context
        if not 1 <= ids <= most:
            raise FieldError("ids", ids, f"1 to {most}")
        self.model, self.ids, self.slots = model, ids, slots
        self._texts: dict[int, TextState] = {}

    def decode(self, asks: Sequence[Ask]) -> list[Row]:
        """Compute ids and return the wanted logits, in the order of the asks; float64, exactly.

        Args:
            asks: 1 to 32, those of a slot together, in the order of their positions.
        """
        chunks = [
            (self._text(slot), [ask.id for ask in group])
            for slot, group in groupby(asks, lambda ask: ask.slot)
        ]
        wanted = np.array([ask.wanted for ask in asks])
        logits = self.model.transformer.run(chunks, wanted)
        rows = logits.astype(np.float64) / (1 << LOGIT_FRACTION)
        rows.flags.writeable = False
        return list(rows)

    def forget(self, slot: int, position: int = 0) -> None:
        """Empty a slot from a position on."""
        self._text(slot).length = position

    def move(self, slot: int, to: int) -> None:
        """Put a slot's text into another slot, and empty the first."""
        self._texts[to] = self._texts.pop(slot)

    def close(self) -> None:
        """Let go of the memory."""
        self._texts.clear()

    def _text(self, slot: int) -> TextState:
        if slot not in self._texts:
            self._texts[slot] = TextState(self.model.transformer.model, self.ids)
        return self._texts[slot]
