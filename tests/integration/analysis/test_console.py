"""The console's commands over a story on a real chain."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tallystick.data.totals.expression import COUNTS
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.totals import Totals
from tests.integration.analysis.conftest import Console, Story


def test_totals__story__are_the_contracts(console: Console, story: Story) -> None:
    rows = {row["network_id"]: row for row in console.json("totals")}

    for network in story.networks:
        row, totals = rows[to_hex(network.id)], network.totals()
        assert Totals(**{name: row[name] for name in (*COUNTS, "burned")}) == totals
        assert (row["verified"], row["open"]) == (totals.verified, totals.open)
    first = story.first.totals()
    assert (first.committed, first.unchallenged, first.audited, first.rejected) == (15, 3, 6, 4)
    assert first.open == 2 and first.burned > 0


def test_totals__by_operator__say_who(console: Console, story: Story) -> None:
    rows = console.json("totals", "--by", "operator")

    found = {(row["network_id"], row["operator"]): row for row in rows}
    one, two = (to_hex(story.chain.accounts[place]) for place in (2, 3))
    assert found[to_hex(story.first.id), one]["committed"] == 11
    assert found[to_hex(story.first.id), two]["rejected"] == 4
    assert found[to_hex(story.second.id), one]["unchallenged"] == 5


def test_totals__of_a_period__are_of_what_moved_in_it(console: Console, story: Story) -> None:
    days = sorted({row["day"] for row in console.json("totals", "--by", "day")})
    assert len(days) == 2

    early = {row["network_id"]: row for row in console.json("totals", "--until", days[1])}
    late = {row["network_id"]: row for row in console.json("totals", "--since", days[1])}

    second = to_hex(story.second.id)
    assert (early[second]["committed"], early[second]["unchallenged"]) == (5, 0)
    assert (late[second]["committed"], late[second]["unchallenged"]) == (0, 5)
    assert "open" not in early[second]


@pytest.mark.parametrize("form", ["table", "json", "csv", "parquet"])
def test_totals__each_format__holds_the_same(
    console: Console, story: Story, form: str, tmp_path: Path
) -> None:
    path = tmp_path / f"totals.{form}"

    done = console.run("totals", "--data", console.folder, "--format", form, "--output", path)

    assert done.exit_code == 0 and "rests on" in done.stderr
    network = to_hex(story.first.id)
    burned = story.first.totals().burned
    if form == "table":
        (line,) = [line for line in path.read_text().splitlines() if network in line]
        assert line.split()[-1] == str(burned)
        return
    rows = {
        "json": lambda: json.loads(path.read_text()),
        "csv": lambda: list(csv.DictReader(io.StringIO(path.read_text()))),
        "parquet": lambda: pq.read_table(path).to_pylist(),
    }[form]()
    (row,) = [row for row in rows if row["network_id"] == network]
    assert (int(row["committed"]), int(row["burned"])) == (15, burned)


def test_totals__parquet_to_stdout__is_refused(console: Console) -> None:
    assert "needed: --output FILE" in console.error("totals", "--format", "parquet")


def test_measures__story__say_what_numbers_rest_on(console: Console, story: Story) -> None:
    rows = {row["network_id"]: row for row in console.json("measures")}

    first, second = (rows[to_hex(network.id)] for network in story.networks)
    rules = story.first.rules
    assert first["resolvers"] == "self-declared" and second["resolvers"] == "none"
    assert (first["backed"], second["backed"]) == (True, False)
    assert first["own_arbiter"] is True
    assert first["stake_at_risk"] == 2 * rules.stake_per_inference
    assert first["price_of_a_fake"] == first["price_audited"] == "gas only"
    assert "own arbiter decides" in first["price_audited_because"]
    assert second["price_audited"] is None and second["price_unchallenged"] == "gas only"
    assert (first["operators"], first["owner_operates"]) == (2, False)
    assert first["known_verified"] == 0 and "self-declared" in first["unranked_because"]
    assert first["audited_share"] == pytest.approx(6 / 9)
    # Data of 9 of 15 were in the store; 6 of these were asked for by one requester.
    assert first["found_share"] == pytest.approx(9 / 15)
    assert first["solicited_share"] == pytest.approx(6 / 9)
    assert (first["requesters"], first["top_share"], first["herfindahl"]) == (1, 1.0, 1.0)
    assert second["top_share"] is None and second["gas_per_verified"] is None
    assert first["gas_per_verified"] > 10_000


def test_measures__table__has_prices_and_the_sentences_below(
    console: Console, story: Story
) -> None:
    done = console.run("measures", "--data", console.folder)

    assert done.exit_code == 0 and "No network is ranked yet" in done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert any(line.startswith("audited, gas only: the network's own attestor") for line in lines)
    assert any(line.startswith("no rank: no grade of it") for line in lines)
    for network in story.networks:
        assert sum(to_hex(network.id) in line for line in lines) == 2


def test_measures__gas__is_all_of_the_transactions(console: Console, story: Story) -> None:
    rows = {row["network_id"]: row for row in console.json("measures")}
    w3 = story.chain.w3
    spent = 0
    for number in range(w3.eth.block_number + 1):
        for tx in w3.eth.get_block(number, full_transactions=True)["transactions"]:
            receipt = w3.eth.get_transaction_receipt(tx["hash"])
            named = {log["topics"][1].hex() for log in receipt["logs"] if len(log["topics"]) == 4}
            if named == {story.first.id.hex()} and tx["to"] is not None:
                batch_moves = [log for log in receipt["logs"] if len(log["topics"]) == 4]
                registered = tx["input"][:4] in _registrations()
                spent += 0 if registered or not batch_moves else receipt["gasUsed"]

    assert rows[to_hex(story.first.id)]["gas_per_verified"] * 6 == pytest.approx(spent)


def _registrations() -> set[bytes]:
    from tallystick.chain.abi import contract

    functions = contract("Tallystick").functions()
    return {functions[name].selector for name in ("registerNetwork", "registerModel")}


def test_requesters__story__say_what_became_of_their_inferences(
    console: Console, story: Story
) -> None:
    rows = console.json("requesters")

    mine = [row for row in rows if row["network_id"] == to_hex(story.first.id)]
    assert {(row["solicited"], row["inferences"], row["audited"]) for row in mine} == {
        (True, 6, 6),
        (False, 3, 0),
    }


def test_reconcile__story__agrees_on_every_counter(console: Console, story: Story) -> None:
    rows = console.json("reconcile", "--rpc", f"31337={story.url}")

    assert len(rows) == 2 * 8 and all(row["agrees"] for row in rows)


def test_reconcile__counter_differs__names_it_and_exits_1(
    console: Console, story: Story, tmp_path: Path
) -> None:
    # A decoded file from which somebody took a row.
    import shutil

    other = Console(tmp_path / "data")
    shutil.copytree(console.folder, other.folder)
    (path,) = [
        path
        for path in other.folder.glob("events/BatchRejected/*/*/*.parquet")
        if len(pq.read_table(path))
    ]
    pq.write_table(pq.read_table(path).slice(0, 0), path)

    text = other.error("reconcile", "--rpc", f"31337={story.url}")

    head = story.chain.w3.eth.block_number
    assert f"network {to_hex(story.first.id)}, counter rejected, block {head}" in text
    assert "events say 0, the contract says 4" in text


def test_reconcile__no_url_of_the_chain__says_so(console: Console, story: Story) -> None:
    assert "no RPC URL is named for chain 31337" in console.error(
        "reconcile", "--rpc", "1=http://x"
    )
    assert "names no chain" in console.run("reconcile", "--rpc", "http://x").stderr
    text = console.error("reconcile", "--rpc", "31337=http://127.0.0.1:1")
    assert "127.0.0.1:1 does not answer" in text


def test_utility__without_a_log__has_no_product(console: Console, story: Story) -> None:
    rows = {row["network_id"]: row for row in console.json("utility", "--inputs")}

    first = rows[to_hex(story.first.id)]
    assert first["utility"] is None and first["accessibility"] is None
    assert (first["verified"], first["left_open"], first["days"]) == (6, 13, 2)
    assert first["verifiability"] == pytest.approx(6 / 13)


def test_extract__run_again__has_nothing_to_do(console: Console, story: Story) -> None:
    before = {path: path.stat().st_mtime_ns for path in console.folder.rglob("*.parquet")}

    options = ["--rpc", story.url, "--depth", "0", "--range", "7", "--gas"]
    done = console.json("extract", story.registry, *options)

    assert done["files_written"] == 0
    assert {path: path.stat().st_mtime_ns for path in console.folder.rglob("*.parquet")} == before


def test_totals__empty_folder__says_what_to_run(tmp_path: Path) -> None:
    assert "run `tallystick extract`" in Console(tmp_path).error("totals")


def test_extract__half_an_address__is_a_usage_error(story: Story, tmp_path: Path) -> None:
    result = Console(tmp_path).run("extract", "0x12", "--rpc", story.url)

    assert result.exit_code == 2 and "20 bytes" in result.stderr


def test_receipt_check__good_and_bad_file__are_told_apart(console: Console, tmp_path: Path) -> None:
    empty, wrong = tmp_path / "empty.jsonl", tmp_path / "wrong.jsonl"
    empty.write_text("")
    wrong.write_text("{}\n")

    for path, reason in ((empty, "holds no receipt"), (wrong, "wrong.jsonl, line 1")):
        result = console.run("receipt", "check", path)
        assert result.exit_code == 1 and reason in result.stderr
