"""The API's numbers against the analysis, lists against their parts, and what HTTP promises."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from tallystick.chain.localnet import mine
from tallystick.chain.rpc.errors import UnavailableError
from tallystick.cli.totals import totals as totals_command
from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.dashboard.numbers import KNOWN_VERIFIED, PARTS, SPLIT
from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.analysis import Analysis
from tallystick.data.probe.log import ProbeLog
from tallystick.data.probe.result import ProbeResult
from tallystick.data.totals.engines import EVENTS
from tallystick.data.totals.ranking import NONE_RANKED
from tallystick.demo.story import GENESIS
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.pool import EPOCH, epoch_of
from tests.support.shown import MODEL, NAME, URI, Shown

API = "/api/v1"
COUNTERS = (
    "committed",
    "unchallenged",
    "audited",
    "enclave",
    "proven",
    "rejected",
    "unresolved",
    "verified",
)


def place(row: dict[str, Any]) -> str:
    return f"{row['chain_id']}/{row.get('core') or row['address']}/{row['network_id']}"


@pytest.fixture(scope="module")
def networks(client: TestClient) -> dict[str, dict[str, Any]]:
    return {place(row): row for row in client.get(f"{API}/networks").json()["rows"]}


@pytest.fixture(scope="module")
def analysis(shown: Shown) -> Analysis:
    return Analysis(shown.data.root)


def agora(networks: dict[str, dict[str, Any]]) -> str:
    return next(key for key, row in networks.items() if row["name"] == "Agora")


def test_networks__demo__equal_the_analysis(
    networks: dict[str, dict[str, Any]], analysis: Analysis
) -> None:
    measures = {place(row): row for row in analysis.measures().to_pylist()}
    utility = {"/".join(map(str, key)): value for key, value in analysis.utility().items()}

    assert len(networks) == len(measures) == 5
    for row in analysis.totals().to_pylist():
        shown = networks[place(row)]
        assert {name: shown[name] for name in (*COUNTERS, "open")} == {
            name: row[name] for name in (*COUNTERS, "open")
        }
        assert int(shown["burned"]) == row["burned"]
        for name in ("requesters", "top_share", "herfindahl", "gas_per_verified", "resolvers"):
            assert shown[name] == measures[place(row)][name]
        assert shown["verifiability"] == utility[place(row)].verifiability
        assert shown["scalability"] == utility[place(row)].scalability
        assert shown["utility"] is None


def test_networks__demo__equal_the_command(
    networks: dict[str, dict[str, Any]], shown: Shown, tmp_path: Path
) -> None:
    file = tmp_path / "totals.json"
    asked = ["--data", str(shown.data.root), "--json", "--output", str(file)]

    assert CliRunner().invoke(totals_command, asked).exit_code == 0

    printed = json.loads(file.read_text())
    assert len(printed) == len(networks)
    for row in printed:
        found = networks[place(row)]
        assert [found[name] for name in COUNTERS] == [row[name] for name in COUNTERS]
        assert int(found["burned"]) == int(row["burned"])


def test_networks__pool_committees_and_no_resolver__the_pooled_alone_is_ranked(
    client: TestClient, networks: dict[str, dict[str, Any]]
) -> None:
    answer = client.get(f"{API}/networks").json()

    assert (answer["ranked"], answer["none_ranked"]) == (1, "")
    assert [row["name"] for row in networks.values() if row["rank"] == 1] == ["Forum"]
    assert {row["rank"] for row in networks.values() if row["name"] != "Forum"} == {None}
    reasons = {row["name"]: row["unranked_because"] for row in networks.values()}
    assert "Committee, self-declared" in reasons["Agora"]
    assert "nothing can be verified" in reasons["Commons"]
    known = {row["name"]: row["known_verified"] for row in networks.values()}
    assert {name for name, count in known.items() if count} == {"Forum"}


def test_networks__pools_were_not_read__none_is_ranked_and_it_says_why(
    poolless: TestClient,
) -> None:
    answer = poolless.get(f"{API}/networks").json()

    assert (answer["ranked"], answer["none_ranked"]) == (0, NONE_RANKED)
    assert {row["rank"] for row in answer["rows"]} == {None}
    assert {row["known_verified"] for row in answer["rows"]} == {0}


def test_networks__price_of_a_fake__is_of_its_grade_and_arbiter(
    networks: dict[str, dict[str, Any]],
) -> None:
    found = {row["name"]: row for row in networks.values()}
    agora, bourse, commons = (found[name] for name in ("Agora", "Bourse", "Commons"))

    # Replay rules in Agora, the committee itself in Bourse, nobody in Commons.
    stake = int(agora["stake_per_inference"])
    assert stake // 2 <= int(agora["price_audited"]) < stake
    assert agora["price_unchallenged"] == agora["price_of_a_fake"] == agora["price_audited"]
    assert (bourse["price_audited"], bourse["price_unchallenged"]) == ("gas only", "gas only")
    assert commons["price_unchallenged"] == "gas only"
    assert commons["price_audited"] is None and agora["price_enclave"] is None
    for row in networks.values():
        assert len(row["price_of_a_fake_because"]) > 20


def test_networks__little_behind_a_number__cautioned(
    networks: dict[str, dict[str, Any]],
) -> None:
    codes = {row["name"]: {one["code"] for one in row["cautions"]} for row in networks.values()}

    assert {"resolvers", "unbacked"} <= codes["Commons"]
    assert {"data-missing", "few-requesters", "no-probes"} <= codes["Bourse"]
    assert "resolvers" in codes["Agora"] and "no-conviction" not in codes["Agora"]
    assert "no-conviction" in codes["Bourse"]


@pytest.mark.parametrize("by", ["operator", "model", "day"])
def test_splits__demo__equal_the_analysis(
    client: TestClient, networks: dict[str, dict[str, Any]], analysis: Analysis, by: str
) -> None:
    column = "model_id" if by == "model" else by
    split = analysis.totals(by=[by]).to_pylist()

    for key in networks:
        rows = client.get(f"{API}/networks/{key}/{by}s").json()["rows"]
        told = {row[column]: [row[name] for name in COUNTERS] for row in rows}
        assert told == {
            str(row[column]): [row[name] for name in COUNTERS] for row in split if place(row) == key
        }


def test_numbers__each_of_each_network__are_made_of_their_events(
    client: TestClient, networks: dict[str, dict[str, Any]]
) -> None:
    for key, network in networks.items():
        for name in (*COUNTERS, "burned"):
            made = client.get(f"{API}/networks/{key}/numbers/{name}").json()
            events = client.get(f"{API}/networks/{key}/numbers/{name}/events").json()["rows"]
            assert int(made["value"]) == int(network[name])
            assert sum(int(part["value"]) for part in made["parts"]) == int(network[name])
            assert sum(int(event["amount"]) for event in events) == int(network[name])
            assert made["events"] == len(events)


SPLITS = [(by, name) for by, named in sorted(SPLIT.items()) for name in named]


def parts_of(client: TestClient, key: str, by: str) -> list[dict[str, Any]]:
    """The rows of a network's operators, models or days, or the one since a day."""
    if by != "since":
        rows: list[dict[str, Any]] = client.get(f"{API}/networks/{key}/{by}s").json()["rows"]
        return rows
    row = client.get(f"{API}/networks/{key}/summary/1d").json()
    return [row | {"since": row["first_day"]}]


