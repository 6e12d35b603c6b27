"""Registering a language model: its spec is written, and what nobody could render is refused."""

from itertools import count
from pathlib import Path

import pytest

from tallystick.llm.spec import Spec
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.storage.models.content import content_hash
from tests.integration.conftest import Commands, chain, commands, shared_chain
from tests.llm.model_file import SMOLLM2_FILE
from tests.llm.verifier.conftest import EXACT, TOLERANCE
from tests.support.chain import Chain
from tests.support.story import RULES, register

__all__ = ["chain", "commands", "shared_chain"]
_SALTS = count(90)
_SAYS = b"You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""In the template of SmolLM2; what replaces it is as long."""


@pytest.fixture
def line(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> list[object]:  # noqa: F811
    monkeypatch.setenv("TALLYSTICK_REGISTRY", to_hex(chain.registry.address))
    network = register(chain, chain.accounts[1], RULES, max_bytes=4096, salt=next(_SALTS))
    return [to_hex(network.id), "--name", "SmolLM2"]


def test_model_register__gguf__spec_is_written_beside_it_and_both_hashes_registered(
    chain: Chain,
    commands: Commands,
    line: list[object],
    tmp_path: Path,  # noqa: F811
) -> None:
    file = tmp_path / "model.gguf"
    file.symlink_to(SMOLLM2_FILE)
    words = [*line, "--file", file, "--make-spec", "tolerance", "--context", 512, "--tokens", 64]
    written = tmp_path / "model.gguf.tolerance.txt"

    dry = commands.json("model register", *words, "--dry-run", account=1)

    assert dry["dry_run"] and not written.exists()
    told = commands.json("model register", *words, account=1)
    assert Spec.parse(written.read_text()) == TOLERANCE
    assert told["spec"] == str(written)
    assert (told["answers"], told["context"], told["chat_template"]) == ("tolerance", 512, True)
    assert "golden" not in told
    model = chain.ledger().models[from_hex(told["model_id"])]
    assert model.content_hash == content_hash(SMOLLM2_FILE)
    assert model.spec_hash == TOLERANCE.spec_hash()
    again = commands.json("model register", *words, account=1)
    assert again["move"] == "none: registered already"
    written.write_text(EXACT.text())
    assert "with another text" in commands.error("model register", *words, account=1)


def test_model_register__exact_spec_of_ones_own__is_taken_as_it_is(
    commands: Commands,
    line: list[object],
    tmp_path: Path,  # noqa: F811
) -> None:
    (tmp_path / "spec.txt").write_text(EXACT.text())
    named = ["--file", SMOLLM2_FILE, "--spec", tmp_path / "spec.txt", "--dry-run"]
    told = commands.json("model register", *line, *named, account=1)
    assert told["answers"] == "exact" and len(told["comparison"]) == 5


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"' + strftime_now('%d %B %Y') + '", "strftime_now"),
        (b"' + (range(9)|random|string) + '", "random"),
        (b"' + raise_exception('no') + '", "of one message"),
    ],
)
def test_model_register__template_that_nobody_could_render_again__is_refused(
    commands: Commands,
    line: list[object],
    tmp_path: Path,
    says: bytes,
    reason: str,  # noqa: F811
) -> None:
    file = tmp_path / "model.gguf"
    whole = SMOLLM2_FILE.read_bytes()
    assert _SAYS in whole
    file.write_bytes(whole.replace(_SAYS, says.ljust(len(_SAYS)), 1))
    words = [*line, "--file", file, "--make-spec", "tolerance", "--context", 512]
    text = commands.error("model register", *words, account=1)
    assert reason in text


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"GGUF\3\0\0\0", "ends within"), (b"PK\3\4" * 9, "not a GGUF")],
)
def test_model_register__hostile_file__is_refused(
    commands: Commands,
    line: list[object],
    tmp_path: Path,
    content: bytes,
    reason: str,  # noqa: F811
) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    (tmp_path / "spec.txt").write_text(TOLERANCE.text())
    for named in (["--make-spec", "tolerance"], ["--spec", tmp_path / "spec.txt"]):
        words = [*line, "--file", file, *named]
        assert reason in commands.error("model register", *words, account=1)


def test_model_register__spec_of_something_else__is_refused(
    commands: Commands,
    line: list[object],
    tmp_path: Path,  # noqa: F811
) -> None:
    spec = tmp_path / "spec.txt"
    words = [*line, "--file", SMOLLM2_FILE, "--spec", spec]
    assert "spec.txt" in commands.error("model register", *words, account=1)
    spec.write_text("tallystick ONNX-1\ncomparison exact\n")
    assert "not one of LLM-1" in commands.error("model register", *words, account=1)
    spec.write_text(Spec(1 << 20, 64, TOLERANCE.comparison).text())
    assert "trained on" in commands.error("model register", *words, account=1)
