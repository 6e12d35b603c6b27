"""An operator's key: named, shown, taken back; it commits in the operator's lane, and no more.

set: twice, itself, dry run | show: none, one | submit: as key, stranger, with evidence, taken back
"""

from collections.abc import Callable
from pathlib import Path

from tallystick.protocol.hexes import checksummed, to_hex
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.story import Network

KEY, OPERATOR, STRANGER = 6, 2, 7
WriteLines = Callable[..., Path]


def line(network: Network, tmp_path: Path) -> list[object]:
    return [
        *["--network-id", to_hex(network.id), "--model-id", to_hex(network.model_id)],
        *["--store", tmp_path / "batches", "--receipts", tmp_path / "receipts"],
    ]


def test_key__set_shown_and_unset__as_the_registry_has_it(
    chain: Chain, commands: Commands, network: Network
) -> None:
    operator, key = chain.accounts[OPERATOR], chain.accounts[KEY]
    assert commands.json("key show", to_hex(operator))["key"] is None

    dry = commands.json("key set", to_hex(key), "--dry-run", account=OPERATOR)
    assert (dry["dry_run"], chain.registry.key(operator)) == (True, bytes(20))
    done = commands.json("key set", to_hex(key), account=OPERATOR)
    assert (done["move"], done["key"]) == ("setKey", checksummed(key))
    again = commands.json("key set", to_hex(key), account=OPERATOR)
    assert again["move"] == "none: set already"

    shown = commands.json("key show", to_hex(operator))
    assert shown == {
        "operator": checksummed(operator),
        "key": checksummed(key),
        "block": chain.w3.eth.block_number,
    }
    assert chain.ledger().key_of(operator) == key
    commands.json("key unset", account=OPERATOR)
    assert commands.json("key show", to_hex(operator))["key"] is None


def test_key__the_operator_itself__refused(
    chain: Chain, commands: Commands, network: Network
) -> None:
    operator = chain.accounts[OPERATOR]

    text = commands.error("key set", to_hex(operator), account=OPERATOR)

    assert "is the operator itself, which may always commit" in text


def test_submit__as_key__commits_in_the_operators_lane_once(
    chain: Chain, commands: Commands, network: Network, write_lines: WriteLines, tmp_path: Path
) -> None:
    operator, key = chain.accounts[OPERATOR], chain.accounts[KEY]
    commands.json("key set", to_hex(key), account=OPERATOR)
    words = [write_lines(), *line(network, tmp_path), "--operator", to_hex(operator)]

    preview = commands.json("submit", *words, "--dry-run", account=KEY)
    done = commands.json("submit", *words, account=KEY)
    again = commands.json("submit", *words, account=KEY)

    assert preview["gas"] > 0 and not preview["committed"]
    assert (done["sent"], again["sent"], again["batch_id"]) == (True, False, done["batch_id"])
    (record,) = chain.ledger().batches.values()
    assert (record.batch.operator, to_hex(record.id)) == (operator, done["batch_id"])
    assert network.lane(operator).open_inferences == 5
    assert network.lane(key).next_index == 0
    (status,) = commands.json("receipt check", done["receipts"])
    assert (status["receipts"], status["state"]) == (5, "open")
    # The operator itself goes on where its key was.
    own = commands.json(
        "submit", *words[:-2], "--label", "second", "--operator", to_hex(operator), account=OPERATOR
    )
    assert own["index"] == 1


def test_submit__not_the_key__says_what_is_needed(
    chain: Chain, commands: Commands, network: Network, write_lines: WriteLines, tmp_path: Path
) -> None:
    operator, key = chain.accounts[OPERATOR], chain.accounts[KEY]
    words = [write_lines(), *line(network, tmp_path), "--operator", to_hex(operator)]

    assert "it has none; the operator names one with" in commands.error(
        "submit", *words, account=STRANGER
    )
    commands.json("key set", to_hex(key), account=OPERATOR)
    text = commands.error("submit", *words, account=STRANGER)
    assert f"its key is {checksummed(key)}" in text
    evidence = ["--grade", "audited", "--evidence", to_hex((1).to_bytes(32, "big"))]
    assert "a key commits without evidence" in commands.error(
        "submit", *words, *evidence, account=KEY
    )
    commands.json("key unset", account=OPERATOR)
    assert "it has none" in commands.error("submit", *words, account=KEY)
    assert not chain.ledger().batches
    assert not (tmp_path / "batches").exists()
