"""Each file that outlives a program names its format version; an unknown one is refused by name."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tallystick.actions.sent import SentJournal
from tallystick.actions.submission.journal import Source, SubmissionJournal
from tallystick.chain import deployments
from tallystick.chain.deployments import Deployment
from tallystick.chain.transactions import Purpose, Signed
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import LogManifest
from tallystick.data.probe.log import ProbeLog
from tallystick.data.probe.result import ProbeResult
from tallystick.errors import TallystickError
from tallystick.networks import state
from tallystick.networks.adapter import JUDGED
from tallystick.networks.proxies import implementations
from tallystick.networks.state import State
from tallystick.node.operator.journal import OperatorJournal
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.import_batches import ImportBatch, ImportBatches
from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.registry import Keys
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.committee import Audit
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.inference import Inference
from tallystick.protocol.opening import Opening
from tallystick.protocol.panel_statement import PanelStatement
from tallystick.protocol.pool import PanelAudit, domain_of
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.statement import Statement
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.models.manifest import ModelManifest
from tallystick.storage.receipt_files import read_receipts

SOURCE = Source(1, b"r" * 20, b"n" * 32, b"o" * 20, b"m" * 32, b"c" * 32)
BATCH = Batch(b"n" * 32, b"o" * 20, 0, b"m" * 32, b"r" * 32, 1, 9)
ITEM = SignedItem(b"t" * 32, b"i" * 32, b"o" * 32, 5, b"s")


def operator_journal(path: Path) -> None:
    OperatorJournal(path, b"n" * 32, b"o" * 20, b"here").close()


def verifier_journal(path: Path) -> None:
    VerifierJournal(path)


def submission_journal(path: Path) -> None:
    SubmissionJournal(path).note(SOURCE, BATCH)


def sent_journal(path: Path) -> None:
    SentJournal(path).note(Signed(Purpose(b"c" * 32, b"s" * 20, b"p" * 32), b"raw"))


JOURNALS = [operator_journal, verifier_journal, submission_journal, sent_journal]


@pytest.mark.parametrize("journal", JOURNALS)
def test_journal__opened_again__is_of_version_1(
    journal: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite3"

    journal(path)
    journal(path)

    with sqlite3.connect(path) as database:
        assert database.execute("pragma user_version").fetchone() == (1,)


@pytest.mark.parametrize("journal", JOURNALS)
def test_journal__of_another_version__refused_and_left_as_it_is(
    journal: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite3"
    journal(path)
    _set(path, "user_version", 2)
    before = path.read_bytes()

    name = journal.__name__.replace("_", " ")
    with pytest.raises(TallystickError, match=f"{path}: {name} of format version 2; needed: 1"):
        journal(path)

    assert path.read_bytes() == before


@pytest.mark.parametrize("journal", JOURNALS)
def test_journal__of_another_kind__refused(journal: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    for other in JOURNALS:
        if other is not journal:
            path.unlink(missing_ok=True)
            other(path)
            with pytest.raises(TallystickError, match=f"{path} is no {journal.__name__[:4]}"):
                journal(path)


def test_import_batches__of_another_version__refused(tmp_path: Path) -> None:
    ImportBatches(tmp_path, b"here").note(ImportBatch((ITEM,)))
    _set(tmp_path / "imports.sqlite3", "user_version", 2)

    with pytest.raises(TallystickError, match="import batches of format version 2; needed: 1"):
        ImportBatches(tmp_path, b"here").waiting()


def test_receipts__another_version__file_and_line_named(tmp_path: Path) -> None:
    inference = Inference(b"m" * 32, b"o" * 20, bytes(20), 0, 9, bytes(32), bytes(32))
    batch = Batch(b"n" * 32, b"o" * 20, 0, b"m" * 32, inference.leaf(), 1, 9)
    stamp, opening = Stamp(0, 1, 5, 2, 70), Opening(inference, 0, ())
    receipt = Receipt.of(1, bytes(20), batch, stamp, opening, b"", bytes(32)).to_json()
    file = tmp_path / "receipts.jsonl"
    file.write_text(json.dumps({**receipt, "version": 2, "more": "of it"}))

    with pytest.raises(TallystickError, match="receipts.jsonl, line 1: .* of format version 2"):
        list(read_receipts(file))


@pytest.mark.parametrize("version", [2, None, "1", True])
def test_statement__another_version__file_named(version: object, tmp_path: Path) -> None:
    path = tmp_path / "statement.json"
    said = Statement(Domain(1, bytes(20)), Audit(bytes(32), 9, bytes(32))).to_json()
    path.write_text(json.dumps({**said, "version": version}))

    with pytest.raises(TallystickError, match="statement.json: statement .*format version"):
        Statement.read(path)


@pytest.mark.parametrize("version", [2, None, "1", True])
def test_panel_statement__another_version__file_named(version: object, tmp_path: Path) -> None:
    path = tmp_path / "statement.json"
    said = PanelStatement(domain_of(1, bytes(20)), bytes(32), PanelAudit(bytes(32), bytes(32)))
    path.write_text(json.dumps({**said.to_json(), "version": version}))

    with pytest.raises(TallystickError, match="statement.json: statement of a pool .*format"):
        PanelStatement.read(path)


def test_batch_file__another_version__file_named(tmp_path: Path) -> None:
    store = BatchStore(str(tmp_path))
    root = store.put(
        b"m" * 32, b"o" * 20, [InferenceRecord(bytes(32), bytes(32), nonce=0, deadline=9)]
    )
    path = Path(store.path(root))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"version": b"2"}), path)

    with pytest.raises(TallystickError, match=f"{path} .*batch file of format version 2"):
        store.get(root)


def test_data_folder__another_version__manifest_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    LogManifest(1, bytes(20), 0, 1000).write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))

    with pytest.raises(TallystickError, match=f"{path}: manifest of format version 2; needed: 1"):
        LogManifest.read(path)


def test_probe_log__another_version__line_named(tmp_path: Path) -> None:
    result = ProbeResult(9, 1, b"c" * 20, b"n" * 32, b"o" * 20, "http://a", False)
    path = tmp_path / "probes.jsonl"
    path.write_text(json.dumps({**result.to_json(), "version": 2, "more": "of it"}) + "\n")

    with pytest.raises(TallystickError, match="line 1: probe of format version 2; needed: 1$"):
        ProbeLog(path).read()


def test_model_manifest__another_version__said(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"model")
    body = {**ModelManifest.of(path, bytes(32)).to_json(), "version": 3, "more": "of it"}

    with pytest.raises(TallystickError, match="model manifest of format version 3; needed: "):
        ModelManifest.from_json(json.dumps(body).encode())


@pytest.mark.parametrize("version", [2, None])
def test_deployments__another_version__file_named(
    version: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSTICK_DEPLOYMENTS", str(tmp_path))
    path = deployments.record(1, Deployment("Tallystick", "0x" + "00" * 20, 0, "", ""))
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": version}))

    with pytest.raises(TallystickError, match=f"{path}: list of deployments .*format version"):
        deployments.read(1)


@pytest.mark.parametrize("version", [2, None, True])
def test_mark_of_an_import__another_version__file_named(version: object, tmp_path: Path) -> None:
    data, relay = Dataset(tmp_path), ContractKey(10740, b"r" * 20)
    Folder(data, relay, ContractKey(10740, b"t" * 20)).mark()
    path = data.imported(relay)
    assert Folder.open(data).relay == relay
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": version}))

    with pytest.raises(TallystickError, match=f"{path}: mark of an import .*format version"):
        Folder.open(data)


@pytest.mark.parametrize("body", [{"version": 2, "keys": {}}, {"0x" + "11" * 32: "0x00"}, []])
def test_keys_of_enclaves__another_version__file_named(body: object, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(body))

    with pytest.raises(TallystickError, match=f"{path}: list of enclaves' keys .*format version"):
        Keys(path).read()


def _set(path: Path, pragma: str, value: int) -> None:
    database = sqlite3.connect(path)
    database.execute(f"pragma {pragma} = {value}")
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()


def test_state_of_a_network__another_version__file_named(tmp_path: Path) -> None:
    state.write(tmp_path, State("0g", "0g", "0G", "settlement"), JUDGED.empty_table())
    path = tmp_path / "networks" / "0g" / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))

    with pytest.raises(TallystickError, match=f"{path}: state of a network of format version 2"):
        state.read(tmp_path, "0g")


def test_upgrades__another_version__file_named(tmp_path: Path) -> None:
    path = tmp_path / "upgrades" / f"1-0x{'00' * 20}.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 2, "seen": []}))

    with pytest.raises(TallystickError, match=f"{path}: list of upgrades of format version 2"):
        implementations(Dataset(tmp_path), ContractKey(1, bytes(20)))
