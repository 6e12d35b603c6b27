"""Engines: what LLM-1 asks of a runtime of models, whoever wrote it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.llm.vocabulary import Vocabulary

Row = NDArray[np.float32]
"""Logits of the token that follows a position, by id; read-only, valid until the reader returns."""

Chooser = Callable[[Row], int | None]
"""Return the id that follows, given its logits; None: no further logits are wanted."""

Reader = Callable[[int, Row], None]
"""Take the logits that follow the id at a position, counted from 0."""


class Task(Protocol):
    """Work that an engine has queued or begun."""

    def cancel(self) -> None:
        """Have the engine drop the work before its next step; done work stays as it is."""

    def wait(self, timeout: float | None = None) -> None:
        """Return when the work is done.

        Raises:
            concurrent.futures.CancelledError: it was cancelled.
            TimeoutError: `timeout` seconds have passed.
            Exception: whatever the chooser or reader raised, or EngineError.
        """

    def call_when_done(self, callback: Callable[[], Any]) -> None:
        """Call back once the work is done, failed or cancelled, from the engine's thread."""


class Engine(Protocol):
    """One model, which goes on with many texts at once. Its methods may be called by any thread."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Tokens of the model."""

    @property
    def context(self) -> int:
        """Most ids of one text, prompt and answer together."""

    def generate(self, prompt: Sequence[int], choose: Chooser) -> Task:
        """Queue a text to go on with: `choose` is asked after the prompt, and after each id.

        Choosers are called one at a time, by the engine's own thread.

        Raises:
            FieldError: no ids, an id that no token has, or no room for another one.
        """

    def prefill(self, ids: Sequence[int], first: int, read: Reader) -> Task:
        """Queue a text to be read at once: `read` takes the logits after ids[first], and so on.

        Raises:
            FieldError: no ids, more than `context`, an id that no token has, or no id at `first`.
        """

    def close(self) -> None:
        """Cancel all work and let go of the model."""
