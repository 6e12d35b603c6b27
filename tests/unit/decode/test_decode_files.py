"""decode_logs: a decoded file for each raw one, and only for those."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.data.decode.columns import layouts
from tallystick.data.decode.files import decode_logs
from tallystick.data.decode.words import DecodeError
from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.protocol.keccak import keccak256
from tests.support.raw_logs import REGISTRY, RawLog, table

SENDER, NETWORK = bytes(12) + b"\x05" * 20, b"\x06" * 32


def staked(amount: int) -> RawLog:
    topic = keccak256(b"Staked(bytes32,address,uint256)")
    return RawLog([topic, NETWORK, SENDER], amount.to_bytes(32, "big"))


class Folder:
    """A data folder with raw files of ten blocks each, made by hand."""

    def __init__(self, root: Path) -> None:
        self.dataset = Dataset(root)
        self.dataset.logs(REGISTRY).mkdir(parents=True)
        self.manifest = LogManifest(REGISTRY.chain_id, REGISTRY.address, 0, 10)

    def put(self, first: int, logs: list[RawLog]) -> None:
        part = Part(first, first + 9, "0x", "0x", len(logs), "")
        path = self.dataset.logs(REGISTRY) / part.name
        pq.write_table(table(logs), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.manifest.put(Part(first, first + 9, "0x", "0x", len(logs), digest))
        self.manifest.write(self.dataset.manifest(REGISTRY))

    def drop(self, first: int) -> None:
        self.manifest.parts = [part for part in self.manifest.parts if part.first != first]
        self.manifest.write(self.dataset.manifest(REGISTRY))

    def decoded(self, name: str = "Staked") -> dict[str, pa.Table]:
        folder = self.dataset.events(name, REGISTRY)
        return {path.name[:12]: pq.ParquetFile(path).read() for path in sorted(folder.glob("*"))}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_decode_logs__nothing_new__decodes_nothing(folder: Folder) -> None:
    folder.put(0, [staked(1)])
    folder.put(10, [staked(2), staked(3)])

    assert decode_logs(folder.dataset, REGISTRY) == 2
    assert decode_logs(folder.dataset, REGISTRY) == 0
    assert [len(one) for one in folder.decoded().values()] == [1, 2]


def test_decode_logs__one_file_is_another_now__decodes_that_one(folder: Folder) -> None:
    folder.put(0, [staked(1)])
    folder.put(10, [staked(2)])
    decode_logs(folder.dataset, REGISTRY)
    folder.put(10, [])

    assert decode_logs(folder.dataset, REGISTRY) == 1
    assert list(folder.decoded()) == ["000000000000"]


def test_decode_logs__file_given_up__its_events_go_too(folder: Folder) -> None:
    folder.put(0, [staked(1)])
    folder.put(10, [staked(2)])
    decode_logs(folder.dataset, REGISTRY)
    folder.drop(10)

    assert decode_logs(folder.dataset, REGISTRY) == 0
    assert list(folder.decoded()) == ["000000000000"]


def test_decode_logs__first_file__tells_every_tables_columns(folder: Folder) -> None:
    folder.put(0, [])
    folder.put(10, [staked(2)])
    decode_logs(folder.dataset, REGISTRY)

    for layout in layouts():
        assert len(folder.decoded(layout.name)["000000000000"]) == 0
    tables = folder.decoded()
    assert tables["000000000000"].schema.equals(tables["000000000010"].schema)


def test_decode_logs__another_first_file_later__tells_the_columns_too(folder: Folder) -> None:
    folder.put(10, [staked(2)])
    decode_logs(folder.dataset, REGISTRY)
    folder.put(0, [staked(1)])
    decode_logs(folder.dataset, REGISTRY)
    folder.drop(0)
    decode_logs(folder.dataset, REGISTRY)

    assert all(list(folder.decoded(layout.name)) == ["000000000010"] for layout in layouts())


def test_decode_logs__malformed_log__names_file_and_event_and_goes_on_later(
    folder: Folder,
) -> None:
    folder.put(0, [staked(1)])
    folder.put(10, [staked(2), RawLog(staked(1).topics, b"\x01" * 31)])

    with pytest.raises(
        DecodeError, match=r"000000000010-000000000019\.parquet: Staked: "
    ) as caught:
        decode_logs(folder.dataset, REGISTRY)
    folder.put(10, [staked(2)])
    decode_logs(folder.dataset, REGISTRY)

    assert "\n" not in str(caught.value)
    assert [len(one) for one in folder.decoded().values()] == [1, 1]


def test_decode_logs__never_extracted__says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no logs of chain_id=7"):
        decode_logs(Dataset(tmp_path), REGISTRY)
