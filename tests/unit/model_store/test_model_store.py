"""Model stores: whole and right or not at all, and on from where they were cut off."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import onnx
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.cli.model import model
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Model
from tallystick.replay.importer import import_onnx
from tallystick.replay.model import SPEC_ID
from tallystick.replay.quantize import Types, quantize
from tallystick.storage.models import manifest as manifest_module
from tallystick.storage.models.content import content_hash
from tallystick.storage.models.errors import ModelCorruptError, ModelMissingError, ModelStoreError
from tallystick.storage.models.listing import list_models
from tallystick.storage.models.parts import read_span
from tallystick.storage.models.store import ModelStore
from tests.support.nets import digits, mlp

PIECE = 1024
DATA = bytes(range(256)) * 13


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_module, "PIECE", PIECE)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(str(tmp_path / "store"))


def pieces_of(store: ModelStore, digest: bytes) -> Path:
    return Path(store.url) / digest.hex()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3 * PIECE + 1), st.integers(0, 255))
def test_pull__any_size__is_what_was_pushed(size: int, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(manifest_module, "PIECE", PIECE)
        source, copy = Path(folder) / "source", Path(folder) / "copy"
        source.write_bytes(bytes((seed + place) % 251 for place in range(size)))
        store = ModelStore(folder + "/store")

        pushed = store.push(source)
        store.pull(pushed.manifest.content_hash, copy)

        assert pushed.manifest.content_hash == keccak256(source.read_bytes())
        assert len(pushed.manifest.pieces) == -(-size // PIECE)
        assert copy.read_bytes() == source.read_bytes()
        assert not copy.with_name("copy.part").exists()


def test_push__cut_off__goes_on_with_what_is_missing(source: Path, store: ModelStore) -> None:
    writes = 0
    plain = store._write

    def cut(path: str, data: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes == 3:
            raise ModelStoreError("the connection is gone")
        plain(path, data)

    store._write = cut  # type: ignore[method-assign]
    with pytest.raises(ModelStoreError, match="gone"):
        store.push(source)
    with pytest.raises(ModelMissingError):
        store.manifest(keccak256(DATA))

    again = store.push(source)

    assert again.sent == len(DATA) - 2 * PIECE
    assert store.push(source).sent == 0


def test_pull__cut_off__goes_on_and_mends_what_was_torn(
    source: Path, store: ModelStore, tmp_path: Path
) -> None:
    digest = store.push(source).manifest.content_hash
    copy, read, reads = tmp_path / "copy", store._read, list[str]()

    def counting(path: str, highest: int) -> bytes:
        reads.append(path.rsplit("/", 1)[1])
        if reads.count("2") == 1 and path.endswith("/2"):
            raise ModelStoreError("the connection is gone")
        return read(path, highest)

    store._read = counting  # type: ignore[method-assign]
    with pytest.raises(ModelStoreError, match="gone"):
        store.pull(digest, copy)
    assert not copy.exists()
    part = copy.with_name("copy.part") / "copy"
    torn = bytearray(part.read_bytes())
    torn[5] ^= 1
    part.write_bytes(torn)

    store.pull(digest, copy)

    assert copy.read_bytes() == DATA
    assert reads == ["manifest.json", "0", "1", "2", "manifest.json", "0", "2", "3"]


def _flip(folder: Path) -> None:
    data = bytearray((folder / "1").read_bytes())
    data[0] ^= 1
    (folder / "1").write_bytes(data)


def _grow(folder: Path) -> None:
    (folder / "1").write_bytes(bytes(PIECE + 1))


def _garbage(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff{")


def _of_another(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"content_hash": "0x" + "11" * 32}))


def _consistent_lie(folder: Path) -> None:
    """Another file, under the right name."""
    (folder / "0").write_bytes(bytes(PIECE))
    path = folder / "manifest.json"
    said = json.loads(path.read_text())
    said["pieces"][0] = to_hex(hashlib.sha256(bytes(PIECE)).digest())
    path.write_text(json.dumps(said))


def _too_few(folder: Path) -> None:
    path = folder / "manifest.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps(said | {"pieces": said["pieces"][:1]}))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_flip, "piece 1 misses its hash"),
        (_grow, "larger than the 1024 bytes"),
        (_garbage, "manifest: "),
        (_of_another, "the manifest is of 0x1111"),
        (_consistent_lie, "the file has content hash 0x"),
        (_too_few, "needed: 4 for 3328 bytes"),
    ],
)
def test_pull__store_lies__refused_and_no_file(
    source: Path, store: ModelStore, tmp_path: Path, spoil: Any, reason: str
) -> None:
    digest = store.push(source).manifest.content_hash
    spoil(pieces_of(store, digest))

    with pytest.raises(ModelCorruptError, match=reason):
        store.pull(digest, tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


def test_pull__larger_than_allowed__refused_before_any_piece(
    source: Path, store: ModelStore, tmp_path: Path
) -> None:
    digest = store.push(source).manifest.content_hash

    with pytest.raises(ModelStoreError, match="3328 bytes; allowed: 3327"):
        store.pull(digest, tmp_path / "copy", max_size=3327)

    assert not (tmp_path / "copy.part").exists()


def test_push__qi8_model__under_the_hash_that_it_is_registered_with(
    store: ModelStore, tmp_path: Path
) -> None:
    model = import_onnx(quantize(mlp(), digits()[:32], Types.U8U8), digits()[:8], count=8)
    path = tmp_path / "model.qi8"
    path.write_bytes(model.to_bytes())

    pushed = store.push(path, SPEC_ID)
    store.pull(model.content_hash(), tmp_path / "copy", SPEC_ID)

    assert pushed.manifest.content_hash == model.content_hash() != keccak256(model.to_bytes())
    with pytest.raises(ModelCorruptError, match="the file has content hash"):
        store.pull(model.content_hash(), tmp_path / "copy", bytes(32))


def with_weights_beside(folder: Path, location: str = "weights/w.bin") -> Path:
    """Write a model whose weights are in another file; returns the graph's."""
    path = folder / "model.onnx"
    (folder / location).parent.mkdir(parents=True)
    # A copy: saving moves the weights out of it.
    net = onnx.ModelProto()
    net.CopyFrom(mlp())
    onnx.save(net, str(path), save_as_external_data=True, location=location, size_threshold=0)
    return path


