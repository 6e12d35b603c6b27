"""A verifier's numbers as Prometheus reads them, and a command that cannot begin."""

from pathlib import Path

import pytest

from tallystick.node.errors import SettingsError
from tallystick.node.metrics import Metrics
from tallystick.node.verifier.assembly import assemble
from tallystick.node.verifier.meter import Meter
from tallystick.node.verifier.process import run_verifier
from tests.node.verifier.stage import BOND, Stage, rounds


def test_read__after_a_round__says_what_was_done(staged: Stage) -> None:
    staged.commit(20)
    staged.commit(30, wrong=[3])
    staged.commit(10, kept=False)
    staged.commit(10, claimed=12)
    staged.seeded()
    verifier, metrics = staged.verifier(drawn=30), Metrics()
    meter = Meter(metrics, verifier)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"tallystick_{name}", labels)

    meter.read()
    assert (value("batches_seen_total"), value("audits_signed_total")) == (4, 0)
    rounds(verifier, count=3)
    for _ in range(2):
        meter.read()

    assert value("batches_seen_total") == 4
    assert value("leaves_reexecuted_total") == 50
    assert value("mismatches_total") == 1
    assert value("flaws_total", rule="short") == 1
    assert value("audits_signed_total") == 1
    assert value("demands_made_total") == 2
    assert value("transactions_total", function="challenge") == 1
    assert value("challenges_open") == 3
    assert value("money_at_stake") == BOND + 2 * BOND // 10
    spent = value("spent_today")
    assert spent is not None
    assert 1.2 * BOND < spent < 1.3 * BOND
    assert value("lag_blocks") == 0


def test_refresh__node_gone__lag_stays_and_failures_count(staged: Stage) -> None:
    verifier, metrics = staged.verifier(), Metrics()
    verifier.watch.follower.registry.w3.provider.endpoint_uri = "http://127.0.0.1:1"  # type: ignore[attr-defined]
    Meter(metrics, verifier).read()
    failures = metrics.registry.get_sample_value("tallystick_failures_total", {"what": "verifier"})
    assert failures == 1


def test_assemble__registry_or_committee_not_there__says_so(staged: Stage) -> None:
    from tallystick.chain.committee import CommitteeError
    from tallystick.chain.signer import KeySigner
    from tallystick.node.settings import Settings
    from tests.node.verifier.stage import account

    given = staged.settings("x")
    given["common"]["registry"] = "0x" + "11" * 20
    with pytest.raises(SettingsError, match="has no contract at 0x1111"):
        assemble(Settings(**given), staged.chain.w3, KeySigner(account(5)))
    given = staged.settings("x", committees=["0x" + "22" * 20])
    with pytest.raises(CommitteeError, match="no contract is at"):
        assemble(Settings(**given), staged.chain.w3, KeySigner(account(5)))


def test_run_verifier__no_section__one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("common: {}\n")
    with pytest.raises(SettingsError, match="no verifier section"):
        run_verifier(tmp_path / "empty.yaml")
