"""Language models in integers: imported, answered by, audited, and cheats rejected.

import      the real model's file, near its floats | other architectures and files, refused
nodes       an honest operator is audited, a cheaper model's answers are rejected, without a second
            opinion
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallystick.cli.main import main
from tallystick.errors import ModelRefusedError
from tallystick.llm.integer.file import is_integer, read_model, write_model
from tallystick.llm.integer.importer import import_gguf
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.opening import open_model
from tallystick.llm.sampler import Sampling
from tallystick.llm.spec import Integers, Spec
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.storage.models.content import content_hash
from tests.llm.model_file import SMOLLM2_FILE
from tests.llm.verifier.answers import body, honest
from tests.llm.verifier.conftest import TOLERANCE
from tests.llm.verifier.stage import LlmStage
from tests.llm.verifier.test_nodes import MANY, begin, shared_chain
from tests.node.verifier.stage import OTHER, rounds

__all__ = ["begin", "shared_chain"]
Start = Callable[..., LlmStage]
INTEGER = Spec(context=512, tokens=64, comparison=Integers())
_TEXT = Path(__file__).parents[3] / "LICENSE"


@pytest.fixture(scope="session")
def integer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("integers") / "SmolLM2.i8.gguf"
    write_model(import_gguf(SMOLLM2_FILE, 512), file, SMOLLM2_FILE)
    return file


@pytest.fixture(scope="session")
def cheap_integers(
    cheap_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LanguageModel]:
    file = tmp_path_factory.mktemp("cheap integers") / "SmolLM2.i8.gguf"
    write_model(import_gguf(cheap_file, 512), file, cheap_file)
    with open_model(file, INTEGER, slots=1) as opened:
        yield opened


@pytest.fixture(scope="session")
def integers(integer_file: Path) -> Iterator[LanguageModel]:
    with open_model(integer_file, INTEGER, slots=2) as opened:
        yield opened


def test_import__real_model__foretells_a_text_as_its_floats_do(tmp_path: Path) -> None:
    target = tmp_path / "SmolLM2.i8.gguf"
    words = ["llm", "import", str(SMOLLM2_FILE), str(target), "--context", "300"]

    ran = CliRunner(mix_stderr=False).invoke(main, [*words, "--text", str(_TEXT), "--json"])

    assert ran.exit_code == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["layers"], told["tokens"], told["context"]) == (30, 49_152, 300)
    assert told["bytes"] == target.stat().st_size
    assert told["text_tokens"] > 200
    # llama.cpp's own rounding of activations is as large as the difference.
    assert told["perplexity"] == pytest.approx(told["perplexity_of_source"], rel=0.02)
    assert is_integer(target) and not is_integer(SMOLLM2_FILE)


def test_import__same_source__same_file(integer_file: Path, tmp_path: Path) -> None:
    again = tmp_path / integer_file.name
    write_model(read_model(integer_file), again, SMOLLM2_FILE)

    assert content_hash(again) == content_hash(integer_file)


@pytest.mark.parametrize(
    ("place", "changed", "reason"),
    [
        (b"llm_i8.width", b"llm_i8.widtH", "no llm_i8.width"),
        (b"blk.7.attn_q.weight", b"blk.7.attn_x.weight", "no blk.7.attn_q.weight"),
        (b"LLM-I8", b"LLM-I9", "not one of LLM-I8"),
    ],
)
def test_read_model__another_file__refused_by_what_is_wrong(
    integer_file: Path, tmp_path: Path, place: bytes, changed: bytes, reason: str
) -> None:
    content = integer_file.read_bytes()
    assert content.count(place) == 1
    file = tmp_path / "other.gguf"
    file.write_bytes(content.replace(place, changed))

    with pytest.raises(ModelRefusedError, match=reason):
        read_model(file)


def test_import__integers_again__refused(integer_file: Path) -> None:
    with pytest.raises(ModelRefusedError, match="one of LLM-I8 already"):
        import_gguf(integer_file)


def test_open_model__spec_of_another_kind__refused_either_way(integer_file: Path) -> None:
    with pytest.raises(ModelRefusedError, match="llm import"):
        open_model(SMOLLM2_FILE, INTEGER)
    with pytest.raises(ModelRefusedError):
        open_model(integer_file, TOLERANCE)


def test_generate__two_at_once__as_one_after_the_other(integers: LanguageModel) -> None:
    questions = [integers.put(body(number, max_tokens=6)) for number in range(2)]
    chances = [Sampling(bytes([number]) * 32) for number in range(2)]
    alone = [
        integers.generate(question, chance).wait()
        for question, chance in zip(questions, chances, strict=True)
    ]

    both = [
        integers.generate(question, chance)
        for question, chance in zip(questions, chances, strict=True)
    ]

    assert [one.wait() for one in both] == alone


def test_tick__integers__honest_is_audited_and_the_cheaper_model_rejected(
    begin: Start,  # noqa: F811
    integer_file: Path,
    integers: LanguageModel,
    cheap_integers: LanguageModel,
) -> None:
    staged = begin(INTEGER, threshold=1, file=integer_file)
    right = staged.answer(honest(integers), MANY)
    cheap = staged.answer(honest(cheap_integers), MANY, OTHER)
    staged.seeded()
    verifier = staged.verifier()

    rounds(verifier)

    assert staged.record(right).grade is Grade.AUDITED
    assert staged.record(cheap).state is State.REJECTED
    assert staged.chain.registry.archived(cheap.id).cause is Cause.RULING
