"""Examples of the guide and of the commands' helps, as they stand, with a real model."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner

from tallystick.client.llm.kept import KeptAnswer
from tallystick.demo.processes import free_port
from tallystick.llm.integer.file import is_integer
from tallystick.node.settings import OperatorSettings, ServedModel
from tallystick.protocol.hexes import checksummed, to_hex
from tests.llm.model_file import SMOLLM2_FILE
from tests.llm.nodes.conftest import SPEC, LlmScene
from tests.support.builds import ROOT
from tests.support.commands import Line, every_command
from tests.support.llm_proxy import PASSPHRASE, write_keyfile
from tests.support.operator_process import OperatorProcess
from tests.support.patience import PATIENCE
from tests.support.story import KEY_OF, REQUESTERS

PAGE = (ROOT / "docs/llm-guide.md").read_text()
EXAMPLES = {
    one.name: one.example for one in every_command() if one.name.startswith("tallystick llm")
}


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.S | re.M)
    return str(found)


@pytest.fixture
def names(scene: LlmScene, node: OperatorProcess) -> dict[str, str]:
    return {
        "NODE": node.url,
        "LLM": to_hex(scene.model_id),
        "RPC": str(scene.w3.provider.endpoint_uri),  # type: ignore[attr-defined]
    }


@pytest.fixture
def variables(scene: LlmScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables of a shell in a folder with a keyfile."""
    monkeypatch.chdir(tmp_path)
    return {
        "TALLYSTICK_ACCOUNT": str(write_keyfile(tmp_path)),
        "TALLYSTICK_PASSPHRASE": PASSPHRASE,
        "TALLYSTICK_REGISTRY": checksummed(scene.chain.registry.address),
        "TALLYSTICK_CACHE": str(tmp_path / "cache"),
    }


def run(example: str, names: dict[str, str], variables: dict[str, str]) -> str:
    group, words = Line.of(Template(example).substitute(names)).root
    runner = CliRunner(mix_stderr=False, env=variables)
    result = runner.invoke(group, words, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return str(result.stdout)


def test_guide__python__answer_and_its_batch(
    scene: LlmScene, names: dict[str, str], variables: dict[str, str]
) -> None:
    code = (
        block("python")
        .replace('"https://rpc.example"', f'"{names["RPC"]}"')
        .replace("https://operator.example", names["NODE"])
        .replace("key=KEY", f'key=KEY, registry="{variables["TALLYSTICK_REGISTRY"]}"')
    )
    found: dict[str, Any] = {"KEY": KEY_OF[REQUESTERS[0]], "MODEL": scene.model_id}
    exec(code, found)
    found["asking"].close()
    kept = KeptAnswer.read(Path("answers") / f"{found['answer'].id}.json")
    assert kept.receipt and found["batch"] == to_hex(kept.receipt.batch_id)


def test_guide__settings__are_an_operators() -> None:
    section = yaml.safe_load(block("yaml"))["operator"]
    (model,) = section["models"]
    assert section.keys() <= OperatorSettings.model_fields.keys()
    assert model.keys() <= ServedModel.model_fields.keys() and model["runner"] == "llm"


def test_examples__ask_then_check__run_as_they_stand(
    names: dict[str, str], variables: dict[str, str]
) -> None:
    assert run(EXAMPLES["tallystick llm ask"], names, variables).strip()
    (file,) = Path("answers").glob("chatcmpl-*.json")
    names = names | {"ANSWER": file.stem}
    for name in ("tallystick llm check", "tallystick llm"):
        assert file.stem in run(EXAMPLES[name], names, variables)


def test_example__of_the_proxy__answers_and_ends(
    names: dict[str, str], variables: dict[str, str], tmp_path: Path
) -> None:
    line = Line.of(Template(EXAMPLES["tallystick llm proxy"]).substitute(names))
    tool, port = Path(sys.executable).parent / line.words[0], free_port()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [tool, *line.words[1:], "--port", str(port)],
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                key = Path("answers/proxy.key").read_text().strip()
                said = httpx.get(
                    f"http://127.0.0.1:{port}/v1/models", headers={"Authorization": f"Bearer {key}"}
                )
                break
            except (httpx.TransportError, FileNotFoundError):
                told = (tmp_path / "log").read_text()
                assert process.poll() is None and time.monotonic() < end, told
                time.sleep(0.1)
        assert said.json()["data"][0]["id"] == names["LLM"]
        process.terminate()
        assert process.wait(timeout=PATIENCE) in (0, -signal.SIGTERM)
        assert "Traceback" not in (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()


def test_example__of_calibrate__proposes_thresholds(variables: dict[str, str]) -> None:
    Path("model.gguf").symlink_to(SMOLLM2_FILE)
    Path("spec.txt").write_text(SPEC.text())
    Path("prompts.txt").write_text("Tell me a joke about trees.\n")
    assert "x1" in run(EXAMPLES["tallystick llm calibrate"], {}, variables)


def test_example__of_import__makes_a_model_in_integers(variables: dict[str, str]) -> None:
    Path("model.gguf").symlink_to(SMOLLM2_FILE)

    assert "content hash" in run(EXAMPLES["tallystick llm import"], {}, variables)
    assert is_integer(Path("model.i8.gguf"))


def test_examples__all_of_the_group__are_run_here() -> None:
    names = ("ask", "calibrate", "check", "import", "proxy")
    assert EXAMPLES.keys() == {"tallystick llm", *(f"tallystick llm {name}" for name in names)}