@pytest.mark.parametrize(("by", "name"), SPLITS)
def test_number__of_a_part__is_made_of_the_events_of_that_part(
    client: TestClient, networks: dict[str, dict[str, Any]], by: str, name: str
) -> None:
    column = "model_id" if by == "model" else by
    seen = []
    for key in networks:
        for row in parts_of(client, key, by):
            asked = {"by": by, "of": row[column]}
            base = f"{API}/networks/{key}/numbers/{name}"
            made = client.get(base, params=asked).json()
            events = client.get(f"{base}/events", params=asked).json()["rows"]
            parts = [int(part["value"]) for part in made["parts"]]
            seen.append(sum(parts))
            assert made["value"] == (None if row[name] is None else str(row[name]))
            assert made["events"] == len(events)
            assert {event["operator"] for event in events} <= {asked["of"]} or by != "operator"
            assert sum(int(event["amount"]) for event in events) == sum(parts)
            assert all(row[column] in part["query"] for part in made["parts"])
            if name not in ("open", "audited_share", "stake"):
                assert sum(parts) == int(row[name])
            elif name == "stake":
                assert parts[0] - sum(parts[1:]) == int(row[name])
    assert len(seen) > 3


def test_number__of_a_part__its_query_says_the_same_over_the_data_folder(
    client: TestClient, networks: dict[str, dict[str, Any]], live: Live
) -> None:
    key = agora(networks)
    (model,) = client.get(f"{API}/networks/{key}/models").json()["rows"]
    asked = {"by": "model", "of": model["model_id"]}

    made = client.get(f"{API}/networks/{key}/numbers/verified", params=asked).json()

    said = [live.snapshot.events.value(part["query"]) or 0 for part in made["parts"]]
    assert said == [int(part["value"]) for part in made["parts"]]
    assert sum(said) == model["verified"] > 0