def test_pull__weights_beside_the_graph__is_what_was_pushed(
    store: ModelStore, tmp_path: Path
) -> None:
    graph = with_weights_beside(tmp_path / "source")
    weights = graph.parent / "weights/w.bin"

    pushed = store.push(graph)
    pulled = store.pull(pushed.manifest.content_hash, tmp_path / "far" / "copy.onnx")

    size = graph.stat().st_size + weights.stat().st_size
    assert pushed.sent == pulled.size == size > PIECE
    assert (tmp_path / "far" / "copy.onnx").read_bytes() == graph.read_bytes()
    assert (tmp_path / "far" / "weights/w.bin").read_bytes() == weights.read_bytes()
    assert sorted(one.name for one in (tmp_path / "far").iterdir()) == ["copy.onnx", "weights"]
    assert content_hash(tmp_path / "far" / "copy.onnx") == content_hash(graph)


def test_push__links_as_caches_have_them__are_followed(store: ModelStore, tmp_path: Path) -> None:
    graph = with_weights_beside(tmp_path / "blobs", "a/w.bin")
    cache = tmp_path / "cache"
    (cache / "a").mkdir(parents=True)
    (cache / "model.onnx").symlink_to(graph)
    (cache / "a/w.bin").symlink_to(graph.parent / "a/w.bin")

    assert store.push(cache / "model.onnx").manifest == store.push(graph).manifest


def _other_weights(folder: Path) -> None:
    """Weights of another model, under the right names."""
    path = folder / "manifest.json"
    said = json.loads(path.read_text())
    last = len(said["pieces"]) - 1
    piece = bytes(len((folder / str(last)).read_bytes()))
    (folder / str(last)).write_bytes(piece)
    said["pieces"][last] = to_hex(hashlib.sha256(piece).digest())
    path.write_text(json.dumps(said))


def _files(folder: Path, files: list[dict[str, Any]]) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": files}))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_other_weights, "the file has content hash 0x"),
        (lambda folder: _files(folder, []), "No such file|content hash"),
        (lambda folder: _files(folder, [{"name": "../w", "size": 9}]), "names beside the model"),
        (lambda folder: _files(folder, [{"name": "/tmp/w", "size": 9}]), "names beside the model"),
        (lambda folder: _files(folder, [{"name": ".rc", "size": 9}]), "names beside the model"),
        (lambda folder: _files(folder, [{"name": "w", "size": 2**30}]), "at most"),
        (lambda folder: _files(folder, [{"name": "w", "size": 9}]), "No such file|parse|the graph"),
    ],
)
def test_pull__store_lies_about_files__refused_and_none_there(
    store: ModelStore, tmp_path: Path, spoil: Any, reason: str
) -> None:
    digest = store.push(with_weights_beside(tmp_path / "source")).manifest.content_hash
    spoil(pieces_of(store, digest))

    with pytest.raises(ModelCorruptError, match=reason):
        store.pull(digest, tmp_path / "far" / "copy.onnx")

    far = tmp_path / "far"
    assert not far.exists() or not list(far.iterdir())


