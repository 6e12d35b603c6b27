"""enclave-http as users run it: an endpoint is asked, its answer checked, committed and counted.

submit: graded | again | killed after its claim | of another form, model, key, operator, network
check: good | another signer, model, body | files that are none
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tallystick.chain.abi import contract
from tallystick.chain.call import encode_call
from tallystick.cli.main import main
from tallystick.client import enclave_endpoint
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.signature import account_of
from tests.integration.conftest import Commands, Kill
from tests.support.chain import Chain
from tests.support.enclave import ENDORSER_KEYS, Endorsed
from tests.support.enclave_http import http_network
from tests.support.signing_endpoint import SigningEndpoint, signing_endpoint
from tests.support.story import CREDIT, Network

MODEL = "qwen/qwen3-8b"
REQUEST = {"model": MODEL, "messages": [{"role": "user", "content": "2+2?"}]}
FILES = ("request.bin", "response.bin", "signature.json")


@dataclass
class Scene:
    """A network under a deployed resolver, an endpoint whose key is endorsed, and a folder."""

    chain: Chain
    commands: Commands
    server: SigningEndpoint
    resolver: Endorsed
    network: Network
    folder: Path

    def ask(self, name: str = "answer", **more: Any) -> list[Path]:
        """Ask by the command; return the three files."""
        request = self.folder / "request.json"
        request.write_text(json.dumps({**REQUEST, **more}))
        out = self.folder / name
        self.plain("ask", self.server.url, request, "--out", out)
        return [out / file for file in FILES]

    def plain(self, *words: object) -> Any:
        result = self.tallystick("enclave-http", *words, "--json")
        assert result.exit_code == 0, (result.stderr, result.exception)
        return json.loads(result.stdout)

    def refused(self, *words: object) -> str:
        result = self.tallystick("enclave-http", *words)
        assert result.exit_code == 1, (result.stdout, result.stderr, result.exception)
        (line,) = result.stderr.strip().splitlines()
        return line

    def tallystick(self, *words: object) -> Result:
        return CliRunner(mix_stderr=False).invoke(main, [str(word) for word in words])

    def line(self, files: list[Path]) -> list[object]:
        network, model = to_hex(self.network.id), to_hex(self.network.model_id)
        places = ["--store", self.folder / "batches", "--receipts", self.folder / "receipts"]
        return [*files, "--network-id", network, "--model-id", model, *places]

    def submit(self, files: list[Path], *more: object) -> Any:
        return self.commands.json("enclave-http submit", *self.line(files), *more, account=2)

    def not_submitted(self, files: list[Path], account: int = 2) -> str:
        return self.commands.error("enclave-http submit", *self.line(files), account=account)

    def finish(self) -> None:
        self.chain.at(self.chain.now + self.network.rules.challenge_window).mine()
        self.commands.json("finalize --all", account=2)


@pytest.fixture
def server() -> Iterator[SigningEndpoint]:
    with signing_endpoint() as found:
        yield found


def scene_of(
    chain: Chain, commands: Commands, server: SigningEndpoint, folder: Path, named: bool
) -> Scene:
    path = folder / "endorsers.yaml"
    endorsers = [to_hex(account_of(key)) for key in ENDORSER_KEYS]
    path.write_text(yaml.safe_dump({"endorsers": endorsers, "threshold": 2, "named": named}))
    deployed = commands.json("deploy --enclave-http", path, account=0)
    address = chain.w3.to_checksum_address(deployed["address"])
    resolver = Endorsed(chain, chain.w3.eth.contract(address, abi=contract("EnclaveHttp").abi))
    resolver.approve()
    operator = chain.accounts[2]
    resolver.endorse(server.enclave.held, operator)
    network, _ = http_network(chain, resolver, operator, name=MODEL.encode(), salt=40 + named)
    return Scene(chain, commands, server, resolver, network, folder)


@pytest.fixture
def scene(
    chain: Chain,
    commands: Commands,
    server: SigningEndpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", to_hex(chain.registry.address))
    return scene_of(chain, commands, server, tmp_path, named=False)


def test_submit__asked_and_checked__is_counted_as_enclave(scene: Scene) -> None:
    """From the endpoint to the totals: plain, streamed, each once; by events, of a known kind."""
    first, second = scene.ask(), scene.ask("stream", stream=True)
    checked = scene.plain("check", *first)

    dry = scene.submit(first, "--dry-run")
    sent = [scene.submit(files) for files in (first, second, first)]
    scene.finish()

    assert (checked["form"], checked["model"]) == ("plain", None)
    assert checked["signer"] == checksummed(scene.server.enclave.address)
    assert dry["dry_run"] and dry["gas"] > 20_000 and not dry["committed"]
    assert [one["sent"] for one in sent] == [True, True, False]
    assert sent[2] == sent[0] | {"sent": False} and sent[0]["item"] == checked["item"]
    assert scene.network.totals().enclave == scene.network.totals().committed == 2
    url = scene.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    data = scene.folder / "data"
    registry = to_hex(scene.chain.registry.address)
    extracted = scene.tallystick(
        "extract", registry, "--rpc", url, "--depth", "0", "--data", str(data)
    )
    assert extracted.exit_code == 0, extracted.stderr
    counted = scene.tallystick("totals", "--data", str(data), "--json")
    rows = {row["network_id"]: row for row in json.loads(counted.stdout)}
    row = rows[to_hex(scene.network.id)]
    assert (row["committed"], row["enclave"], row["verified"]) == (2, 2, 2)


def test_submit__named_form__is_graded(
    chain: Chain,
    commands: Commands,
    server: SigningEndpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", to_hex(chain.registry.address))
    server.named = True
    scene = scene_of(chain, commands, server, tmp_path, named=True)
    files = scene.ask()

    assert scene.plain("check", *files, "--model", MODEL)["form"] == "named"
    scene.submit(files)
    scene.finish()

    assert scene.network.totals().enclave == 1
    other = scene.ask("other", model="qwen/qwen3-1b")
    assert "names the model b'qwen/qwen3-1b'" in scene.not_submitted(other)
    server.named = False
    assert "in the plain form; the network's attestor takes the named one" in scene.not_submitted(
        scene.ask("plain")
    )


@pytest.mark.parametrize("after", [1, 2])
def test_submit__killed_after_a_transaction__goes_on(scene: Scene, kill: Kill, after: int) -> None:
    files = scene.ask()

    kill("enclave-http submit", *scene.line(files), account=2, after=after)
    done = scene.submit(files)
    scene.finish()

    assert done["transaction"]
    assert scene.network.totals().enclave == scene.network.totals().committed == 1


def test_submit__what_the_attestor_would_refuse__one_line_and_nothing_sent(scene: Scene) -> None:
    files = scene.ask()
    before = scene.chain.w3.eth.get_transaction_count(
        scene.chain.w3.to_checksum_address(scene.chain.accounts[2])
    )
    scene.server.named = True
    assert "in the named form; the network's attestor takes the plain one" in scene.not_submitted(
        scene.ask("named")
    )
    scene.server.named = False
    assert "is endorsed for the operator 0x" in scene.not_submitted(files, account=3)
    scene.resolver.revoke_measurement()
    assert "not approved" in scene.not_submitted(files)
    scene.resolver.revoke_key(scene.server.enclave.held)
    assert "is revoked" in scene.not_submitted(files)
    scene.server.enclave = type(scene.server.enclave)(7)
    assert "is not endorsed in 0x" in scene.not_submitted(scene.ask("stranger"))

    assert scene.network.lane(scene.chain.accounts[2]).next_index == 0
    assert before == scene.chain.w3.eth.get_transaction_count(
        scene.chain.w3.to_checksum_address(scene.chain.accounts[2])
    )


def test_submit__claimed_for_another_batch__one_line(scene: Scene) -> None:
    files = scene.ask()
    item = from_hex(scene.plain("check", *files)["item"])
    call = encode_call("EnclaveHttp", scene.resolver.address, "claim", item, b"x" * 32)
    scene.chain.send_call(scene.chain.accounts[2], call)

    told = scene.not_submitted(files)

    assert f"is claimed for batch {to_hex(b'x' * 32)}, for good" in told


def test_submit__request_names_another_model__is_warned(scene: Scene) -> None:
    files = scene.ask(model="qwen/qwen3-1b")

    result = scene.commands.run("enclave-http submit", *scene.line(files), account=2)

    assert result.exit_code == 0, result.stderr
    assert "the request asks for the model qwen/qwen3-1b; it is committed for" in result.stderr


def test_submit__attestor_of_another_kind__one_line(scene: Scene, network: Network) -> None:
    files = scene.ask()
    scene.network = network

    assert "is no EnclaveHttp" in scene.not_submitted(files)


def test_register__twice__moves_once(scene: Scene) -> None:
    line = "enclave-http register"

    first = scene.commands.json(line, to_hex(scene.network.id), "org/other", account=1)
    again = scene.commands.json(line, to_hex(scene.network.id), "org/other", account=1)

    assert again == {"move": "none: registered already", "model_id": first["model_id"]}


def test_evidence__of_a_challenged_leaf__upholds_it(scene: Scene) -> None:
    files = scene.ask()
    done = scene.submit(files)
    scene.network.fund(scene.chain.accounts[4], CREDIT)
    store = ["--store", scene.folder / "batches"]
    scene.commands.json("challenge", done["batch_id"], "--leaf", 0, *store, account=4)
    network, model = to_hex(scene.network.id), to_hex(scene.network.model_id)
    url = scene.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    chosen = ["--network-id", network, "--model-id", model, "--rpc", url]

    found = scene.plain("evidence", *files, *chosen)
    scene.commands.json(
        "resolve", done["batch_id"], "--evidence", found["evidence"], *store, account=5
    )
    scene.finish()

    assert scene.network.totals().enclave == 1 and scene.network.totals().unresolved == 0


def test_check__what_does_not_hold__one_line(scene: Scene) -> None:
    request, response, signature = scene.ask()
    stranger = "0x" + "11" * 20
    files = [request, response, signature]

    assert "signed; needed: 0x1111" in scene.refused("check", *files, "--signer", stranger)
    assert "names no model; needed: 'gpt'" in scene.refused("check", *files, "--model", "gpt")
    assert "of another request" in scene.refused("check", response, response, signature)
    assert "malformed: text" in scene.refused("check", request, response, request)
    signed = response.read_bytes()
    response.write_bytes(signed + b" ")
    assert scene.plain("check", *files)["reencoded"]
    response.write_bytes(signed.replace(b"vier", b"acht"))
    assert "of another answer" in scene.refused("check", *files)
    signature.write_bytes(b"\xff\xfe")
    assert "the signature is malformed" in scene.refused("check", *files)


def test_ask__no_signature__both_bodies_are_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enclave_endpoint, "_PAUSE", 0.01)
    scene.server.late = 9
    request, out = scene.folder / "request.json", scene.folder / "answer"
    request.write_text(json.dumps(REQUEST))

    told = scene.refused("ask", scene.server.url, request, "--out", out)

    assert "the endpoint has no signature" in told
    assert (out / "request.bin").read_bytes() == request.read_bytes()
    assert b"chatcmpl-1" in (out / "response.bin").read_bytes()


def test_ask__folder_in_use__one_line(scene: Scene) -> None:
    scene.ask()
    request = scene.folder / "request.json"

    told = scene.refused("ask", scene.server.url, request, "--out", scene.folder / "answer")

    assert "is not empty" in told and len(scene.server.asked) == 1
