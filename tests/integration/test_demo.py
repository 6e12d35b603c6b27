"""The demo's story, kept as a data folder."""

from pathlib import Path

from tallystick.analysis import Analysis
from tallystick.demo import story
from tallystick.demo.report import COUNTERS


def test_story__kept_in_a_folder__has_the_same_totals_and_the_inferences(tmp_path: Path) -> None:
    rows = story.run(lambda line: None, nodes=False, data=tmp_path)

    analysis = Analysis(tmp_path)
    found = {row["network_id"]: row for row in analysis.totals().to_pylist()}
    assert len(rows) == len(found) == 3
    for row in rows:
        assert row["events_agree"] and row["committed"] > 100
        kept = found[row["id"]]
        assert {name: kept[name] for name in COUNTERS} == {name: row[name] for name in COUNTERS}
    measured = analysis.measures().to_pylist()
    assert all(row["gas_per_verified"] > 0 for row in measured if row["verified"])
    # One operator kept a batch where nobody looks.
    assert sorted(row["found_share"] == 1 for row in measured) == [False, True, True]
