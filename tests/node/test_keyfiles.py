"""Nodes and scripts whose keys are Ape's keyfiles, as processes without a terminal."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import yaml
from redis import Redis

from tallystick.chain.localnet import localnet
from tallystick.demo.digits.model import FILE, RUNNER
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.receipt import Receipt
from tests.node.verifier.running import redis
from tests.node.verifier.stage import OPERATOR, VERIFIERS, LiveChain, Stage, account, stage
from tests.support.builds import ROOT
from tests.support.keyfile import Keyfiles
from tests.support.operator_process import OperatorProcess
from tests.support.patience import PATIENCE
from tests.support.story import KEY_OF, REQUESTERS

PASSPHRASES = {"olga": "Tally-Olga-51", "vera": "Tally-Vera-52"}
"""Of the operator's and the verifier's account."""
REFUSALS = {"missing": "needed: its passphrase in", "wrong": "does not open"}


@dataclass
class Cast:
    """Accounts in keyfiles, and where they play."""

    stage: Stage
    keyfiles: Keyfiles
    folder: Path

    @property
    def rpc(self) -> str:
        return str(self.stage.chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]

    def operator_settings(self) -> dict[str, Any]:
        network = self.stage.network
        return {
            "common": {
                "rpc": self.rpc,
                "registry": to_hex(self.stage.chain.registry.address),
                "poll_every": 0.1,
                "account": "olga",
                "log_level": "debug",
            },
            "operator": {
                "network_id": to_hex(network.id),
                "models": [{"id": to_hex(network.model_id), "file": str(FILE), "runner": RUNNER}],
                "commit_every": 0.3,
                "commit_margin": 30.0,
            },
        }

    def verifier_settings(self, **changes: Any) -> Path:
        settings = self.stage.settings("vera", **changes)
        settings["common"] |= {"account": "vera", "log_level": "debug"}
        file = self.folder / "vera.yaml"
        file.write_text(yaml.safe_dump(settings))
        return file

    def ape_run(self, *words: str, **passphrases: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["ape", "run", *words],
            cwd=ROOT,
            env=self.keyfiles.environment(**passphrases),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )


@pytest.fixture(scope="module")
def keyfiles(tmp_path_factory: pytest.TempPathFactory) -> Keyfiles:
    made = Keyfiles(tmp_path_factory.mktemp("ape"))
    made.add("olga", bytes(account(OPERATOR).key), PASSPHRASES["olga"])
    made.write("vera", bytes(account(VERIFIERS[0]).key), PASSPHRASES["vera"])
    return made


@pytest.fixture(scope="module")
def shared_chain() -> Iterator[LiveChain]:
    with localnet() as w3:
        yield LiveChain(w3)


@pytest.fixture
def cast(shared_chain: LiveChain, keyfiles: Keyfiles, tmp_path: Path) -> Iterator[Cast]:
    with shared_chain.isolated():
        yield Cast(stage(shared_chain, tmp_path, threshold=1), keyfiles, tmp_path)


def ask(cast: Cast, node: OperatorProcess, count: int) -> tuple[list[bytes], Any]:
    """Ask for inferences; returns the requests' hashes and the answer."""
    chain, network = cast.stage.chain, cast.stage.network
    requests, lines = [], []
    for nonce in range(count):
        sample, requester = cast.stage.samples[nonce], REQUESTERS[0]
        operator, deadline = chain.accounts[OPERATOR], chain.now + 1800
        request = Request(network.model_id, operator, keccak256(sample), requester, nonce, deadline)
        signature = request.sign(chain.registry.domain, KEY_OF[requester])
        requests.append(request.struct_hash())
        lines.append(
            {
                "requester": to_hex(requester),
                "nonce": nonce,
                "deadline": deadline,
                "input": to_hex(sample),
                "signature": to_hex(signature),
            }
        )
    answer = node.client.post(
        "/inferences", json={"model_id": to_hex(network.model_id), "inferences": lines}
    )
    answer.raise_for_status()
    return requests, answer.json()


def wait(true: Any, *logs: Path) -> None:
    end = monotonic() + PATIENCE
    while not true():
        assert monotonic() < end, "\n".join(log.read_text()[-4000:] for log in logs)
        sleep(0.1)


