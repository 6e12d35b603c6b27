"""What audits compared, and margins that verifiers noted, over HTTP and on the page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from tallystick.cli.serve import export as command
from tallystick.cli.totals import totals
from tallystick.dashboard.app import create_app
from tallystick.dashboard.export import export
from tallystick.dashboard.live import Live
from tallystick.dashboard.margins import MarginFiles
from tallystick.data.analysis import Analysis
from tallystick.data.specs import known_specs
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.verdicts import Verdict
from tallystick.storage.margins_file import MarginNote, MarginsFile
from tests.support.shown import Shown

API = "/api/v1"


def base(client: TestClient) -> str:
    rows = client.get(f"{API}/networks").json()["rows"]
    one = next(row for row in rows if row["audited"])
    return f"{API}/networks/{one['chain_id']}/{one['core']}/{one['network_id']}"


def noted(model: dict[str, Any], path: Path) -> None:
    note = MarginNote(
        *(b"\1" * 32, 0, b"\2" * 20, from_hex(model["model_id"]), Verdict.GOOD),
        *(100, 0.25, 1.0, 5, "avx2"),
    )
    others = [
        replace(note, leaf_index=1, tokens=300, mean=0.05, largest=2.0, verdict=Verdict.DOUBTFUL),
        replace(note, leaf_index=2, tokens=0, mean=0, largest=0, verdict=Verdict.WRONG),
        replace(note, leaf_index=3, model_id=b"\7" * 32),
    ]
    MarginsFile(path).add([note, *others])


def test_evidence__integer_models__audited_by_equal_answers(client: TestClient) -> None:
    network = client.get(base(client)).json()
    (row,) = client.get(f"{base(client)}/evidence").json()["rows"]
    assert (row["kind"], row["terms"]) == ("exact", [])
    assert row["audited"] == network["audited"] > 0
    assert client.get(f"{base(client)}/evidence?format=csv").status_code == 200


def test_evidence__all_networks__as_the_analysis_and_totals_with_specs_have_it(
    client: TestClient, shown: Shown, tmp_path: Path
) -> None:
    rows = Analysis(shown.data.root).evidence(known_specs())
    networks = {row["network_id"]: row for row in client.get(f"{API}/networks").json()["rows"]}
    assert {row["network_id"]: row["audited"] for row in rows} == {
        key: row["audited"] for key, row in networks.items()
    }
    assert {row["kind"] for row in rows if row["audited"]} == {"exact"}
    (tmp_path / "specs").mkdir()
    words = ["--data", str(shown.data.root), "--specs", str(tmp_path / "specs")]
    done = CliRunner(mix_stderr=False).invoke(totals, [*words, "--format", "json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == rows
    assert CliRunner().invoke(totals, [*words, "--by", "model"]).exit_code == 2


def test_evidence__no_text_of_the_spec__is_not_known(live: Live) -> None:
    with TestClient(create_app(live, specs={})) as client:
        (row,) = client.get(f"{base(client)}/evidence").json()["rows"]
    assert row["kind"] == "not known"


def test_margins__files__summed_up_for_the_networks_models(live: Live, tmp_path: Path) -> None:
    files = [tmp_path / "one.jsonl", tmp_path / "not there.jsonl"]
    with TestClient(create_app(live, margins=MarginFiles(files))) as client:
        path = base(client)
        assert client.get(f"{path}/margins").json()["rows"] == []
        noted(client.get(f"{path}/models").json()["rows"][0], files[0])
        (row,) = client.get(f"{path}/margins").json()["rows"]
    assert (row["author"], row["operator"]) == (files[0].as_posix(), to_hex(b"\2" * 20))
    assert (row["answers"], row["doubtful"], row["wrong"]) == (3, 1, 1)
    assert (row["tokens"], row["largest"]) == (400, 2.0)
    assert row["mean"] == pytest.approx((100 * 0.25 + 300 * 0.05) / 400)


def test_margins__broken_file__is_told(live: Live, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text("{}\n")
    app = create_app(live, margins=MarginFiles([tmp_path / "one.jsonl"]))
    with TestClient(app) as client:
        answer = client.get(f"{base(client)}/margins")
    assert answer.status_code == 500
    assert "one.jsonl: line 1: line without a format version" in answer.json()["detail"]


def test_export__evidence_and_margins__as_the_server_answers(live: Live, tmp_path: Path) -> None:
    file, site = tmp_path / "one.jsonl", tmp_path / "site"
    with TestClient(create_app(live, margins=MarginFiles([file]))) as client:
        path = base(client)
        noted(client.get(f"{path}/models").json()["rows"][0], file)
        served = {name: client.get(f"{path}/{name}").json() for name in ("evidence", "margins")}
        text = client.get(f"{path}/margins?format=csv").text
    words = [site, "--data", live.snapshot.folder, "--margins", file]

    done = CliRunner(mix_stderr=False).invoke(command, [str(word) for word in words])

    assert done.exit_code == 0, done.stderr
    for name, answer in served.items():
        exported = json.loads((site / f"{path[1:]}/{name}.0.json").read_text())
        assert exported["rows"] == answer["rows"] and exported["total"] == answer["total"] > 0
    assert (site / f"{path[1:]}/margins.csv").read_bytes().decode() == text


def test_export__broken_margins_file__one_line(live: Live, tmp_path: Path) -> None:
    export(live.snapshot, tmp_path / "site")
    (tmp_path / "one.jsonl").write_text("{}\n")
    words = [tmp_path / "site", "--data", live.snapshot.folder, "--margins", tmp_path / "one.jsonl"]

    done = CliRunner(mix_stderr=False).invoke(command, [str(word) for word in words])

    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert "one.jsonl" in line
    assert (tmp_path / "site/api/v1/networks.0.json").exists(), "the older export is lost"
