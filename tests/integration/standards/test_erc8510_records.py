"""Receipts of a real chain as ERC-8510 drafts them: schema, signature, and the day's root.

judged   open: null | final: its outcome | rejected
signed   by ERC-191, over the record without signer and signature; without an account: null
day      records of that UTC day alone, the root from the leaves; an empty day has none
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from eth_account import Account
from eth_account.messages import encode_defunct

from tallystick.ape.main import cli
from tallystick.protocol.erc8510 import Record, daily_list, signed_text
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.story import Network


@pytest.fixture
def receipts(
    commands: Commands,
    network: Network,
    write_lines: Callable[..., Path],
    tmp_path: Path,
) -> Path:
    done = commands.json(
        "submit",
        write_lines(),
        "--network-id",
        to_hex(network.id),
        "--model-id",
        to_hex(network.model_id),
        "--store",
        tmp_path / "batches",
        "--receipts",
        tmp_path / "receipts",
        account=2,
    )
    return Path(done["receipts"])


def records(commands: Commands, *words: object, account: int | None = None) -> list[Any]:
    done = commands.run("receipt erc8510", *words, account=account)
    assert done.exit_code == 0, (done.stderr, done.exception)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_records__of_an_open_batch__fit_the_schema_and_tell_what_is_known(
    chain: Chain, commands: Commands, network: Network, receipts: Path
) -> None:
    found = records(commands, receipts)

    assert len(found) == 5
    for place, one in enumerate(found):
        Record.model_validate(one)
        told = json.loads(receipts.read_text().splitlines()[place])
        assert one["request"] == told["inference"]["input_hash"]
        assert one["response"] == told["inference"]["output_hash"]
        assert one["model"] == to_hex(network.model_id)
        assert one["network"] == f"eip155:{chain.w3.eth.chain_id}"
        assert one["at"] == chain.w3.eth.get_block(told["block"])["timestamp"]
        assert (one["judged"], one["payer"], one["signature"]) == (None, None, None)
        assert [one[name] for name in ("tokensIn", "tokensOut", "price", "fee")] == [None] * 4


def test_records__signed__recover_to_the_account(
    chain: Chain, commands: Commands, receipts: Path
) -> None:
    for one in records(commands, receipts, account=2):
        Record.model_validate(one)
        signer = Account.recover_message(
            encode_defunct(signed_text(one)), signature=one["signature"]
        )
        assert signer == one["signer"] == checksummed(chain.accounts[2])
        assert signer != Account.recover_message(
            encode_defunct(signed_text({**one, "response": "0x" + "00" * 32})),
            signature=one["signature"],
        )


def test_records__final__say_how_they_were_judged(
    chain: Chain, commands: Commands, network: Network, receipts: Path
) -> None:
    chain.at(chain.now + network.rules.challenge_window + 1).mine()
    commands.json("finalize", receipts, account=2)

    assert {one["judged"] for one in records(commands, receipts)} == {"unchallenged"}


def test_list__of_a_day__has_its_records_and_their_root(
    chain: Chain, commands: Commands, receipts: Path, tmp_path: Path
) -> None:
    found = records(commands, receipts)
    day = datetime.fromtimestamp(found[0]["at"], UTC).date()
    out = tmp_path / "list.json"

    told = commands.json("receipt erc8510", receipts, "--day", day, "--out", out)
    nothing = commands.json("receipt erc8510", receipts, "--day", day + timedelta(1))

    leaves = [keccak256(signed_text(one)) for one in found]
    assert json.loads(out.read_text())["leaves"] == [to_hex(one) for one in leaves]
    assert told["root"] == to_hex(Tree.from_leaves(leaves).root)
    assert (nothing["count"], nothing["root"]) == (0, None)
    assert daily_list(day, list(reversed(found)))["root"] == told["root"]


def test_records__bad_receipts_or_day__are_one_line(
    commands: Commands, receipts: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text(receipts.read_text().replace("0x01", "0x02", 1)[:-40])

    assert commands.error("receipt erc8510", broken)
    done = CliRunner(mix_stderr=False).invoke(
        cli, ["receipt", "erc8510", str(receipts), "--day", "tomorrow"]
    )
    assert done.exit_code == 2 and "tomorrow" in done.stderr


def test_schema__record__names_the_drafts_fields() -> None:
    names = "v request response model upstream tokensIn tokensOut price fee absorbed judged asset"
    names += " network payer nonce at signer signature x-tallystick"

    schema = Record.model_json_schema()

    assert schema["required"] == names.split() and not schema["additionalProperties"]
