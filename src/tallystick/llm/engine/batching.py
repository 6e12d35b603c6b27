"""Engine on llama.cpp with continuous batching: texts come and go between two steps."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any

from tallystick.closing import Closing
from tallystick.errors import FieldError
from tallystick.llm.engine.context import ROWS, Ask, Texts
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.protocol import Chooser, Reader, Row
from tallystick.llm.engine.share import shares
from tallystick.llm.engine.vocabulary import GgufVocabulary

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """An engine's work as it stands, and since it began."""

    queued: int
    running: int
    steps: int
    rows: int
    """Ids that were computed, of prompts and answers."""
    chosen: int
    """Ids that choosers have returned."""


class BatchTask:
    """Work of a `Batching` engine; a `tallystick.llm.engine.protocol.Task`."""

    def __init__(
        self, ids: Sequence[int], first: int, take: Callable[[int, Row], int | None]
    ) -> None:
        self.ids = list(ids)
        self.first = first
        """Position of the first id after which logits are wanted."""
        self.take = take
        self.done = 0
        """Ids that are in the slot."""
        self.cancelled = False
        self.future: Future[None] = Future()
        """Ends with the work; for asyncio.wrap_future. Only `cancel` of the task cancels it."""
        self.future.set_running_or_notify_cancel()

    def cancel(self) -> None:
        """Have the engine drop the work before its next step."""
        self.cancelled = True

    def wait(self, timeout: float | None = None) -> None:
        """Return when the work is done, or raise what it failed of."""
        self.future.result(timeout)

    def call_when_done(self, callback: Callable[[], Any]) -> None:
        """Call back once the work is over, from the engine's thread."""
        self.future.add_done_callback(lambda _: callback())


