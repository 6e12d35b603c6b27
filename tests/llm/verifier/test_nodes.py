"""Verifiers' nodes with a language model on a chain: what is audited, challenged and rejected."""

import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tallystick.chain.localnet import localnet
from tallystick.llm import opening
from tallystick.llm.engine.self_test import self_test
from tallystick.llm.language_model import LanguageModel
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.verdicts import Verdict
from tallystick.storage.margins_file import MarginNote, read_margins
from tests.llm.verifier.answers import honest
from tests.llm.verifier.conftest import EXACT, TOLERANCE
from tests.llm.verifier.stage import LlmStage, llm_stage
from tests.node.verifier.running import running, until
from tests.node.verifier.stage import OTHER, VERIFIERS, LiveChain, rounds

Start = Callable[..., LlmStage]
MANY = 2


@pytest.fixture(scope="module")
def shared_chain() -> Iterator[LiveChain]:
    with localnet() as w3:
        yield LiveChain(w3)


@pytest.fixture
def begin(shared_chain: LiveChain, tmp_path: Path) -> Iterator[Start]:
    with shared_chain.isolated():
        yield functools.partial(llm_stage, shared_chain, tmp_path)


def notes(verifier: Verifier) -> list[MarginNote]:
    return list(read_margins(verifier.home / "margins.jsonl"))


def test_tick__tolerance__honest_is_audited_and_the_cheaper_model_rejected(
    begin: Start, model: LanguageModel, cheap_model: LanguageModel
) -> None:
    staged = begin(TOLERANCE)
    right = staged.answer(honest(model), MANY)
    cheap = staged.answer(honest(cheap_model), MANY, OTHER)
    staged.seeded()
    verifiers = [staged.verifier(number) for number in VERIFIERS]

    rounds(*verifiers)

    assert staged.record(right).grade is Grade.AUDITED
    assert staged.record(cheap).state is State.REJECTED
    assert staged.chain.registry.archived(cheap.id).cause is Cause.RULING
    for verifier in verifiers:
        found = notes(verifier)
        assert {one.place for one in found} == {
            (batch.id, index) for batch in (right, cheap) for index in range(MANY)
        }
        assert {one.verdict for one in found if one.batch_id == right.id} == {Verdict.GOOD}
        of_cheap = [one for one in found if one.batch_id == cheap.id]
        assert {one.operator for one in of_cheap} == {staged.chain.accounts[OTHER]}
        assert Verdict.WRONG in {one.verdict for one in of_cheap}
        assert all(one.mismatches and one.mean > 0.05 for one in of_cheap)


def test_tick__exact__honest_is_audited_and_the_cheaper_model_rejected(
    begin: Start, model: LanguageModel, cheap_model: LanguageModel
) -> None:
    # One verifier of one: its engine tests itself, which takes a while.
    staged = begin(EXACT, threshold=1)
    right = staged.answer(honest(model), MANY)
    cheap = staged.answer(honest(cheap_model), MANY, OTHER)
    staged.seeded()
    verifier = staged.verifier()

    rounds(verifier)

    assert staged.record(right).grade is Grade.AUDITED
    assert staged.record(cheap).state is State.REJECTED
    assert {one.mismatches for one in notes(verifier) if one.batch_id == right.id} == {0}


def test_tick__engine_that_fails_its_self_test__says_nothing(
    begin: Start, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A shorter text gives other logits: as kernels of another class would.
    monkeypatch.setattr(opening, "self_test", functools.partial(self_test, ids=128))
    staged = begin(EXACT, threshold=1)
    batch = staged.answer(honest(model), 2)
    staged.seeded()
    verifier = staged.verifier()

    rounds(verifier)

    assert staged.record(batch).grade is Grade.UNCHALLENGED
    assert verifier.journal.finding(batch.id) is None
    assert verifier.failures == 1
    assert not (verifier.home / "margins.jsonl").exists()


def test_kill__with_answers_half_judged__signed_once_and_noted_once(
    begin: Start, model: LanguageModel, cheap_model: LanguageModel
) -> None:
    staged = begin(TOLERANCE, threshold=1)
    right = staged.answer(honest(model), MANY)
    cheap = staged.answer(honest(cheap_model), MANY, OTHER)
    staged.seeded()

    def noted() -> list[Path]:
        return list(staged.folder.rglob("margins.jsonl"))

    with running(staged, VERIFIERS[:1]) as (node,):
        until(lambda: "started" in node.text(), "the node starts", node)
        node.kill()
        node.begin()
        until(lambda: bool(noted()), "answers are noted", node)
        node.kill()
        (file,) = noted()
        with file.open("ab") as torn:
            torn.write(b'{"version": 1, "batchId": "0x')
        node.begin()
        until(
            lambda: (
                staged.record(right).grade is Grade.AUDITED
                and staged.record(cheap).state is State.REJECTED
            ),
            "one is audited, the other rejected",
            node,
        )
    places = [MarginNote.of_line(line).place for line in file.read_bytes().splitlines()]
    assert sorted(places) == sorted(
        (batch.id, index) for batch in (right, cheap) for index in range(MANY)
    )
    (journal,) = staged.folder.rglob("journal.sqlite3")
    with closing(sqlite3.connect(journal)) as opened:
        said = opened.execute("select kind, count(*) from statement group by kind").fetchall()
        made = dict(opened.execute("select kind, count(*) from move group by kind").fetchall())
    assert dict(said) == {"audit": 1, "verdict": 1}
    assert made == {"attest": 1, "challenge": 1, "resolve": 1}


@pytest.mark.parametrize(
    ("data", "output", "told"),
    [
        (b"{}", b"LLM1", "the body is not allowed: messages"),
        (b"\xff" * 9, b"LLM1", "the body is not allowed"),
        (b'{"prompt": "a", "top_p": 0.5}', b"LLM1", "the body is not allowed: top_p"),
        (b'{"prompt": "a"}', b"", "output"),
        (b'{"prompt": "a"}', b"\x00" * 200, "output"),
    ],
)
def test_tick__hostile_leaf__is_wrong_without_second_kernels(
    begin: Start, model: LanguageModel, data: bytes, output: bytes, told: str
) -> None:
    staged = begin(TOLERANCE)
    leaves = staged.blank(1)
    batch = staged.put(leaves, [data], lambda data, request: output)
    staged.seeded()
    verifiers = [staged.verifier(number) for number in VERIFIERS[:2]]

    rounds(*verifiers)

    assert staged.record(batch).state is State.REJECTED
    found = verifiers[0].journal.finding(batch.id)
    assert found is not None and found.kind == "wrong"
    assert told in found.note and "\n" not in found.note
    (note,) = notes(verifiers[0])
    assert (note.verdict, note.tokens, note.mismatches) == (Verdict.WRONG, 0, 0)