BESIDE: dict[str, Callable[[dict[str, Any], list[Any]], float]] = {
    "found_share": lambda row, said: said[0] / row["committed"],
    "solicited_share": lambda row, said: said[0] / said[1],
    "requesters": lambda row, said: said[0],
    "top_share": lambda row, said: said[0] / said[1],
    "herfindahl": lambda row, said: said[0] / said[1] ** 2,
    "gas_per_verified": lambda row, said: said[0] / row["verified"],
}


@pytest.mark.parametrize("name", BESIDE)
def test_number__beside_events__its_queries_say_the_same_over_the_data_folder(
    client: TestClient, networks: dict[str, dict[str, Any]], shown: Shown, live: Live, name: str
) -> None:
    connection = duckdb.connect()
    files = {f"events/{event}": event for event in EVENTS}
    for folder, view in (
        files | {"inferences": "inferences", "transactions": "transactions"}
    ).items():
        connection.execute(
            f"CREATE VIEW {view} AS FROM read_parquet('{shown.data.root}/{folder}/**/*.parquet', "
            "hive_partitioning = true, hive_types_autocast = false)"
        )
    compared = 0
    for key, network in networks.items():
        made = client.get(f"{API}/networks/{key}/numbers/{name}").json()
        said = [connection.execute(one).fetchall()[0][0] for one in made["beside"]]
        assert said
        if network[name]:
            assert BESIDE[name](network, said) == pytest.approx(network[name])
            compared += 1
    assert compared


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("verified", {"by": "operator", "of": f"0x{'00' * 20}"}),
        ("verified", {"by": "day", "of": "2027-99-99"}),
        ("utility", {"by": "day", "of": "2027-01-15"}),
        ("stake", {}),
    ],
)
def test_number__of_nothing__is_not_found(
    client: TestClient, networks: dict[str, dict[str, Any]], name: str, asked: dict[str, str]
) -> None:
    path = f"{API}/networks/{agora(networks)}/numbers/{name}"

    assert client.get(path, params=asked).status_code == 404
    assert client.get(f"{path}/events", params=asked).status_code == 404


@pytest.mark.parametrize("name", sorted(set(PARTS)))
def test_number__any__has_definition_query_and_blocks(
    client: TestClient, networks: dict[str, dict[str, Any]], name: str
) -> None:
    made = client.get(f"{API}/networks/{agora(networks)}/numbers/{name}").json()

    assert made["definition"]["name"] == name
    assert made["last_block"] > made["first_block"] == 0
    assert [part["query"].splitlines()[1] for part in made["parts"]] == [
        f"FROM {part.event}" for part in PARTS[name] if name != KNOWN_VERIFIED
    ]
    assert (made["because"] is not None) == (
        name.startswith("price_") and made["value"] is not None
    )


def test_list__turned_over__gives_each_row_once(
    client: TestClient, networks: dict[str, dict[str, Any]]
) -> None:
    base = f"{API}/networks/{agora(networks)}/batches"

    whole = client.get(base).json()
    pieces = [client.get(base, params={"offset": at, "limit": 1}).json() for at in range(4)]

    assert whole["total"] == 4
    assert [piece["rows"][0] for piece in pieces] == whole["rows"]
    assert client.get(base, params={"offset": 4}).json()["rows"] == []


def test_batch__disputed_once__tells_what_happened(client: TestClient) -> None:
    opened = {"challenge": "BatchChallenged", "demand": "BatchDemanded"}
    ended = {"upheld": "ChallengeUpheld", "rejected": "BatchRejected"}
    past = client.get(f"{API}/disputes", params={"state": "past"}).json()["rows"]

    assert past
    for one in past:
        path = f"{one['chain_id']}/{one['core']}/{one['batch_id']}"
        found = client.get(f"{API}/batches/{path}").json()
        steps = {step["event"]: step["block_number"] for step in found["history"]}
        assert steps[opened[one["kind"]]] == one["block_number"]
        assert steps[ended[one["ended_as"]]] == one["end_block"]
        assert (found["state"] == "rejected") == (one["ended_as"] == "rejected")


