"""Networks of pools, from the chain to what `measures` and the API say of them.

known     code, CORE, spec, terms at the floors, rules of the network, shares of the seats
not       a small bond | a pool below the floors | held by one | a foreign spec | friends
folder    recomputed without a node | interrupted before its pools were read | logs left out
          repaired: a gap, a damaged file
          no node has the block's state | new blocks, a new epoch | another version of the list
          signers convicted
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from tallystick.chain.abi import contract
from tallystick.chain.localnet import localnet
from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.data.analysis import Analysis
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.pools.state import SeatsAtBlock
from tallystick.data.totals.coverage import CoverageError
from tallystick.protocol.hexes import to_hex
from tests.integration.analysis.conftest import GENESIS, Console
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, faulty_rpc
from tests.support.pool import SEAT_STAKE
from tests.support.pool_story import COUNT, MEMBERS, SEATS, PoolStory, play


@dataclass
class Read:
    """The story, and the folder into which it was read."""

    story: PoolStory
    console: Console

    @property
    def data(self) -> Dataset:
        return Dataset(self.console.folder)

    @property
    def registry(self) -> ContractKey:
        (found,) = self.data.registries()
        return found


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    with localnet(timestamp=GENESIS) as w3:
        story = play(Chain(w3))
        console = Console(tmp_path_factory.mktemp("pools") / "data")
        console.json("extract", story.registry, "--rpc", story.url, "--depth", "0")
        yield Read(story, console)


@pytest.fixture(scope="module")
def measured(read: Read) -> dict[str, dict[str, Any]]:
    rows = {row["network_id"]: row for row in read.console.json("measures")}
    return {name: rows[read.story.id(name)] for name in read.story.networks}


@pytest.fixture
def copied(read: Read, tmp_path: Path) -> Path:
    """The folder, to be changed."""
    return Path(shutil.copytree(read.console.folder, tmp_path / "data"))


def unmet(row: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["of"], one["condition"]) for one in row["unmet"]}


def test_measures__pool_at_the_floors__is_known_and_ranks_by_its_audits(
    measured: dict[str, dict[str, Any]],
) -> None:
    row = measured["honest"]

    assert (row["standing_audited"], row["standing_arbiter"]) == ("known", "known")
    assert (row["known_verified"], row["unranked_because"], row["unmet"]) == (COUNT, None, [])


def test_measures__audit_on_record__price_is_what_its_signers_and_its_batch_lose(
    read: Read, measured: dict[str, dict[str, Any]]
) -> None:
    pool, batch = read.story.pools["drawn"], read.story.batches["honest"]
    signers = pool.audited(batch)[0].keys
    stakes = [pool.read("memberOf", key)[0] * SEAT_STAKE for key in signers]
    slash = 11 * COUNT

    row = measured["honest"]

    lost = sum(stake - stake // 16 for stake in stakes) + slash - min(slash // 2, 16 * 101)
    assert row["price_audited"] == row["price_of_a_fake"] == str(lost)
    assert "the lowest of 1 audit on record" in row["price_audited_because"]
    assert row["price_unchallenged"] == str(11 - 5)


def test_measures__bond_below_two_cases__names_the_bond_alone(
    measured: dict[str, dict[str, Any]],
) -> None:
    row = measured["small bond"]

    assert unmet(row) == {
        ("audited", "challenge_bond"),
        ("arbiter", "challenge_bond"),
        ("network", "convictable"),
    }
    (bond, _, _) = row["unmet"]
    assert (bond["actual"], bond["needed"]) == ("63", "64")
    assert bond["reason"] in row["unranked_because"]
    assert (row["verified"], row["known_verified"], row["price_audited"]) == (COUNT, 0, "gas only")


def test_measures__pools_that_anybody_could_fill__are_self_declared_and_say_why(
    measured: dict[str, dict[str, Any]],
) -> None:
    of_pool = {
        name: {one for of, one in unmet(measured[name]) if of == "audited"} for name in measured
    }

    assert of_pool["low"] == {"panel", "min_seats", "min_drawn", "seats"}
    assert of_pool["held"] == {"held_by_one"}
    assert of_pool["foreign"] == {"spec", "seats"}
    assert of_pool["friends"] == {"appointed"}
    for name in ("low", "held", "foreign", "friends"):
        assert measured[name]["resolvers"] == "self-declared"
        assert measured[name]["known_verified"] == 0 and measured[name]["unranked_because"]
    (held, *_) = measured["held"]["unmet"]
    assert held["reason"].startswith("held by one: ") and (held["actual"], held["needed"]) == (
        "60",
        "46",
    )


def test_networks__pools_and_friends__only_the_honest_one_is_ranked(read: Read) -> None:
    with TestClient(create_app(Live(read.console.folder))) as client:
        whole = client.get("/api/v1/networks").json()
        base = f"31337/{read.story.registry}/{read.story.id('honest')}"
        told = client.get(f"/api/v1/networks/{base}/registration").json()
        operators = client.get(f"/api/v1/networks/{base}/operators").json()["rows"]

    ranks = {row["network_id"]: row["rank"] for row in whole["rows"]}
    assert {name: ranks[read.story.id(name)] for name in read.story.networks} == dict.fromkeys(
        read.story.networks
    ) | {"honest": 1}
    pool = told["resolvers"]["attestors_0"]
    assert (pool["name"], pool["standing"], pool["audits"]) == ("Pool", "known", 1)
    assert pool["seats"]["seats"] == SEATS * len(MEMBERS)
    assert pool["seats"]["accounts"] == len(MEMBERS) and len(pool["seats"]["largest"]) == 10
    (operator,) = operators
    assert operator["audited_share"] == 1.0


def test_extract__pools__seats_are_the_chains_at_the_folders_block(read: Read) -> None:
    coverage = Analysis(read.console.folder).coverage[0]
    found = SeatsAtBlock.read(read.data.pools(read.registry))
    assert found is not None
    drawn = read.story.pools["drawn"]
    seats = found.pools[to_hex(drawn.address)]

    assert found.is_of(coverage.last_block, coverage.boundary)
    assert tuple(drawn.read("headerOf", seats.epoch)) == (seats.seats, len(MEMBERS))
    keys = [drawn.member(member) for member in MEMBERS]
    assert seats.accounts == {to_hex(key): SEATS for key in keys}


def test_measures__without_a_node__are_the_same_again(
    read: Read, measured: dict[str, dict[str, Any]], copied: Path
) -> None:
    rows = Console(copied).json("measures")

    assert {row["network_id"]: row for row in rows} == {
        row["network_id"]: row for row in measured.values()
    }


def test_measures__pools_not_read_up_to_the_last_block__one_line_says_what_to_run(
    read: Read, copied: Path
) -> None:
    path = Dataset(copied).pools(read.registry)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"block": 1}))

    with pytest.raises(CoverageError, match="run `tallystick extract` again"):
        Analysis(copied).measures()
    assert "were not read up to" not in Console(copied).error("measures")


def test_measures__pool_whose_seats_no_node_told__is_unidentified(read: Read, copied: Path) -> None:
    path = Dataset(copied).pools(read.registry)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pools": {}}))

    rows = {row["network_id"]: row for row in Console(copied).json("measures")}

    row = rows[read.story.id("honest")]
    assert (row["standing_audited"], row["known_verified"]) == ("unidentified", 0)
    assert "its seats were not read" in row["unranked_because"]


HEADER_OF = to_hex(contract("Pool").functions()["headerOf"].selector)


def forgotten(exchange: Exchange) -> bool:
    """A node that has dropped the state of the block."""
    found = False
    for asked, answer in exchange.calls:
        if asked["method"] == "eth_call" and asked["params"][0]["data"].startswith(HEADER_OF):
            answer.pop("result", None)
            answer["error"] = {"code": -32000, "message": "missing trie node 12ab"}
            found = True
    return found


def test_extract__node_without_the_blocks_state__pools_are_unidentified_until_one_has_it(
    read: Read, copied: Path
) -> None:
    story, console = read.story, Console(copied)
    path = Dataset(copied).pools(read.registry)
    kept = json.loads(path.read_text())
    path.unlink()

    with faulty_rpc(story.url, forgotten) as proxy:
        console.json("extract", story.registry, "--rpc", proxy.url, "--depth", "0")
    unread = SeatsAtBlock.read(path)
    rows = {row["network_id"]: row for row in console.json("measures")}
    console.json("extract", story.registry, "--rpc", story.url, "--depth", "0")

    assert unread is not None and (unread.pools, unread.block_time) == ({}, None)
    assert rows[story.id("honest")]["standing_audited"] == "unidentified"
    assert json.loads(path.read_text()) == kept


def test_extract__new_blocks__seats_are_of_the_new_last_block(read: Read, copied: Path) -> None:
    story, console = read.story, Console(copied)
    with story.chain.isolated():
        story.pools["drawn"].next_epoch()
        console.json("extract", story.registry, "--rpc", story.url, "--depth", "0")
        rows = {row["network_id"]: row for row in console.json("measures")}

    # Nobody came again: of an empty list nobody can say who holds it.
    row = rows[story.id("honest")]
    assert {one["condition"] for one in row["unmet"] if one["of"] == "audited"} == {"seats"}
    assert (row["rank"], row["known_verified"], row["verified"]) == (None, 0, COUNT)


def test_extract__signers_convicted__their_seats_are_told_apart(read: Read, copied: Path) -> None:
    story, console, chain = read.story, Console(copied), read.story.chain
    pool, batch = story.pools["drawn"], story.batches["honest"]
    operator = batch.batch.operator
    network = story.networks["honest"]
    with chain.isolated():
        bad = network.commit(operator, 2, slot=1, shape=lambda leaves: list(reversed(leaves)))
        record, signed = pool.audited(bad)
        pool.audit(bad, signed)
        chain.send(operator, "faultOrder", bad.pre_image(), bad.opening(0), bad.opening(1))
        pool.send(operator, "convict", bad.batch.abi(), record.abi())
        console.json("extract", story.registry, "--rpc", story.url, "--depth", "0")
    with TestClient(create_app(Live(copied))) as client:
        base = f"31337/{story.registry}/{story.id('honest')}"
        told = client.get(f"/api/v1/networks/{base}/registration").json()

    seats = [one["seats"] for one in told["resolvers"].values() if one["seats"]]
    assert {one["convicted"] for one in seats} == {len(record.keys) * SEATS}
    assert f"; {len(record.keys) * SEATS} are of convicted keys" in json.dumps(told)


def test_extract__list_of_pools_is_of_another_version__one_line_names_the_file(
    read: Read, copied: Path
) -> None:
    path = Dataset(copied).pools(read.registry)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))

    assert str(path) in Console(copied).error("measures")


def test_measures__table__ranks_stand_apart_from_what_is_self_declared(read: Read) -> None:
    shown = read.console.run("measures", "--data", read.console.folder).stdout

    ranked, _, rest = shown.partition("\n\nself-declared\n")
    assert ranked.startswith("ranked\n") and read.story.id("honest") in ranked
    assert read.story.id("honest") not in rest.partition("\n\n")[0]
    assert "held by one: 0x" in rest and "no rank: " in rest


@pytest.mark.parametrize("name", ("honest", "small bond", "low", "held", "foreign", "friends"))
def test_network_show__names_what_measures_says_is_unmet(
    read: Read, measured: dict[str, dict[str, Any]], name: str
) -> None:
    place = ("network", "show", read.story.id(name), "--rpc", read.story.url)
    place = (*place, "--registry", read.story.registry)

    shown = read.console.json(*place, data=False)["resolvers"]
    text = read.console.run(*place).stdout

    of_resolvers = [one for row in shown for one in row["unmet"]]
    assert of_resolvers == [one for one in measured[name]["unmet"] if one["of"] != "network"]
    assert all((row["standing"] == "known") == (row["unmet"] == []) for row in shown)
    assert all(one["reason"] in text for one in of_resolvers)


def test_totals__by_operator__have_the_share_of_audits(read: Read) -> None:
    rows = read.console.json("totals", "--by", "operator")

    shares = {row["network_id"]: row["audited_share"] for row in rows}
    assert shares[read.story.id("honest")] == 1.0


def test_extract__pools_logs_gone__are_read_anew(read: Read, copied: Path) -> None:
    data, story = Dataset(copied), read.story
    pool = ContractKey(31337, story.pools["drawn"].address)
    kept = json.loads(data.pools(read.registry).read_text())
    data.pools(read.registry).unlink()
    manifest = data.pool_logs.manifest(pool)
    body = json.loads(manifest.read_text())
    (part,) = body["parts"]
    # As if a node had given none.
    empty = data.pool_logs.logs(pool) / f"{part['first']:012d}-{part['last']:012d}.parquet"
    _without_logs(empty)

    console = Console(copied)
    again = ("extract", story.registry, "--rpc", story.url, "--depth", "0")
    console.json(*again)
    first = json.loads(data.pools(read.registry).read_text())
    assert to_hex(story.pools["drawn"].address) not in first["pools"]
    console.json(*again)

    assert json.loads(data.pools(read.registry).read_text()) == kept


@pytest.mark.parametrize("harm", ("a gap", "a damaged file"))
def test_extract_repair__logs_of_a_pool_are_not_whole__are_fetched_again(
    read: Read, copied: Path, harm: str
) -> None:
    data, story, console = Dataset(copied), read.story, Console(copied)
    pool = ContractKey(31337, story.pools["drawn"].address)
    (part,) = data.pool_logs.read_manifest(pool).parts
    path = data.pool_logs.logs(pool) / part.name
    whole = pq.read_table(path)
    if harm == "a gap":
        # The last is the audit's record: no list of seats lacks it.
        pq.write_table(whole.slice(0, len(whole) - 1), path)
    else:
        path.write_bytes(path.read_bytes()[:-100])
    told = console.run("measures", "--data", copied)
    assert (told.exit_code == 1) == (harm == "a damaged file")
    if harm == "a damaged file":
        assert f"extract --repair {part.first}:{part.last}" in told.stderr

    again = ("extract", story.registry, "--rpc", story.url, "--depth", "0")
    done = console.json(*again, "--repair", f"{part.first}:{part.last}")

    assert done["logs_repaired"] == (1 if harm == "a gap" else len(whole))
    assert pq.read_table(path).equals(whole)
    assert console.json("measures") == read.console.json("measures")


def _without_logs(path: Path) -> None:
    pq.write_table(pq.read_table(path).slice(0, 0), path)
