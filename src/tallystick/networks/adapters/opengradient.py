"""OpenGradient by its own audit (docs/opengradient.md), put beside the others."""

import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import ExtractPlan
from tallystick.networks.adapter import Adapter, ContractKind, Judged, Place, Rows, Run
from tallystick.networks.errors import FollowError
from tallystick.networks.verdicts import Verdict, judged
from tallystick.opengradient.folder import Folder, extract_settlements
from tallystick.opengradient.registry import CHANGES
from tallystick.opengradient.relay import SETTLEMENTS
from tallystick.protocol.format_version import unknown_version
from tallystick.storage.durable import replace_file

RELAY, REGISTRY = "relay", "registry"
HEARTBEATS = "heartbeats.json"
"""What the last audit found of heartbeats, in the network's folder."""
HEARTBEATS_VERSION = 1
SIGNED: Verdict = ("enclave", "")
NOT_SHOWN: Verdict = ("rejected", "claimed beyond the items that hold")
NO_BLOB: Verdict = ("unseen", "its blob was missing or could not be read")


class Reader:
    """Extracts relay, registry and keys, audits the blobs, and keeps what `totals` reads."""

    options = frozenset({"blobs", "heartbeat_max_age"})

    def bring(self, run: Run) -> Mapping[int, int]:
        """Audit all settlements; return the last block by chain id."""
        # Needs the extra opengradient, which listing the adapters does not.
        from tallystick.opengradient.audit import audit
        from tallystick.opengradient.blobs import BlobSource
        from tallystick.opengradient.heartbeats import MAX_AGE, without_heartbeat
        from tallystick.opengradient.tables import publish

        relay, registry = _place(run, RELAY), _place(run, REGISTRY)
        if relay.chain_id != registry.chain_id:
            raise FollowError("relay and registry must be of one chain")
        urls, blobs = run.rpcs[relay.chain_id], run.options.get("blobs")
        if not isinstance(blobs, str):
            raise FollowError("option blobs is missing: the folder or URL of the batches' blobs")
        max_age = run.options.get("heartbeat_max_age", MAX_AGE)
        if not isinstance(max_age, int) or isinstance(max_age, bool) or max_age < 0:
            raise FollowError(f"option heartbeat_max_age is {max_age!r}; needed: seconds")
        first = min(relay.first_block, registry.first_block)
        plan = ExtractPlan(
            urls,
            relay.address,
            first,
            run.depth,
            run.block_range,
            chain_id=relay.chain_id,
        )
        stage = run.stage and run.stage(f"opengradient on {relay.chain_id} (blocks)")
        folder, done, _ = extract_settlements(
            Dataset(run.root), plan, registry.address or b"", stage
        )
        results = audit(folder, BlobSource(blobs))
        publish(folder, results)
        lapsed = without_heartbeat(folder, results, max_age)
        body = {
            "version": HEARTBEATS_VERSION,
            "max_age": max_age,
            "verified_without_heartbeat": lapsed,
        }
        replace_file(run.data.root / HEARTBEATS, (json.dumps(body, indent=1) + "\n").encode())
        return {relay.chain_id: done.last_block}

    def rows(self, run: Run) -> Rows:
        """Return the audit's findings, a row a settlement; none before the first audit."""
        keys = [
            ContractKey(place.chain_id, place.address or b"")
            for place in (_place(run, RELAY), _place(run, REGISTRY))
        ]
        path = Folder(Dataset(run.root), *keys).audited
        if not path.exists():
            raise FollowError("no settlement was audited yet")
        table = pq.read_table(path)
        chain = pa.array([keys[0].chain_id] * len(table), pa.int64())
        kept = run.data.root / HEARTBEATS
        if not kept.exists():
            raise FollowError("heartbeats were not looked at yet; follow again")
        told = json.loads(kept.read_bytes())
        if wrong := unknown_version("note of heartbeats", told.get("version"), HEARTBEATS_VERSION):
            raise FollowError(f"{kept}: {wrong}")
        lapsed = pa.table({"verified_without_heartbeat": [told["verified_without_heartbeat"]]})
        return Rows({"settlements": table.append_column("chain_id", chain), "heartbeats": lapsed})


def _place(run: Run, kind: str) -> Place:
    found = [one for one in run.places if one.kind == kind and one.address is not None]
    if len(found) != 1:
        raise FollowError(f"places must name one contract of kind {kind}; named: {len(found)}")
    return found[0]


def judge(rows: Rows) -> Judged:
    """Count what the audit verified, what it could not see, and what does not hold."""
    from tallystick.opengradient.tables import MOST_CLAIMED

    table = rows.tables["settlements"]
    days: list[object] = []
    chains: list[int] = []
    chosen: list[Verdict] = []
    counts: list[int] = []
    claimed = 0
    lies: dict[str, int] = {}
    for row in table.to_pylist():
        claimed += int(row["claimed"])
        # Sums of 64 bits are made of these; the measure has the exact number.
        rest = min(int(row["claimed"]), MOST_CLAIMED) - row["verified"]
        unseen = row["blob"] in ("missing", "unreadable")
        for verdict, count in ((SIGNED, row["verified"]), (NO_BLOB if unseen else NOT_SHOWN, rest)):
            if count:
                days.append(row["day"])
                chains.append(row["chain_id"])
                chosen.append(verdict)
                counts.append(count)
        for name, count in row["lies"]:
            lies[name] = lies.get(name, 0) + int(count)
    claims = pa.table(
        {"day": pa.array(days, pa.date32()), "chain_id": pa.array(chains, pa.int64())}
    )
    measures = {"settlements": len(table), "claimed_exactly": claimed, **lies}
    for row in rows.tables["heartbeats"].to_pylist():
        measures |= row
    return Judged(judged(claims, chosen, counts), measures)


ADAPTER = Adapter(
    name="opengradient",
    title="OpenGradient",
    unit="inference",
    claimed="inferences that settlements claim",
    checked="leaves, roots, and each item's signature by a registered enclave's key",
    judge=judge,
    cautions=(
        "Which keys are enclaves' is the word of OpenGradient's registry.",
        "An enclave signs any request, its operator's own included.",
        "An enclave whose heartbeat has lapsed is counted all the same; "
        "verified_without_heartbeat says how often.",
    ),
    kinds=(ContractKind(SETTLEMENTS, name=RELAY), ContractKind(CHANGES, name=REGISTRY)),
    reader=Reader(),
)