def test_chain__each_batch__agrees_with_its_events(
    client: TestClient, networks: dict[str, dict[str, Any]]
) -> None:
    for key in networks:
        for batch in client.get(f"{API}/networks/{key}/batches").json()["rows"]:
            path = f"{batch['chain_id']}/{batch['core']}/{batch['batch_id']}"
            told = client.get(f"{API}/chain/{path}").json()
            assert told["state"] == batch["state"]
            if batch["state"] == "final":
                assert told["outcome"] == batch["outcome"]


def test_chain__no_node__is_unavailable(live: Live, networks: dict[str, dict[str, Any]]) -> None:
    client = TestClient(create_app(live))
    batch = client.get(f"{API}/networks/{agora(networks)}/batches").json()["rows"][0]

    answer = client.get(f"{API}/chain/{batch['chain_id']}/{batch['core']}/{batch['batch_id']}")

    assert answer.status_code == 503


def test_disputes__demo__open_and_past(
    client: TestClient, shown: Shown, analysis: Analysis
) -> None:
    found = {
        state: client.get(f"{API}/disputes", params={"state": state}).json()
        for state in ("open", "past", "all")
    }

    assert [one["network_id"] for one in found["open"]["rows"]] == [to_hex(shown.hostile)]
    assert all(one["end_block"] >= one["block_number"] for one in found["past"]["rows"])
    tables = analysis.tables
    begun = sum(len(tables[name].to_pyarrow()) for name in ("BatchChallenged", "BatchDemanded"))
    assert found["all"]["total"] == found["open"]["total"] + found["past"]["total"] == begun


def test_rejections__demo__say_who_and_why(
    client: TestClient, networks: dict[str, dict[str, Any]]
) -> None:
    for key, network in networks.items():
        rows = client.get(f"{API}/networks/{key}/rejections").json()["rows"]
        assert sum(row["count"] for row in rows) == network["rejected"]
        assert "none" not in {row["cause"] for row in rows}


def test_answer__client_has_it__is_304(client: TestClient) -> None:
    first = client.get(f"{API}/networks")

    again = client.get(f"{API}/networks", headers={"If-None-Match": first.headers["etag"]})
    other = client.get(
        f"{API}/networks", params={"limit": 1}, headers={"If-None-Match": first.headers["etag"]}
    )

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


def test_csv__networks__same_rows_and_no_formulas(
    client: TestClient, networks: dict[str, dict[str, Any]], shown: Shown
) -> None:
    text = client.get(f"{API}/networks", params={"format": "csv"}).text
    key = next(one for one in networks if one.endswith(to_hex(shown.hostile)))
    models = client.get(f"{API}/networks/{key}/models", params={"format": "csv"}).text

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["verified"]) for row in rows] == [row["verified"] for row in networks.values()]
    (model,) = csv.DictReader(io.StringIO(models))
    assert model["name"] == "'" + MODEL


def test_json__hostile_names__are_data(networks: dict[str, dict[str, Any]], shown: Shown) -> None:
    row = next(row for row in networks.values() if row["network_id"] == to_hex(shown.hostile))

    assert (row["name"], row["uri"]) == (NAME, URI)


@pytest.mark.parametrize("path", ["/", "/app.js", f"{API}/networks", f"{API}/none", "/none"])
def test_headers__any_answer__keep_strangers_out(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"networks/1/0x{'00' * 20}/0x{'00' * 32}", 404),
        (f"networks/1/0x{'00' * 20}/0x{'00' * 32}/days", 404),
        (f"batches/1/0x{'00' * 20}/0x{'00' * 32}", 404),
        ("networks/1/0x00/0x00", 422),
        ("networks?limit=10001", 422),
        ("networks?offset=-1", 422),
        ("disputes?state=lost", 422),
    ],
)
def test_request__of_nothing__is_refused(client: TestClient, path: str, status: int) -> None:
    assert client.get(f"{API}/{path}").status_code == status


