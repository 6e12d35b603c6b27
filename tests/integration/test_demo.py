"""The demo's story, kept as a data folder."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallystick.ape.commands.demo import going_on
from tallystick.data.analysis import Analysis
from tallystick.demo.probing import LOG
from tallystick.demo.report import COUNTERS
from tests.support.commands import Line, every_command

(EXAMPLE,) = {one.example for one in every_command() if one.name == "ape tallystick demo"}


def test_demo__example_of_its_help__keeps_the_same_totals_and_the_inferences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    group, words = Line.of(EXAMPLE).root

    done = CliRunner(mix_stderr=False).invoke(group, [*words, "--json"], catch_exceptions=False)

    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    analysis = Analysis(tmp_path / "story")
    found = {row["network_id"]: row for row in analysis.totals().to_pylist()}
    assert len(rows) == len(found) == 5
    for row in rows:
        assert row["events_agree"] and row["committed"] > 100
        kept = found[row["id"]]
        assert {name: kept[name] for name in COUNTERS} == {name: row[name] for name in COUNTERS}
    measured = analysis.measures().to_pylist()
    assert all(row["gas_per_verified"] > 0 for row in measured if row["verified"])
    # One operator kept a batch where nobody looks.
    assert sorted(row["found_share"] == 1 for row in measured) == [False, True, True, True, True]
    # Whoever is asked answers, so that each network's utility is known.
    utility = analysis.utility(tmp_path / "story" / LOG)
    assert len(utility) == 5
    assert all(one.accessibility == 1 and one.utility is not None for one in utility.values())


@pytest.mark.parametrize("data", [None, Path("my story")])
def test_demo__its_end__names_the_page_and_three_commands(data: Path | None) -> None:
    commands = [Line.of(line) for line in going_on(data) if line.startswith("  ")]

    names = [line.command().name for line in commands]
    assert names[-4:] == ["serve", "totals", "measures", "utility"]
    assert len(names) == (4 if data else 5)
    assert all(str(data or "story") in line.words for line in commands)
