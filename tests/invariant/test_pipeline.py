"""Histories of random actions, through decoding and totals: the numbers are the contract's."""

from pathlib import Path

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.chain.logs import decode_log
from tallystick.data.analysis import Analysis
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.standing import standing
from tallystick.data.totals.expression import COUNTS
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.totals import Totals
from tests.invariant.machine import CHAIN_ID, Machine
from tests.invariant.walk import walk
from tests.support.folder import fill, logs_table


def of_contract(machine: Machine) -> dict[str, Totals]:
    return {
        to_hex(network): Totals(*machine.read("totals", network)) for network in machine.networks
    }


@pytest.mark.parametrize("seed", range(6))
def test_pipeline__random_history__totals_are_the_contracts(seed: int, tmp_path: Path) -> None:
    machine = walk(100 + seed, 600)
    data = fill(
        tmp_path, ContractKey(CHAIN_ID, machine.registry), logs_table(machine.raw), parts=1 + seed
    )

    analysis = Analysis(data.root)

    expected = of_contract(machine)
    rows = {row["network_id"]: row for row in analysis.totals().to_pylist()}
    assert rows.keys() == expected.keys()
    for network, totals in expected.items():
        row = rows[network]
        found = Totals(**{name: row[name] for name in COUNTS}, burned=int(row["burned"]))
        assert found == totals
        assert (row["verified"], row["open"]) == (totals.verified, totals.open)
    for by in (["operator"], ["model"], ["day"], ["operator", "model", "day"]):
        split = analysis.totals(by).to_pylist()
        for network, totals in expected.items():
            mine = [row for row in split if row["network_id"] == network]
            for name in COUNTS:
                assert sum(row[name] for row in mine) == getattr(totals, name)
            assert sum(int(row["burned"]) for row in mine) == totals.burned


@pytest.mark.parametrize("seed", range(2))
def test_standing__random_history_cut_anywhere__batches_stand_as_the_ledger_has_them(
    seed: int, tmp_path: Path
) -> None:
    machine = walk(200 + seed, 600)
    pending = set()
    for part in (2, 3, 4, 5):
        raw = machine.raw[: len(machine.raw) * part // 5]
        ledger = Ledger.of(map(decode_log, raw))
        registry = ContractKey(CHAIN_ID, machine.registry)
        data = fill(tmp_path / str(part), registry, logs_table(raw), parts=3)

        tables = Analysis(data.root).tables
        whole, live = standing(tables), standing(tables, live=True)

        assert list(whole.batches.items()) == list(ledger.batches.items())
        assert live.batches == {one.id: one for one in ledger.live()}
        assert list(live.batches) == [key for key in whole.batches if key in live.batches]
        rules = {key: network.rules for key, network in ledger.networks.items()}
        assert whole.rules == live.rules == rules
        pending |= {one.dispute.kind for one in live.batches.values() if one.dispute}
    assert pending == {DisputeKind.CHALLENGE, DisputeKind.DEMAND}


def test_pipeline__same_network_id_on_two_chains__are_kept_apart(tmp_path: Path) -> None:
    one, other = walk(1, 600), walk(2, 600)
    fill(tmp_path, ContractKey(CHAIN_ID, one.registry), logs_table(one.raw))
    # The same registry and networks on another chain, as a fork of it has.
    fill(tmp_path, ContractKey(2, other.registry), logs_table(other.raw), parts=3)

    rows = Analysis(tmp_path).totals().to_pylist()

    assert one.networks == other.networks
    for chain_id, machine in ((CHAIN_ID, one), (2, other)):
        found = {row["network_id"]: row for row in rows if row["chain_id"] == chain_id}
        for network, totals in of_contract(machine).items():
            assert found[network]["committed"] == totals.committed
            assert int(found[network]["burned"]) == totals.burned
    assert of_contract(one) != of_contract(other)


def test_pipeline__registry_whose_address_looks_like_a_number__keeps_it(tmp_path: Path) -> None:
    machine = walk(3, 300)
    registry = ContractKey(CHAIN_ID, bytes(19) + b"\x10")
    fill(tmp_path, registry, logs_table(machine.raw))

    rows = Analysis(tmp_path).totals().to_pylist()

    assert {row["address"] for row in rows} == {to_hex(registry.address)}
    assert sum(row["committed"] for row in rows) > 0
