"""Gonka: what its chain keeps of each epoch, asked of two nodes. docs/networks/gonka.md."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from tallystick.networks.adapter import Adapter, Judged, Rows, Run
from tallystick.networks.errors import FollowError
from tallystick.networks.verdicts import Verdict, judged
from tallystick.protocol.format_version import unknown_version
from tallystick.storage.durable import replace_file

PATH = "/chain-api/productscience/inference/inference/epoch_performance_summary/"
NUMBERS = (
    "inference_count",
    "missed_requests",
    "validated_inferences",
    "invalidated_inferences",
)
EPOCH_VERSION = 1
MOST = 1 << 40
"""Inferences of a participant in an epoch; more is refused, lest sums overflow."""

VALIDATED: Verdict = ("chain-checked", "validated by other hosts")
INVALIDATED: Verdict = ("rejected", "invalidated by other hosts")
NOT_SAMPLED: Verdict = ("unchecked", "not sampled for validation")
DISAGREE: Verdict = ("unseen", "the nodes do not agree")

Epoch = dict[str, dict[str, int]]
"""Numbers of each participant."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks nodes by REST for each epoch from the first one on, until they know none."""

    timeout: float = 30.0

    @property
    def options(self) -> frozenset[str]:
        """Names of the options that it takes."""
        return frozenset({"nodes", "first_epoch", "last_epoch"})

    def bring(self, run: Run) -> Mapping[int, int]:
        """Keep the epochs that are not here yet, and the newest, which may still grow, again."""
        nodes = run.options.get("nodes")
        if not isinstance(nodes, list) or len(nodes) < 2:
            raise FollowError("option nodes must name two nodes or more, of different operators")
        epoch, last = (int(run.options.get(name, 0)) for name in ("first_epoch", "last_epoch"))
        known = sorted(int(path.stem) for path in _folder(run).glob("*.json"))
        if known:
            epoch = max(epoch, known[-1])
        told = -1
        with httpx.Client(timeout=self.timeout, follow_redirects=False) as client:
            while not last or epoch <= last:
                answers = [_ask(client, str(node), epoch) for node in nodes]
                if not any(answers):
                    break
                body = {"version": EPOCH_VERSION, "answers": answers}
                replace_file(_folder(run) / f"{epoch}.json", json.dumps(body).encode())
                told, epoch = epoch, epoch + 1
        if told < 0 and not known:
            raise FollowError(f"no node knows epoch {epoch}; option first_epoch names another")
        return {0: max(told, *known) if known else told}

    def rows(self, run: Run) -> Rows:
        """Return a row an epoch and participant, by the first node, and whether all agree."""
        found: list[dict[str, Any]] = []
        for path in sorted(_folder(run).glob("*.json"), key=lambda one: int(one.stem)):
            answers = _read(path)
            for participant in sorted(set().union(*answers)):
                numbers = [answer.get(participant) for answer in answers]
                first = next(one for one in numbers if one is not None)
                agreed = all(one == first for one in numbers)
                row = {"epoch": int(path.stem), "participant": participant, "agreed": agreed}
                found.append(row | first)
        return Rows({"epochs": pa.Table.from_pylist(found, schema=EPOCHS)})


EPOCHS = pa.schema(
    [
        pa.field("epoch", pa.int64()),
        pa.field("participant", pa.string()),
        pa.field("agreed", pa.bool_()),
        *(pa.field(name, pa.int64()) for name in NUMBERS),
    ]
)


def _folder(run: Run) -> Path:
    return run.data.root / "epochs"


def _read(path: Path) -> list[Epoch]:
    found = json.loads(path.read_bytes())
    if wrong := unknown_version("epoch", found.get("version"), EPOCH_VERSION):
        raise FollowError(f"{path}: {wrong}")
    answers: list[Epoch] = found["answers"]
    return answers


def _ask(client: httpx.Client, node: str, epoch: int) -> Epoch:
    """Return what a node says of an epoch; empty where it knows none."""
    host = httpx.URL(node).host or "the node"
    try:
        response = client.get(f"{node.rstrip('/')}{PATH}{epoch}")
    except httpx.HTTPError as error:
        raise FollowError(f"{host} does not answer: {error or type(error).__name__}") from error
    if response.status_code == 404:
        return {}
    if response.status_code != 200:
        raise FollowError(f"{host} answers with status {response.status_code}")
    try:
        listed = response.json().get("epochPerformanceSummary") or []
        return {
            str(one["participant_id"]): {name: _number(one.get(name, 0)) for name in NUMBERS}
            for one in (listed if isinstance(listed, list) else [listed])
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FollowError(f"{host} answers for epoch {epoch} with something else") from error


def _number(value: Any) -> int:
    found = int(value)
    if not 0 <= found < MOST:
        raise ValueError(f"{found} is no number of inferences")
    return found


def judge(rows: Rows) -> Judged:
    """Count what hosts did by what other hosts said of it; where nodes differ, nothing is known."""
    chosen: list[Verdict] = []
    counts: list[int] = []
    missed = beyond = 0
    table = rows.tables["epochs"]
    for row in table.to_pylist():
        count = row["inference_count"]
        missed += row["missed_requests"]
        invalid = min(row["invalidated_inferences"], count)
        valid = min(row["validated_inferences"], count - invalid)
        beyond += row["validated_inferences"] + row["invalidated_inferences"] - valid - invalid
        rest = count - valid - invalid
        parts = ((VALIDATED, valid), (INVALIDATED, invalid), (NOT_SAMPLED, rest))
        for verdict, part in parts if row["agreed"] else ((DISAGREE, count),):
            if part:
                chosen.append(verdict)
                counts.append(part)
    nothing = [None] * len(chosen)
    claims = pa.table(
        {"day": pa.array(nothing, pa.date32()), "chain_id": pa.array([0] * len(chosen), pa.int64())}
    )
    measures = {
        "participants": len(set(table["participant"].to_pylist())),
        "epochs": len(set(table["epoch"].to_pylist())),
        "missed": missed,
        "validated_beyond_claims": beyond,
    }
    return Judged(judged(claims, chosen, counts), measures)


ADAPTER = Adapter(
    name="gonka",
    title="Gonka",
    unit="inference",
    claimed="inferences of each epoch, as the chain keeps them",
    checked="that two nodes or more say the same; validations are the hosts' own",
    judge=judge,
    cautions=(
        "Hosts validate each other by samples; what is not sampled counts as honest there.",
        "Single inferences are off the chain; sums are signed by two thirds of the hosts.",
        "Nodes are asked over HTTP, without proofs: those that collude can say anything.",
    ),
    reader=Reader(),
)