def test_nodes__keyfiles_of_ape__answer_commit_and_audit_unasked(cast: Cast) -> None:
    workers = 2
    chain, network = cast.stage.chain, cast.stage.network
    environment = cast.keyfiles.environment(**PASSPHRASES)
    node = OperatorProcess(cast.folder / "operator", cast.operator_settings(), OPERATOR)
    with ExitStack() as stack:
        changes: dict[str, Any] = {"stores": [f"{node.url}/batches"]}
        changes |= {"broker": stack.enter_context(redis()), "workers": workers}
        file, log = cast.verifier_settings(**changes), cast.folder / "vera.log"
        with log.open("ab") as told:
            verifier = stack.enter_context(
                subprocess.Popen(
                    ["ape", "run", "node", "verifier", "--settings", str(file)],
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=told,
                    stderr=told,
                )
            )
        stack.callback(verifier.kill)
        command = ["ape", "run", "node", "operator", "--settings", str(node.path)]
        node.launch(command, environment)
        stack.callback(node.kill)
        node.wait()

        requests, answer = ask(cast, node, 40)
        outputs = tuple(from_hex(one["output_hash"]) for one in answer["answers"])
        operator = chain.accounts[OPERATOR]
        who = (network.id, operator, from_hex(answer["key"]))
        word = Acknowledgement(*who, answer["time"], tuple(requests), outputs)
        word.check(chain.registry.domain, from_hex(answer["signature"]))
        wait(lambda: all("receipt" in one for one in node.receipts(requests)), node.log)
        for one in node.receipts(requests):
            Receipt.from_json(one["receipt"]).check()
        cast.stage.seeded()

        def audited() -> bool:
            batches = chain.ledger().batches.values()
            return all(one.grade is Grade.AUDITED for one in batches)

        wait(audited, log)
        check_results(changes["broker"])
        assert node.stop() == 0
        verifier.terminate()
        assert verifier.wait(PATIENCE) == 0
    assert [one.state for one in chain.ledger().batches.values()] == [State.OPEN]
    said = node.log.read_text() + log.read_text()
    assert '"event": "batch committed"' in said
    assert not any(passphrase in said for passphrase in PASSPHRASES.values())
    # One line a signature would be the most of the log.
    assert "Using cached key" not in said
    assert log.read_text().count('"event": "worker started"') == workers


def check_results(url: str) -> None:
    """What workers leave in Redis is JSON: nobody who can write there can have code run."""
    with Redis.from_url(url) as client:
        texts = [key for key in client.scan_iter() if client.type(key) == b"string"]
        found = [json.loads(client.get(key)) for key in texts]
    assert found and all("is_err" in one for one in found)


# Both open keyfiles by the same code.
@pytest.mark.parametrize(("role", "passphrase"), [("operator", "missing"), ("verifier", "wrong")])
def test_node__passphrase_missing_or_wrong__one_line_and_no_prompt(
    cast: Cast, role: str, passphrase: str
) -> None:
    if role == "operator":
        file, alias = cast.folder / "olga.yaml", "olga"
        file.write_text(yaml.safe_dump(cast.operator_settings()))
    else:
        file, alias = cast.verifier_settings(), "vera"
    wrong = {alias: "Tally-Wrong-99"} if passphrase == "wrong" else {}

    done = cast.ape_run("node", role, "--settings", str(file), **wrong)

    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: account {alias} is locked; ")
    assert REFUSALS[passphrase] in line and f"APE_ACCOUNTS_{alias}_PASSPHRASE" in line
    assert "Tally-Wrong-99" not in done.stderr + done.stdout
    assert done.returncode == 1


def test_stake__keyfile_and_its_passphrase__sends_unasked(cast: Cast) -> None:
    network, operator = cast.stage.network, cast.stage.chain.accounts[OPERATOR]
    before = network.lane(operator).stake
    words = ["stake", "deposit", to_hex(network.id), "700", "--account", "olga", "--json"]
    words += ["--registry", to_hex(cast.stage.chain.registry.address)]
    words += ["--network", f"ethereum:local:{cast.rpc}"]

    done = cast.ape_run(*words, **PASSPHRASES)

    assert done.returncode == 0, done.stderr
    assert network.lane(operator).stake == before + 700
    assert json.loads(done.stdout[done.stdout.rindex("{") :])["move"] == "stake"
    assert PASSPHRASES["olga"] not in done.stdout + done.stderr


def test_stake__keyfile_that_nobody_can_open__one_line_and_nothing_sent(cast: Cast) -> None:
    network, chain = cast.stage.network, cast.stage.chain
    nonce = chain.w3.eth.get_transaction_count(account(OPERATOR).address)
    words = ["stake", "deposit", to_hex(network.id), "700", "--account", "olga", "--json"]
    words += ["--registry", to_hex(chain.registry.address)]
    words += ["--network", f"ethereum:local:{cast.rpc}"]

    done = cast.ape_run(*words)

    (line,) = done.stderr.splitlines()
    assert line.startswith("error: account olga is locked; ") and REFUSALS["missing"] in line
    assert (done.returncode, done.stdout) == (1, "")
    assert chain.w3.eth.get_transaction_count(account(OPERATOR).address) == nonce