class Batching:
    """One thread that steps through the texts of a context; an `Engine`.

    A step computes up to 32 ids: one of each text that is being generated, and pieces of the
    prompts beside them.
    """

    def __init__(self, context: Texts) -> None:
        """Begin; the engine closes the context, its owner the model."""
        self._context = context
        self.vocabulary: GgufVocabulary = context.model.vocabulary
        self.context = context.ids
        self._queue: deque[BatchTask] = deque()
        self._running: dict[int, BatchTask] = {}
        self._steps = self._rows = self._chosen = 0
        self._closing = False
        self._changed = Condition()
        self._thread = Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    def generate(self, prompt: Sequence[int], choose: Chooser) -> BatchTask:
        """Queue a text to go on with, as `Engine.generate` says."""
        self._check(prompt, most=self.context - 1)
        return self._queued(BatchTask(prompt, len(prompt) - 1, lambda _, row: choose(row)))

    def prefill(self, ids: Sequence[int], first: int, read: Reader) -> BatchTask:
        """Queue a text to be read at once, as `Engine.prefill` says."""
        self._check(ids, most=self.context)
        if not 0 <= first < len(ids):
            raise FieldError("first", first, f"0 to {len(ids) - 1}")
        return self._queued(BatchTask(ids, first, lambda position, row: read(position, row)))

    def load(self) -> Load:
        """Return what the engine has to do, and has done."""
        with self._changed:
            return Load(len(self._queue), len(self._running), self._steps, self._rows, self._chosen)

    def close(self) -> None:
        """Cancel all work and let go of the context."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _check(self, ids: Sequence[int], most: int) -> None:
        if not 1 <= len(ids) <= most:
            raise FieldError("ids", f"{len(ids)} of them", f"1 to {most}")
        size = self.vocabulary.size
        if wrong := [one for one in ids if not 0 <= one < size]:
            raise FieldError("id", wrong[0], f"0 to {size - 1}")

    def _queued(self, task: BatchTask) -> BatchTask:
        with self._changed:
            if self._closing:
                raise EngineError("the engine is closed")
            self._queue.append(task)
            self._changed.notify()
        return task

    def _work(self) -> None:
        try:
            while self._admitted():
                self._step()
        finally:
            with self._changed:
                self._closing = True
                left = [*self._running.values(), *self._queue]
                self._running.clear()
                self._queue.clear()
            for task in left:
                _end(task, CancelledError())
            self._context.close()

    def _admitted(self) -> bool:
        """Wait for work and give it slots; False: the engine is to close."""
        with self._changed:
            while True:
                dropped = self._dropped()
                if self._queue or self._running or self._closing or dropped:
                    break
                self._changed.wait()
            if self._closing:
                return False
            for slot in range(self._context.slots):
                if slot not in self._running and self._queue:
                    self._context.forget(slot)
                    self._running[slot] = self._queue.popleft()
            self._close_ranks()
        for task in dropped:
            _end(task, CancelledError())
        return True

    def _dropped(self) -> list[BatchTask]:
        """Remove cancelled tasks and return them."""
        dropped = [task for task in (*self._queue, *self._running.values()) if task.cancelled]
        self._queue = deque(task for task in self._queue if not task.cancelled)
        self._running = {at: task for at, task in self._running.items() if not task.cancelled}
        return dropped

    def _close_ranks(self) -> None:
        """Leave no slot free below a used one: llama.cpp computes neighbours alone together."""
        for free in range(len(self._running)):
            if free not in self._running:
                last = max(self._running)
                self._context.move(last, free)
                self._running[free] = self._running.pop(last)

    def _step(self) -> None:
        tasks = sorted(self._running.items())
        if not tasks:
            return
        asks: list[Ask] = []
        readers: list[tuple[BatchTask, int]] = []
        for (slot, task), rows in zip(
            tasks, shares([len(task.ids) - task.done for _, task in tasks], ROWS), strict=True
        ):
            for position in range(task.done, task.done + rows):
                wanted = position >= task.first
                asks.append(Ask(task.ids[position], position, slot, wanted))
                if wanted:
                    readers.append((task, position))
            task.done += rows
        try:
            found = self._context.decode(asks)
        except EngineError as error:
            _log.error("%s", error)
            self._ended([(task, error) for _, task in tasks])
            return
        self._steps += 1
        self._rows += len(asks)
        ended: list[tuple[BatchTask, BaseException | None]] = []
        for (task, position), row in zip(readers, found, strict=True):
            self._read(task, position, row, ended)
        self._ended(ended)

    def _read(
        self,
        task: BatchTask,
        position: int,
        row: Row,
        ended: list[tuple[BatchTask, BaseException | None]],
    ) -> None:
        if ended and ended[-1][0] is task:  # failed a row before
            return
        try:
            chosen = task.take(position, row)
            if chosen is not None:
                self._go_on(task, chosen)
                return
        except Exception as error:
            ended.append((task, error))
            return
        if position == len(task.ids) - 1:
            ended.append((task, None))

    def _go_on(self, task: BatchTask, chosen: int) -> None:
        if not 0 <= chosen < self.vocabulary.size:
            raise FieldError("id", chosen, f"0 to {self.vocabulary.size - 1}")
        if len(task.ids) == self.context:
            raise EngineError(f"the text has {self.context} ids, the most of this engine")
        task.ids.append(int(chosen))
        self._chosen += 1

    def _ended(self, ended: Sequence[tuple[BatchTask, BaseException | None]]) -> None:
        over = {id(task) for task, _ in ended}
        with self._changed:
            self._running = {at: task for at, task in self._running.items() if id(task) not in over}
        for task, error in ended:
            _end(task, error)


class OwningBatching(Batching):
    """An engine that lets go of its model, too.

    Args:
        context: of the model.
        model: closed after the context.
    """

    def __init__(self, context: Texts, model: Closing) -> None:
        super().__init__(context)
        self._model = model

    def close(self) -> None:
        """Cancel all work and let go of context and model."""
        super().close()
        self._model.close()


def _end(task: BatchTask, error: BaseException | None) -> None:
    if error is not None:
        task.future.set_exception(error)
    else:
        task.future.set_result(None)