def test_pull__another_file_of_that_name__is_not_replaced(
    store: ModelStore, tmp_path: Path
) -> None:
    digest = store.push(with_weights_beside(tmp_path / "source")).manifest.content_hash
    mine = tmp_path / "far/weights/w.bin"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")

    with pytest.raises(ModelStoreError, match=r"w\.bin is another file"):
        store.pull(digest, tmp_path / "far" / "copy.onnx")
    assert mine.read_bytes() == b"mine"

    mine.unlink()
    store.pull(digest, tmp_path / "far" / "copy.onnx")
    # Again, over the same files.
    store.pull(digest, tmp_path / "far" / "copy.onnx")


def test_manifest__of_format_version_1__is_refused(store: ModelStore, source: Path) -> None:
    digest = store.push(source).manifest.content_hash
    path = pieces_of(store, digest) / "manifest.json"
    said = json.loads(path.read_text()) | {"version": 1}
    path.write_text(json.dumps({key: said[key] for key in said if key != "files"}))

    with pytest.raises(ModelCorruptError, match="format version 1; needed: 2"):
        store.manifest(digest)


def test_read_span__beyond_4_gib__reads_of_both_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"graph")
    with second.open("wb") as file:
        file.truncate((4 << 30) + 100)
        file.seek((4 << 30) + 90)
        file.write(b"end")
    sizes = [5, (4 << 30) + 100]

    assert read_span([first, second], sizes, (4 << 30) + 90, (4 << 30) + 105) == (
        b"\0" * 5 + b"end" + b"\0" * 7
    )
    assert read_span([first, second], sizes, 3, 8) == b"ph\0\0\0"


def test_list__versions_and_copies__told_in_the_order_of_descent(
    source: Path, store: ModelStore, tmp_path: Path
) -> None:
    digest = store.push(source).manifest.content_hash
    network = b"n" * 32

    def model(key: bytes, content: bytes, parent: bytes) -> Model:
        return Model(key * 32, network, b"r" * 20, content, SPEC_ID, parent, key.decode(), "")

    first = model(b"z", bytes(32), bytes(32))
    second, third = model(b"b", digest, b"z" * 32), model(b"a", bytes(32), b"b" * 32)
    other = model(b"c", bytes(32), bytes(32))
    models = {one.id: one for one in (third, other, second, first)}
    away = ModelStore(str(tmp_path / "nothing"))

    listed = list_models(models, [away, store])

    assert [one.model.name for one in listed] == ["c", "z", "b", "a"]
    assert [one.version for one in listed] == [1, 1, 2, 3]
    assert listed[3].lineage == (b"z" * 32, b"b" * 32)
    assert [one.size for one in listed] == [None, None, len(DATA), None]
    assert listed[2].copies == (store.url,) and listed[2].spec == "QI8-1"
    assert list_models(models, [store], b"o" * 32) == []


def test_commands__push_then_pull_from_the_second_store__same_file(
    source: Path, tmp_path: Path
) -> None:
    runner, store = CliRunner(mix_stderr=False), str(tmp_path / "store")
    spec = tmp_path / "spec.txt"
    spec.write_text("exact bytes\n")
    line = ["push", str(source), "--store", store, "--spec", str(spec), "--name", "m", "--json"]

    pushed = json.loads(runner.invoke(model, line).stdout)
    stores = ["--store", str(tmp_path / "nothing"), "--store", store]
    line = ["pull", pushed["content_hash"], *stores, "--output", str(tmp_path / "out" / "copy")]
    pulled = runner.invoke(model, [*line, "--json"])
    missing = runner.invoke(model, ["pull", "0x" + "11" * 32, *stores, "--output", "x"])

    assert (pushed["size"], pushed["sent"]) == (len(DATA), len(DATA))
    assert pushed["spec_hash"] == to_hex(keccak256(spec.read_bytes()))
    assert json.loads(pulled.stdout)["store"] == store
    assert (tmp_path / "out" / "copy").read_bytes() == DATA
    (told,) = missing.stderr.strip().splitlines()
    assert missing.exit_code == 1 and told.startswith("error: ") and told.count("has no") == 2
