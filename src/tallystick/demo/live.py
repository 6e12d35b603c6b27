"""The part of the story that runs by itself: an operator's node and two verifiers', as processes.

Requesters ask the operator over HTTP and get receipts; another operator alters answers; the
verifiers, who only compare, audit the one and have the other's model run again on chain.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import httpx
from web3.types import TxData

from tallystick.chain.localnet import mine
from tallystick.demo.cast import Requester, account, requesters
from tallystick.demo.digits.quantized import FILE
from tallystick.demo.operators import DemoOperator, altered
from tallystick.demo.probing import probe_node
from tallystick.demo.processes import NodeProcess, ended, free_port, wait
from tallystick.demo.world import Stage, World
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.receipt import Receipt

Tell = Callable[[str], None]

A_REQUEST = 64
"""Inferences in one request, and in one batch."""
VERIFIERS = ("member 0", "member 1")


def run(
    world: World,
    stage: Stage,
    samples: Sequence[bytes],
    cheat: DemoOperator,
    folder: Path,
    store: Path,
    tell: Tell,
) -> None:
    """Play it.

    Args:
        world: the chain.
        stage: the network.
        samples: first those that the honest operator is asked for, a multiple of A_REQUEST, then
            50 for the one that alters answers.
        cheat: who alters answers.
        folder: of the processes' settings, journals and logs.
        store: folder where batch data are looked for.
        tell: called with a line for each thing that happens.

    Raises:
        NodeError: a process failed, or was too slow.
    """
    honest, url = stage.operators[0], f"http://127.0.0.1:{free_port()}"
    asked, rest = samples[:-50], samples[-50:]
    first_block = world.w3.eth.block_number + 1
    nodes = [NodeProcess("operator", honest, _operator(world, stage, folder, store, url), folder)]
    with ended(nodes):
        nodes += [
            NodeProcess("verifier", role, _verifier(world, stage, folder, store, role), folder)
            for role in VERIFIERS
        ]
        wait(lambda: _ready(url), "the operator's node answers", nodes)
        for start in range(0, len(asked), A_REQUEST):
            part = asked[start : start + A_REQUEST]
            receipts = _ask(world, stage, url, honest, part, start, nodes)
            for receipt in receipts:
                receipt.check()
        world.probes += probe_node(world, stage, honest, url)
        tell(f"{stage.name}: {len(asked)} requests answered over HTTP, each with a receipt")
        bad = cheat.submit(altered(cheat.answer(rest), every=10)).plan.batch.id()
        mine(world.w3, 4)
        wait(lambda: _judged(world, stage, bad), "verifiers look at all batches", nodes)
    stage.gas += gas_of(world, (*VERIFIERS, "gil"), first_block)
    tell(
        f"{stage.name}: verifiers' processes audited what is right, and had the model run again "
        "on chain for what is wrong: rejected"
    )


def _common(world: World, folder: Path, role: str) -> dict[str, Any]:
    return {
        "rpc": str(world.w3.provider.endpoint_uri),  # type: ignore[attr-defined]
        "registry": to_hex(world.registry.address),
        "first_block": 0,
        "data": str(folder / role.replace(" ", "-")),
        "poll_every": 0.2,
    }


def _models(stage: Stage) -> list[dict[str, str]]:
    return [{"id": to_hex(stage.model_id), "file": str(FILE), "runner": "qi8"}]


def _operator(world: World, stage: Stage, folder: Path, store: Path, url: str) -> dict[str, Any]:
    own = {
        "network_id": to_hex(stage.id),
        "models": _models(stage),
        "port": int(url.rpartition(":")[2]),
        "store": str(store),
        "commit_every": 1.0,
        "commit_margin": 60.0,
    }
    return {"common": _common(world, folder, stage.operators[0]), "operator": own}


def _verifier(world: World, stage: Stage, folder: Path, store: Path, role: str) -> dict[str, Any]:
    own = {
        "networks": [to_hex(stage.id)],
        "stores": [str(store)],
        "models": _models(stage),
        "committees": [to_hex(world.auditors_of(stage.id))],
        "share_folder": str(folder / "shared"),
        "drawn": A_REQUEST,
        "missing_after": 60.0,
        "look_every": 0.2,
        "turn_every": 1.0,
    }
    return {"common": _common(world, folder, role), "verifier": own}


def _ready(url: str) -> bool:
    try:
        return bool(httpx.get(url, timeout=5).json()["ready"])
    except (httpx.HTTPError, ValueError, KeyError):
        return False


def _ask(
    world: World,
    stage: Stage,
    url: str,
    operator: str,
    samples: Sequence[bytes],
    nonce: int,
    nodes: list[NodeProcess],
) -> list[Receipt]:
    """Ask for inferences in one request, and wait for their receipts."""
    people = requesters()
    signed = [
        _signed(world, stage, operator, people[number % len(people)], nonce + number, sample)
        for number, sample in enumerate(samples)
    ]
    body = {"model_id": to_hex(stage.model_id), "inferences": [line for _, line in signed]}
    answer = httpx.post(f"{url}/inferences", json=body, timeout=60)
    answer.raise_for_status()
    asked = {"requests": [to_hex(request.struct_hash()) for request, _ in signed]}
    found: list[Any] = []

    def received() -> bool:
        nonlocal found
        reply = httpx.post(f"{url}/receipts", json=asked, timeout=60)
        found = reply.json()["receipts"]
        return all(one and "receipt" in one for one in found)

    wait(received, "the operator commits what it answered", nodes)
    return [Receipt.from_json(one["receipt"]) for one in found]


def _signed(
    world: World, stage: Stage, operator: str, person: Requester, nonce: int, sample: bytes
) -> tuple[Request, dict[str, Any]]:
    # With the latest deadline that the rules allow, the operator waits until its block surely does.
    deadline = world.now + stage.rules.challenge_window // 4
    address = world.senders[operator].address
    request = Request(stage.model_id, address, keccak256(sample), person.address, nonce, deadline)
    return request, {
        "requester": to_hex(person.address),
        "nonce": nonce,
        "deadline": deadline,
        "input": to_hex(sample),
        "signature": to_hex(request.sign(world.registry.domain, person.key)),
    }


def _judged(world: World, stage: Stage, bad: bytes) -> bool:
    """Return whether the bad batch is rejected, and every other one audited."""
    mine = [one for one in world.ledger().batches.values() if one.batch.network_id == stage.id]
    return all(
        one.state is State.REJECTED if one.id == bad else one.grade is Grade.AUDITED for one in mine
    )


def gas_of(world: World, roles: Iterable[str], first_block: int) -> int:
    """Return the gas of what the accounts of these roles sent from a block on."""
    senders = {account(role).address for role in roles}
    used = 0
    for number in range(first_block, world.w3.eth.block_number + 1):
        block = world.w3.eth.get_block(number, full_transactions=True)
        for tx in cast(list[TxData], block["transactions"]):
            if tx["from"] in senders:
                used += world.w3.eth.get_transaction_receipt(tx["hash"])["gasUsed"]
    return used
