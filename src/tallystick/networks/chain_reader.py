"""Contracts of a foreign network, from a chain's nodes into its folder, and from there as rows.

networks/<name>/[<kind>/]logs, manifest, calls   as of a registry, see data.extract.dataset
networks/<name>/[<kind>/]topics.json             the events that the logs are of
networks/<name>/[<kind>/]upgrades/<chain>-0x….json   implementations that a proxy has had
"""

import json
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.data.extract.calls import CALLS, CallPlan, extract_calls, read_calls
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import ExtractPlan, extract
from tallystick.data.extract.schema import ADDRESSED
from tallystick.networks.adapter import Adapter, ContractKind, Place, Rows, Run
from tallystick.networks.decoded import decode_event, joined
from tallystick.networks.errors import FollowError
from tallystick.networks.proxies import UPGRADES, note_implementation
from tallystick.networks.recovery import Signed, recover
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import to_hex
from tallystick.storage.durable import replace_file

TOPICS_VERSION = 1


def bring_place(adapter: Adapter, run: Run, place: Place) -> int:
    """Bring one contract's logs and calls up to its chain's head; return the last block.

    Raises:
        FollowError: no node of the chain is named, or the folder holds other events.
        ExtractError, RpcError: see extract.
    """
    urls = run.rpcs.get(place.chain_id)
    if not urls:
        raise FollowError(f"no RPC URL of chain {place.chain_id} is given")
    kind, data = adapter.kind(place.kind), dataset(run, place)
    topics = [one.topic0 for one in kind.events]
    if place.address is not None:
        topics += UPGRADES
    _check_topics(data, topics)
    names = [to_hex(one) for one in topics]
    plan = ExtractPlan(
        urls,
        place.address,
        place.first_block,
        run.depth,
        run.block_range,
        topics=names,
        repair=run.repair[1:] if run.repair and run.repair[0] == place.chain_id else None,
        chain_id=place.chain_id,
    )
    where = f"{adapter.name} on {place.chain_id}"
    done = extract(data, plan, run.stage and run.stage(f"{where} (blocks)"))
    if kind.calls:
        plan_of_calls = CallPlan(_topics_of(kind), kind.fields, kind.linked)
        stage = run.stage and run.stage(f"{where} (files of calls)")
        extract_calls(data, done.contract, urls, plan_of_calls, stage)
    if place.address is not None:
        note_implementation(data, done.contract, urls)
    return done.last_block


def read_rows(
    adapter: Adapter, run: Run, recover: Callable[[Sequence[Signed]], list[bytes]] = recover
) -> Rows:
    """Return the decoded rows of all places whose logs are here, to be judged with `recover`."""
    tables: dict[str, list[pa.Table]] = {}
    calls, malformed = [CALLS.empty_table()], 0
    for place in run.places:
        kind, data, key = adapter.kind(place.kind), dataset(run, place), key_of(place)
        if not data.manifest(key).exists():
            continue
        logs = read_logs(data, key)
        for layout in kind.events:
            rows, wrong = decode_event(layout, logs, place.chain_id)
            tables.setdefault(layout.name, []).append(rows)
            malformed += wrong
        calls.append(read_calls(data, key))
    layouts = {layout.name: layout for kind in adapter.kinds for layout in kind.events}
    found = {name: joined(layout, tables.get(name, ())) for name, layout in layouts.items()}
    return Rows(found, pa.concat_tables(calls), malformed, recover)


def read_logs(data: Dataset, key: ContractKey) -> pa.Table:
    """Return all raw logs of a contract, of the schema ADDRESSED."""
    tables = [ADDRESSED.empty_table()]
    for part in data.read_manifest(key).parts:
        logs = pq.read_table(data.logs(key) / part.name)
        if "address" not in logs.column_names:
            addresses = pa.array([key.address], pa.binary(20))
            column = addresses.take(pa.array([0] * len(logs), pa.int8()))
            logs = logs.append_column(ADDRESSED.field("address"), column)
        tables.append(logs.cast(ADDRESSED))
    return pa.concat_tables(tables)


def dataset(run: Run, place: Place) -> Dataset:
    """Return the folder of a place's logs."""
    return Dataset(run.data.root / place.kind) if place.kind else run.data


def key_of(place: Place) -> ContractKey:
    """Return by which key a folder has a place; all addresses go by the zero address."""
    return ContractKey(place.chain_id, place.address or ZERO_ADDRESS)


def _topics_of(kind: ContractKind) -> tuple[bytes, ...]:
    return tuple(one.topic0 for one in kind.events if one.name in kind.calls)


def _check_topics(data: Dataset, topics: Iterable[bytes]) -> None:
    """Make sure that a folder's logs are of these events; the first run notes them."""
    path, wanted = data.root / "topics.json", sorted(to_hex(one) for one in topics)
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        body = {"version": TOPICS_VERSION, "topics": wanted}
        replace_file(path, (json.dumps(body, indent=1) + "\n").encode())
        return
    if wrong := unknown_version("list of topics", found.get("version"), TOPICS_VERSION):
        raise FollowError(f"{path}: {wrong}")
    if found["topics"] != wanted:
        raise FollowError(
            f"{data.root} holds logs of other events than the adapter reads now; "
            "move the folder away, and follow again"
        )