RIGHT = "0x52908400098527886E0F7030069857D2E4169EE7"
"""Source: ERC-55's own examples; all capitals, and so without a checksum."""
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.mark.parametrize(
    "path",
    [
        "networks/1/{address}/{id}",
        "networks/1/{address}/{id}/days",
        "networks/1/{address}/{id}/numbers/committed",
        "networks/1/{address}/{id}/disputes?state=open",
        "batches/1/{address}/{id}",
        "chain/1/{address}/{id}",
    ],
)
@pytest.mark.parametrize(
    ("address", "status"),
    [
        (RIGHT, 404),
        (MIXED, 404),
        (MIXED.lower(), 404),
        ("0x" + MIXED[2:].upper(), 404),
        (MIXED.replace("aA", "Aa"), 422),
        (MIXED.replace("7Ef", "8Ef"), 422),
    ],
)
def test_request__address_in_mixed_case__its_checksum_is_looked_at(
    client: TestClient, path: str, address: str, status: int
) -> None:
    answer = client.get(f"{API}/{path.format(address=address, id='0x' + '00' * 32)}")

    assert answer.status_code == status, answer.text
    if status == 422:
        (problem,) = answer.json()["detail"]
        said = problem["msg"]
        assert said.startswith(f"the address is 0x{address[2:]}; needed:") and "checksum" in said


def test_number__operator_with_a_wrong_checksum__is_refused(
    client: TestClient, shown: Shown
) -> None:
    stage = shown.world.stages["Agora"]
    place = f"networks/31337/{to_hex(shown.contract.address)}/{to_hex(stage.id)}"
    wrong = MIXED.replace("aA", "Aa")

    answer = client.get(f"{API}/{place}/numbers/committed?by=operator&of={wrong}")

    (problem,) = answer.json()["detail"]
    assert (answer.status_code, "checksum" in problem["msg"]) == (422, True)


def test_utility__probe_log__is_the_product_of_its_parts(shown: Shown, tmp_path: Path) -> None:
    log = tmp_path / "probes.jsonl"
    stage = shown.world.stages["Agora"]
    place = (31337, shown.contract.address, stage.id, b"o" * 20, "http://127.0.0.1")
    begun = (epoch_of(GENESIS) + 1) * EPOCH
    answered = ProbeResult(begun + 9.0, *place, True, 0.1, 0.2, 200)
    ProbeLog(log).append([answered, answered, answered, ProbeResult(begun + 9.5, *place, False)])

    rows = Snapshot(shown.data.root, log).networks()

    agora = next(row for row in rows if row["name"] == "Agora")
    parts = [agora[name] for name in ("accessibility", "verifiability", "scalability")]
    assert parts[0] == 0.75
    assert agora["utility"] == pytest.approx(math.prod(parts))
    assert agora["utility"] > 0
    assert {row["utility"] for row in rows if row["name"] != "Agora"} == {None}
    assert "few-probes" in {one["code"] for one in agora["cautions"]}


@pytest.fixture
def moved(shown: Shown) -> Iterator[Live]:
    live = Live(shown.data.root, bring=shown.bring)
    snapshot = shown.world.w3.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    yield live
    shown.world.w3.provider.make_request("evm_revert", [snapshot])  # type: ignore[arg-type]
    # Fewer blocks alone are a node that is behind; another one in their place is a fork.
    mine(shown.world.w3)
    shown.bring()


def test_live__new_block__makes_a_new_snapshot(moved: Live, shown: Shown) -> None:
    before = moved.snapshot

    assert moved.look() is False
    shown.world.send("griefer", "stake", shown.hostile, 10**15)
    assert moved.look() is True

    assert moved.snapshot.coverage[0].last_block > before.coverage[0].last_block
    assert moved.snapshot.coverage[0].rows == before.coverage[0].rows + 1
    key = next(one for one in before.network_keys() if one.network_id == to_hex(shown.hostile))
    # The older one still answers for its own blocks.
    assert before.operators(key)[0]["stake"] == 10**16
    assert moved.snapshot.operators(key)[0]["stake"] == 10**16 + 10**15


def test_live__node_refuses__its_words_are_logged_and_not_shown(
    shown: Shown, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise UnavailableError("https://node.example/v2/SECRET: over quota")

    live = Live(shown.data.root, bring=refuse)

    assert live.look() is live.look() is False
    assert live.trouble == "no node gives them"
    assert [one.message.count("over quota") for one in caplog.records] == [1]


def test_live__node_gone__keeps_what_was_shown(shown: Shown) -> None:
    def fail() -> None:
        raise OSError("no node")

    live = Live(shown.data.root, bring=fail)

    assert live.look() is False
    assert live.trouble == "no node"
    with TestClient(create_app(live, every=60)) as client:
        assert client.get(f"{API}/coverage").json()["trouble"] == "no node"
