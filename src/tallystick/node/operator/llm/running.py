"""An answer under way: one engine writes it, any number of clients read it from its beginning."""

import asyncio
import threading
from collections.abc import AsyncIterator
from time import monotonic

from tallystick.llm.body import Fields
from tallystick.llm.generation import Generation
from tallystick.llm.wire import SignedAnswer
from tallystick.node.operator.journal import Accepted
from tallystick.node.operator.llm.errors import ApiError


class Running:
    """An answer that is being generated, or is there.

    Args:
        accepted: the request.
        model_id: 32 bytes.
        fields: of its body.
        work: tokens that it may take, those of the prompt included as they weigh.
        created: Unix seconds.
    """

    def __init__(
        self, accepted: Accepted, model_id: bytes, fields: Fields, work: float, created: int
    ) -> None:
        self.accepted, self.model_id, self.fields = accepted, model_id, fields
        self.work, self.created = work, created
        self.generation: Generation | None = None
        """None: it was answered before."""
        self.counted = True
        """The quotas know of it."""
        self.first_after: float | None = None
        """Seconds until the first text; None: there was none yet."""
        self._begun = monotonic()
        self._parts: list[str] = []
        self._answer: SignedAnswer | None = None
        self._error: ApiError | None = None
        self._readers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    @property
    def tokens(self) -> int:
        """Tokens that were generated so far."""
        return 0 if self.generation is None else self.generation.tokens

    def show(self, part: str) -> None:
        """Add text; called by the engine's thread."""
        if self.first_after is None:
            self.first_after = monotonic() - self._begun
        with self._lock:
            self._parts.append(part)
            self._wake()

    def complete(self, answer: SignedAnswer) -> None:
        """Say that the answer is complete and in the journal."""
        with self._lock:
            if not self._parts and answer.text:
                self._parts.append(answer.text)
            self._answer = answer
            self._wake()

    def fail(self, error: ApiError) -> None:
        """Say that there will be no answer."""
        with self._lock:
            self._error = error
            self._wake()

    async def parts(self, every: float) -> AsyncIterator[str | None]:
        """Yield the text's parts from the first one on; None after `every` seconds without one.

        Raises:
            ApiError: there is no answer.
        """
        event = asyncio.Event()
        reader = asyncio.get_running_loop(), event
        with self._lock:
            self._readers.append(reader)
        given = 0
        try:
            while True:
                event.clear()
                with self._lock:
                    parts, over = self._parts[given:], self._over()
                for part in parts:
                    yield part
                given += len(parts)
                if over:
                    return
                if parts:
                    continue
                try:
                    await asyncio.wait_for(event.wait(), every)
                except TimeoutError:
                    yield None
        finally:
            with self._lock:
                self._readers.remove(reader)

    async def answer(self) -> SignedAnswer:
        """Return the answer once it is complete.

        Raises:
            ApiError: there is none.
        """
        async for _ in self.parts(every=60):
            pass
        assert self._answer is not None
        return self._answer

    def _over(self) -> bool:
        if self._error is not None:
            raise self._error
        return self._answer is not None

    def _wake(self) -> None:
        for loop, event in self._readers:
            loop.call_soon_threadsafe(event.set)
