"""`tallystick llm ask` and `check`, with a real model."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.cli.main import main
from tallystick.client.llm.kept import AnswerFolder, KeptAnswer
from tallystick.llm.output import Output
from tallystick.llm.wire import SignedAnswer
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.signature import sign
from tests.llm.client.conftest import asking_options
from tests.llm.model_file import SMOLLM2_FILE
from tests.llm.nodes.conftest import LlmScene, chat, post
from tests.node.operator.conftest import OPERATOR
from tests.support.llm_proxy import PASSPHRASE, write_keyfile
from tests.support.operator_process import OperatorProcess, dev_account
from tests.support.story import KEY_OF

Run = Callable[..., Result]
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    write_keyfile(folder)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    def run(*words: str) -> Result:
        variables = {
            "TALLYSTICK_PASSPHRASE": PASSPHRASE,
            "TALLYSTICK_ACCOUNT": str(folder / "key.json"),
            "TALLYSTICK_CACHE": str(folder / "cache"),
        }
        runner = CliRunner(mix_stderr=False, env=variables)
        return runner.invoke(main, ["llm", *words], catch_exceptions=False)

    return run


@pytest.fixture(scope="module")
def asked(scene: LlmScene, node: OperatorProcess, run: Run, folder: Path) -> Any:
    """What `ask` says, and the file with the receipt."""
    result = run(
        "ask",
        "Tell me a joke.",
        *("--max-tokens", "40", "--wait", "120", "--json", "--answers", str(folder / "answers")),
        *asking_options(scene, node.url),
    )
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_ask__question__answer_and_then_what_was_checked(
    scene: LlmScene, node: OperatorProcess, run: Run, tmp_path: Path
) -> None:
    result = run(
        *("ask", "Hello.", "--max-tokens", "8", "--temperature", "0", "--answers", str(tmp_path)),
        *asking_options(scene, node.url),
    )
    assert result.exit_code == 0, result.stderr
    (file,) = tmp_path.glob("chatcmpl-*.json")
    assert result.stdout == KeptAnswer.read(file).answer.text + "\n"
    assert "checked: text, finish_reason, usage, id" in result.stderr and str(file) in result.stderr


def test_ask__dry_run__says_who_would_be_asked(
    scene: LlmScene, node: OperatorProcess, run: Run, tmp_path: Path
) -> None:
    options = asking_options(scene, node.url)
    words = ("--answers", str(tmp_path / "a"), "--dry-run", "--json")
    result = run("ask", "Hello.", *words, *options)
    (found,) = json.loads(result.stdout)
    assert found["url"] == node.url and found["serves_model"] is True
    assert not (tmp_path / "a").exists()


def test_ask__nobody_there__one_line(scene: LlmScene, run: Run, tmp_path: Path) -> None:
    words = ("ask", "Hello.", "--answers", str(tmp_path))
    result = run(*words, *asking_options(scene, "http://127.0.0.1:1"))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: http://127.0.0.1:1 does not answer")


def test_check__receipt__against_the_chain_and_executed_again(
    asked: Any, scene: LlmScene, run: Run
) -> None:
    rpc = asking_options(scene)[3]
    result = run(
        *("check", asked["file"], "--rpc", rpc, "--json"),
        *("--model", str(SMOLLM2_FILE), "--spec", str(scene.spec)),
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["batch_id"] == asked["batch_id"] and found["state"] == "open"
    assert (found["verdict"], found["mismatches"], found["M"]) == ("good", 0, 0.0)


def test_check__operator_that_took_another_temperature__tokens_are_not_the_models(
    scene: LlmScene, node: OperatorProcess, run: Run, tmp_path: Path
) -> None:
    # One nonce has one answer: so many of its tokens are others at every run.
    body = chat("Tell me a joke.", max_tokens=40, temperature=1.0)
    header, request = scene.header(body, nonce=77)
    said = post(node, body, header).json()
    domain, asked = scene.chain.registry.domain, body.replace(b"1.0", b"0.3")
    request = replace(request, input_hash=keccak256(asked))
    answer = SignedAnswer(
        Output.decode(from_hex(said["tallystick"]["output"])),
        said["choices"][0]["message"]["content"],
        said["tallystick"]["time"],
        bytes(65),
    )
    lied = KeptAnswer(
        domain,
        True,
        asked,
        request,
        request.sign(domain, KEY_OF[request.requester]),
        answer,
        scene.network.id,
        scene.operator,
        block=1,
    )
    signature = sign(domain.digest(lied.word.struct_hash()), bytes(dev_account(OPERATOR).key))
    lied = replace(lied, answer=replace(answer, signature=signature))
    AnswerFolder(tmp_path).keep(lied)
    result = run(
        *("check", str(tmp_path / f"{lied.id}.json"), "--json"),
        *("--model", str(SMOLLM2_FILE), "--spec", str(scene.spec)),
    )
    found = json.loads(result.stdout)
    # One kernel class alone calls nobody wrong.
    assert found["verdict"] in ("wrong", "doubtful") and found["mismatches"] > 0
    assert result.exit_code == (1 if found["verdict"] == "wrong" else 0)


def _text(kept: dict[str, Any]) -> None:
    kept["text"] += "!"


def _body(kept: dict[str, Any]) -> None:
    kept["body"] += " "


def _output(kept: dict[str, Any]) -> None:
    kept["output"] = kept["output"][:-72] + "00000001" + kept["output"][-64:]


def _word(kept: dict[str, Any]) -> None:
    kept["acknowledgement"]["time"] += 1


def _leaf(kept: dict[str, Any]) -> None:
    kept["receipt"]["inference"]["nonce"] += 1


def _version(kept: dict[str, Any]) -> None:
    kept["version"] = 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_text, "text: "),
        (_body, "id: "),
        (_output, "signature: "),
        (_word, "signature: "),
        (_leaf, "receipt: "),
        (_version, "of format version 2"),
    ],
)
def test_check__file_that_was_altered__says_which_part(
    asked: Any, run: Run, tmp_path: Path, change: Change, named: str
) -> None:
    kept = json.loads(Path(asked["file"]).read_text())
    change(kept)
    file = tmp_path / "altered.json"
    file.write_text(json.dumps(kept))
    result = run("check", str(file))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ") and named in result.stderr


def test_check__no_json_or_no_spec__one_line(asked: Any, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("[" * 5000)
    result = run("check", str(file))
    assert result.exit_code == 1 and "is no kept answer" in result.stderr
    result = run("check", asked["file"], "--model", str(SMOLLM2_FILE), "--spec", str(file))
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert run("check", asked["file"], "--model", str(SMOLLM2_FILE)).exit_code == 2
