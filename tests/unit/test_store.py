"""store.py: what is put is what one gets, and nothing that does not hash to its root."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest
from pyarrow import parquet

from tallystick.errors import BatchCorruptError, BatchMissingError, StoreError
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore

MODEL, OPERATOR = b"m" * 32, b"o" * 20


def record(nonce: int) -> InferenceRecord:
    data = nonce.to_bytes(2, "big") * 40
    return InferenceRecord(
        keccak256(data),
        keccak256(b"out"),
        b"r" * 20,
        nonce,
        2**64 - 1,
        b"t" * 32,
        b"s" * 65,
        data,
        b"out",
    )


RECORDS = [
    *[record(nonce) for nonce in range(2500)],
    InferenceRecord(b"i" * 32, b"o" * 32, nonce=0, deadline=0),
]


@pytest.fixture
def store(tmp_path: Path) -> BatchStore:
    return BatchStore(str(tmp_path / "batches" / "deep"))


def tamper(store: BatchStore, root: bytes, column: str, value: object) -> None:
    path = store.path(root)
    table = parquet.read_table(path)
    rows = table.to_pylist()
    rows[1][column] = value
    parquet.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def test_get__what_was_put__same_records(store: BatchStore) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS)

    assert store.get(root) == RECORDS
    assert store.get(root, MODEL, OPERATOR) == RECORDS
    assert root == Tree.from_leaves([r.inference(MODEL, OPERATOR).leaf() for r in RECORDS]).root


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_get__store_by_url__same_records(scheme: str, tmp_path: Path) -> None:
    url = f"memory://{uuid4()}" if scheme == "memory" else tmp_path.as_uri()

    root = BatchStore(url).put(MODEL, OPERATOR, RECORDS[:3])

    assert BatchStore(url).get(root) == RECORDS[:3]
    assert root in BatchStore(url)


def test_put__same_batch_elsewhere__same_bytes(store: BatchStore, tmp_path: Path) -> None:
    other = BatchStore(str(tmp_path / "other"))

    root = store.put(MODEL, OPERATOR, RECORDS)
    other.put(MODEL, OPERATOR, [replace(one, line=7) for one in RECORDS])

    assert Path(store.path(root)).read_bytes() == Path(other.path(root)).read_bytes()


def test_put__again__leaves_one_file(store: BatchStore) -> None:
    store.put(MODEL, OPERATOR, RECORDS[:5])

    root = store.put(MODEL, OPERATOR, RECORDS[:5])

    assert [path.name for path in Path(store.path(root)).parent.iterdir()] == [
        f"{root.hex()}.parquet"
    ]


def test_put__folder_that_cannot_be__raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="cannot be written"):
        BatchStore(str(tmp_path / "file" / "batches")).put(MODEL, OPERATOR, RECORDS[:1])


def test_get__unknown_root__raises(store: BatchStore) -> None:
    store.put(MODEL, OPERATOR, RECORDS[:1])

    assert b"?" * 32 not in store
    with pytest.raises(BatchMissingError):
        store.get(b"?" * 32)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("output_hash", bytes(32)),
        ("nonce", 77),
        ("requester", bytes(20)),
        ("trace_root", bytes(32)),
    ],
)
def test_get__leaf_changed__raises(store: BatchStore, column: str, value: object) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS[:4])
    tamper(store, root, column, value)

    with pytest.raises(BatchCorruptError, match="hashes to root"):
        store.get(root)


@pytest.mark.parametrize("column", ["input", "output"])
def test_get__bytes_changed__raises(store: BatchStore, column: str) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS[:4])
    tamper(store, root, column, b"else")

    with pytest.raises(BatchCorruptError, match="bytes of leaf 1"):
        store.get(root)


def test_get__batch_of_another_operator__raises(store: BatchStore) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS[:4])

    with pytest.raises(BatchCorruptError, match="hashes to root"):
        store.get(root, MODEL, b"c" * 20)


@pytest.mark.parametrize("content", [b"", b"PAR1 not really PAR1", b"x" * 5000])
def test_get__no_parquet__raises(store: BatchStore, content: bytes) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS[:1])
    Path(store.path(root)).write_bytes(content)

    with pytest.raises(BatchCorruptError, match="is not a batch"):
        store.get(root)


def test_get__other_columns__raises(store: BatchStore) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS[:1])
    other = pa.table({"nonce": [1]}).replace_schema_metadata({"version": "1"})
    parquet.write_table(other, store.path(root))

    with pytest.raises(BatchCorruptError, match="other columns"):
        store.get(root)


def test_get__no_rows__raises(store: BatchStore) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS[:1])
    path = store.path(root)
    parquet.write_table(parquet.read_table(path).slice(0, 0), path)

    with pytest.raises(BatchCorruptError, match="count is 0"):
        store.get(root)


def test_get__file_larger_than_allowed__raises(store: BatchStore) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS[:4])

    with pytest.raises(StoreError, match="allowed: 100"):
        BatchStore(store.url, max_size=100).get(root)


def test_get__unpacks_to_more_than_allowed__raises(store: BatchStore) -> None:
    fat = bytes(1 << 20)
    root = store.put(
        MODEL,
        OPERATOR,
        [InferenceRecord(keccak256(fat), bytes(32), nonce=0, deadline=0, input=fat)],
    )
    size = Path(store.path(root)).stat().st_size

    with pytest.raises(BatchCorruptError, match="unpacks to more"):
        BatchStore(store.url, max_size=1 << 19).get(root)
    assert size < 1 << 19
    assert len(BatchStore(store.url, max_size=1 << 21).get(root)) == 1


def test_path__root_of_another_length__raises(store: BatchStore) -> None:
    with pytest.raises(ValueError, match="root"):
        store.path(b"../../etc")


def test_delete__there_and_again__is_gone_and_others_stay(store: BatchStore) -> None:
    root = store.put(MODEL, OPERATOR, RECORDS)
    other = store.put(MODEL, OPERATOR, RECORDS[:1])

    store.delete(root)
    store.delete(root)

    with pytest.raises(BatchMissingError):
        store.get(root)
    assert store.get(other) == RECORDS[:1]


def test_delete__store_that_only_reads__says_so(store: BatchStore) -> None:
    with pytest.raises(StoreError, match="cannot be deleted"):
        BatchStore("http://127.0.0.1:1/batches").delete(bytes(32))
