"""The command that measures a tolerance, with a real model."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.llm.measuring_process import MeasuringProcess
from tallystick.llm.spec import Spec
from tests.llm.model_file import SMOLLM2_FILE
from tests.llm.verifier.conftest import EXACT, TOLERANCE
from tests.support.commands import Line, every_command

(EXAMPLE,) = {one.example for one in every_command() if one.name == "tallystick llm calibrate"}
PROMPTS = """Tell me about rain.

{"messages": [{"role": "user", "content": "Erzähl mir vom Meer."}], "language": "German"}
"""


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_kernels: MeasuringProcess
) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.gguf").symlink_to(SMOLLM2_FILE)
    (tmp_path / "spec.txt").write_text(TOLERANCE.text())
    (tmp_path / "prompts.txt").write_text(PROMPTS)
    return tmp_path


def run(*more: str) -> Result:
    group, words = Line.of(EXAMPLE).root
    return CliRunner(mix_stderr=False).invoke(group, [*words, "--answer", "16", *more])


def told(done: Result) -> Any:
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_calibrate__example_of_its_help__proposes_thresholds_and_goes_on(
    folder: Path, cheap_file: Path
) -> None:
    found = told(run("--json"))
    assert (found["answers"], found["wrong"]) == (2, 0)
    assert found["few"]
    of = {row["of"]: row for row in found["measured"]}
    assert {"all", "language German", "language not told", "temperature 0.8, min_p 0"} <= set(of)
    assert of["all"]["answers"] == 2 and of["language German"]["answers"] == 1
    proposed = Spec.parse((folder / "model.gguf.tolerance.txt").read_text())
    assert (proposed.context, proposed.exact) == (TOLERANCE.context, False)

    # Killed in the middle of its second answer, it tries that one alone.
    kept = folder / "model.gguf.tolerance.txt.jsonl"
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:2]) + lines[2][:-9])
    assert told(run("--json")) == found
    assert kept.read_bytes().splitlines(keepends=True) == lines

    cheaper = told(run("--json", "--cheaper", str(cheap_file)))
    of_cheap = [row for row in cheaper["measured"] if row["answered_by"] == cheap_file.name]
    assert of_cheap[0]["mismatches"] > of["all"]["mismatches"]
    assert of_cheap[0]["M"] > 10 * of["all"]["M"]


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("spec.txt", EXACT.text(), "spec.txt is exact; needed: a spec with a tolerance"),
        ("spec.txt", "tallystick LLM-1\n", "line 2 of the spec"),
        ("prompts.txt", "\n", "prompts.txt is empty; needed: a prompt a line"),
        ("prompts.txt", "{", "prompts.txt: line 1"),
        ("prompts.txt", '{"messages": [], "prompt": "a"}', "prompts.txt: line 1"),
        ("prompts.txt", '{"prompt": "a", "top_p": 0.5}', "prompt 1 is top_p"),
    ],
)
def test_calibrate__what_cannot_be_measured__is_refused_in_one_line(
    folder: Path, file: str, text: str, reason: str
) -> None:
    (folder / file).write_text(text)
    done = run()
    assert done.exit_code != 0
    (line,) = done.stderr.strip().splitlines()
    assert reason in line
