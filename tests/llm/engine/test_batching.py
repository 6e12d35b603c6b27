"""Texts that come and go beside one another have the logits that each has alone."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from hashlib import sha256
from threading import Event

import numpy as np
import pytest

from tallystick.errors import FieldError
from tallystick.llm.engine.batching import Batching, BatchTask
from tallystick.llm.engine.context import Ask, Context
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.protocol import Engine, Row

CONTEXT = 256


class Answer:
    """A chooser that takes the likeliest id, and keeps a digest of each row."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.ids: list[int] = []
        self.rows: list[bytes] = []

    def __call__(self, row: Row) -> int | None:
        self.ids.append(int(row.argmax()))
        self.rows.append(sha256(row.tobytes()).digest())
        return self.ids[-1] if len(self.ids) < self.length else None


def prompt(seed: int, length: int) -> list[int]:
    return random.Random(seed).choices(range(49_152), k=length)


@pytest.fixture
def engine(model: Model) -> Iterator[Batching]:
    made = Batching(Context(model, CONTEXT, slots=4))
    yield made
    made.close()


def read(engine: Engine, ids: list[int], first: int) -> list[bytes]:
    """Digests of the rows of a text that is read at once."""
    found: dict[int, bytes] = {}
    engine.prefill(
        ids, first, lambda position, row: found.update({position: sha256(row.tobytes()).digest()})
    ).wait(300)
    assert list(found) == list(range(first, len(ids)))
    return list(found.values())


def test_generate__slots_freed_and_reused__each_row_is_the_prefills_to_the_bit(
    engine: Batching,
) -> None:
    asked = [
        (prompt(seed, length), Answer(answer))
        for seed, (length, answer) in enumerate(
            [(3, 20), (70, 2), (1, 12), (120, 6), (33, 9), (2, 1), (64, 11), (5, 15), (31, 4)]
        )
    ]

    for task in [engine.generate(ids, answer) for ids, answer in asked]:
        task.wait(300)

    for ids, answer in asked:
        assert len(answer.ids) == answer.length
        assert read(engine, ids + answer.ids[:-1], len(ids) - 1) == answer.rows


def test_generate__a_gap_between_slots__the_last_moves_without_a_change(engine: Batching) -> None:
    short, long = Answer(2), Answer(24)
    ids = prompt(40, 9)
    tasks = [engine.generate(prompt(41, 4), short), engine.generate(ids, long)]

    for task in tasks:
        task.wait(300)

    assert read(engine, ids + long.ids[:-1], len(ids) - 1) == long.rows


def test_prefill__beside_a_generated_text__starves_neither(engine: Batching) -> None:
    steps: list[int] = []
    answer = Answer(12)

    def choose(row: Row) -> int | None:
        steps.append(engine.load().steps)
        return answer(row)

    generated = engine.generate(prompt(1, 2), choose)
    long = engine.prefill(prompt(2, 250), 249, lambda position, row: None)
    generated.wait(300)
    long.wait(300)

    assert [later - earlier for earlier, later in zip(steps, steps[1:], strict=False)] == [1] * 11


def test_generate__more_texts_than_slots__all_are_answered(engine: Batching) -> None:
    answers = [Answer(3) for _ in range(64)]

    tasks = [engine.generate(prompt(seed, 3), answer) for seed, answer in enumerate(answers)]
    assert engine.load().queued >= 50
    for task in tasks:
        task.wait(300)

    assert [len(answer.ids) for answer in answers] == [3] * 64
    assert (engine.load().queued, engine.load().running) == (0, 0)
    alone = Answer(3)
    engine.generate(prompt(63, 3), alone).wait(300)
    assert alone.rows == answers[63].rows


def test_cancel__text_in_a_slot_and_text_in_the_queue__others_go_on(engine: Batching) -> None:
    began, cancelled = Event(), Event()

    def choose(row: Row) -> int:
        began.set()
        cancelled.wait(60)
        return int(row.argmax())

    running = engine.generate([1, 2, 3], choose)
    assert began.wait(60)
    others = [
        (engine.generate(prompt(i, 4), answer), answer) for i in range(4) for answer in [Answer(3)]
    ]
    queued = engine.generate([4, 5], choose)
    over: list[BatchTask] = []
    for task in (running, queued):
        task.call_when_done(lambda task=task: over.append(task))  # type: ignore[misc]
        task.cancel()
    cancelled.set()

    for task in (running, queued):
        with pytest.raises(CancelledError):
            task.wait(300)
    for other, answer in others:
        other.wait(300)
        assert len(answer.ids) == 3
    assert set(map(id, over)) == {id(running), id(queued)}


def test_generate__chooser_raises__its_text_alone_fails(engine: Batching) -> None:
    def choose(row: Row) -> int:
        raise KeyError("no such token")

    answer = Answer(4)
    failing, other = engine.generate([1], choose), engine.generate([2], answer)

    with pytest.raises(KeyError):
        failing.wait(300)
    other.wait(300)
    assert len(answer.ids) == 4


def test_generate__chooser_goes_on_past_the_context__fails_in_one_line(engine: Batching) -> None:
    task = engine.generate(prompt(1, CONTEXT - 1), lambda row: 7)

    with pytest.raises(EngineError, match="the text has 256 ids, the most of this engine"):
        task.wait(300)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda engine: engine.generate([], Answer(1)), "ids is 0 of them; needed: 1 to 255"),
        (lambda engine: engine.generate([1] * 256, Answer(1)), "ids is 256 of them"),
        (lambda engine: engine.generate([49_152], Answer(1)), "id is 49152; needed: 0 to 49151"),
        (lambda engine: engine.generate([-1], Answer(1)), "id is -1"),
        (lambda engine: engine.prefill([1] * 257, 0, print), "ids is 257 of them"),
        (lambda engine: engine.prefill([1, 2], 2, print), "first is 2; needed: 0 to 1"),
    ],
)
def test_ask__what_no_context_holds__is_refused(
    engine: Batching, ask: Callable[[Batching], object], said: str
) -> None:
    with pytest.raises(FieldError, match=said):
        ask(engine)


def test_close__texts_left__are_cancelled_and_further_ones_refused(model: Model) -> None:
    engine = Batching(Context(model, CONTEXT, slots=1))
    tasks = [engine.generate([1], Answer(200)) for _ in range(3)]

    engine.close()

    for task in tasks:
        with pytest.raises(CancelledError):
            task.wait(0)
    with pytest.raises(EngineError, match="closed"):
        engine.generate([1], Answer(1))


def test_decode__texts_of_a_mixed_step__have_the_rows_that_each_has_alone(model: Model) -> None:
    with Context(model, CONTEXT, slots=3) as context:
        ids = prompt(9, 40)
        alone = [
            row.copy()
            for start in (0, 20)
            for row in context.decode(
                [Ask(ids[at], at, 2, at > 30) for at in range(start, start + 20)]
            )
        ]
        context.forget(2)
        context.decode([Ask(at, at, slot, False) for slot in (0, 1) for at in range(10)])
        mixed = []
        for at in range(40):
            rows = context.decode(
                [Ask(7, 10 + at, 0, True), Ask(8, 10 + at, 1, True), Ask(ids[at], at, 2, at > 30)]
            )
            mixed += [rows[2].copy()] if at > 30 else []

    assert len(alone) == 9
    assert all(np.array_equal(one, other) for one, other in zip(alone, mixed, strict=True))
