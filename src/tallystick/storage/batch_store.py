"""Batch data by root, under a URL: a local folder, or whatever fsspec knows (S3, IPFS gateways).

One Parquet file a batch, <root in hex>.parquet, the same bytes for the same data. Stores are not
trusted: what is read must hash to the root. Signatures are in no hash; check them when they matter.
"""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]
from pyarrow import parquet

from tallystick.errors import (
    BatchCorruptError,
    BatchMissingError,
    BatchPrunedError,
    StoreError,
    StoreUnreachableError,
)
from tallystick.protocol.abi_words import check_bytes
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import MAX_COUNT, Tree
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.durable import replace_file
from tallystick.storage.store_failure import StoreFailure, failure_of, is_there, reason_of

VERSION = 1
"""Of a batch file; in its metadata."""
MAX_SIZE = 4 << 30
"""Bytes of a batch file, packed or unpacked, that a store reads unless told otherwise."""
BYTES = ("signature", "input", "output")
"""Columns of any length: a dictionary could make a few bytes many, so none is written or read."""
_PIECE = 1 << 20
_ROWS = 1 << 10

FIELDS = pa.schema(
    [
        pa.field("requester", pa.binary(20), nullable=False),
        pa.field("nonce", pa.uint64(), nullable=False),
        pa.field("deadline", pa.uint64(), nullable=False),
        pa.field("input_hash", pa.binary(32), nullable=False),
        pa.field("output_hash", pa.binary(32), nullable=False),
        pa.field("trace_root", pa.binary(32), nullable=False),
        pa.field("signature", pa.binary(), nullable=False),
        pa.field("input", pa.large_binary()),
        pa.field("output", pa.large_binary()),
    ]
)


class BatchStore:
    """Batches by their roots.

    >>> import tempfile
    >>> record = InferenceRecord(bytes(32), bytes(32), nonce=0, deadline=9)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = BatchStore(folder)
    ...     root = store.put(b"m" * 32, b"o" * 20, [record])
    ...     store.get(root) == [record]
    True
    """

    def __init__(self, url: str, max_size: int = MAX_SIZE, **options: Any) -> None:
        """Open a store; a local folder is made on the first write.

        Args:
            url: a folder's path, or a URL that fsspec knows, such as s3://bucket/batches.
            max_size: bytes of a batch file, packed or unpacked, that are read at most.
            options: of the file system, such as credentials.

        Raises:
            StoreError: no such kind of store is known, or what it needs is not installed.
        """
        self.url = url
        self.max_size = max_size
        try:
            self._fs, self._folder = fsspec.core.url_to_fs(url, **options)
        except (ImportError, ValueError) as error:
            raise StoreError(f"{url} is no store: {error}") from error

    def path(self, root: bytes) -> str:
        """Return where the batch with this root is, or would be, in the file system."""
        check_bytes("root", root, 32)
        return f"{self._folder.rstrip('/')}/{root.hex()}.parquet"

    def __contains__(self, root: bytes) -> bool:
        return bool(self._fs.exists(self.path(root)))

    def put(
        self,
        model_id: bytes,
        operator: bytes,
        records: Sequence[InferenceRecord],
        tree: Tree | None = None,
    ) -> bytes:
        """Keep a batch's records and return its root, 32 bytes.

        Args:
            model_id: of the batch, 32 bytes.
            operator: of the batch, 20 bytes.
            records: in the order of the leaves, with nonce and deadline.
            tree: of these records, when it is built already.

        Raises:
            StoreError: the store cannot be written.
        """
        root = (tree or _tree(model_id, operator, records)).root
        columns = {name: [getattr(record, name) for record in records] for name in FIELDS.names}
        named = FIELDS.with_metadata(
            {
                "version": str(VERSION),
                "model_id": to_hex(model_id),
                "operator": to_hex(operator),
                "root": to_hex(root),
            }
        )
        packed = BytesIO()
        table = pa.Table.from_pydict(columns, schema=named)
        short = [name for name in FIELDS.names if name not in BYTES]
        parquet.write_table(table, packed, compression="zstd", version="2.6", use_dictionary=short)
        self._write(self.path(root), packed.getvalue())
        return root

    def get(
        self, root: bytes, model_id: bytes | None = None, operator: bytes | None = None
    ) -> list[InferenceRecord]:
        """Return a batch's records in the order of its leaves; they hash to the root.

        Args:
            root: 32 bytes.
            model_id: the one that the leaves must name; None: whichever the file says.
            operator: as model_id. A root may be committed by somebody who copied it: pass the
                operator of the batch at hand to find that out.

        Raises:
            BatchMissingError: there is no such batch here, or no more (BatchPrunedError).
            BatchCorruptError: the data does not hash to the root, or the bytes not to their hashes.
            StoreUnreachableError: the store cannot be asked, or does not say whether it has it.
            StoreError: the file is larger than allowed.
        """
        path = self.path(root)
        packed = self._read(path)
        try:
            named, records = self._unpack(packed)
            found = _tree(
                model_id or bytes.fromhex(named["model_id"][2:]),
                operator or bytes.fromhex(named["operator"][2:]),
                records,
            ).root
        except (pa.ArrowException, ValueError, KeyError) as error:
            raise BatchCorruptError(f"{path} is not a batch: {error}") from error
        if found != root:
            raise BatchCorruptError(f"{path} hashes to root {to_hex(found)}")
        for index, record in enumerate(records):
            for data, digest in (
                (record.input, record.input_hash),
                (record.output, record.output_hash),
            ):
                if data is not None and keccak256(data) != digest:
                    raise BatchCorruptError(f"{path}: bytes of leaf {index} miss their hash")
        return records

    def delete(self, root: bytes) -> None:
        """Let go of a batch's data; nothing is done where there are none.

        Raises:
            StoreError: the store cannot be written.
        """
        path = self.path(root)
        try:
            self._fs.rm_file(path)
        except FileNotFoundError:
            pass
        except (OSError, NotImplementedError) as error:
            raise StoreError(f"{path} cannot be deleted: {error}") from error

    def _unpack(self, packed: bytes) -> tuple[dict[str, str], list[InferenceRecord]]:
        file = parquet.ParquetFile(BytesIO(packed))
        metadata, schema = file.metadata, file.schema_arrow
        named = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        version = named.get("version")
        found = int(version) if version is not None and version.isdecimal() else version
        if wrong := unknown_version("batch file", found, VERSION):
            raise ValueError(wrong)
        if not schema.remove_metadata().equals(FIELDS):
            raise ValueError("it has other columns")
        if metadata.num_rows > MAX_COUNT:
            raise ValueError(f"it has {metadata.num_rows} rows; needed: at most {MAX_COUNT}")
        records: list[InferenceRecord] = []
        unpacked = 0
        # What a file says of its unpacked size may be a lie; so it is unpacked a little at a time.
        for batch in file.iter_batches(batch_size=_ROWS):
            unpacked += batch.nbytes
            if unpacked > self.max_size:
                raise ValueError(f"it unpacks to more than the {self.max_size} bytes allowed")
            records += [InferenceRecord(**row) for row in batch.to_pylist()]
        return named, records

    def _read(self, path: str) -> bytes:
        try:
            size = self._fs.size(path)
            if size is not None and size > self.max_size:
                raise StoreError(f"{path} is {size} bytes; allowed: {self.max_size}")
            packed = bytearray()
            with self._fs.open(path, "rb") as file:
                while len(packed) <= self.max_size and (piece := file.read(_PIECE)):
                    packed += piece
        except StoreError:
            raise
        except Exception as error:  # File systems' errors have no common base.
            raise self._failure(path, error) from error
        if len(packed) > self.max_size:
            raise StoreError(f"{path} is larger than the {self.max_size} bytes allowed")
        return bytes(packed)

    def _failure(self, path: str, error: Exception) -> StoreError:
        failure = failure_of(error)
        if failure is StoreFailure.PRUNED:
            return BatchPrunedError(f"{self.url} has pruned batch {path}")
        if failure is StoreFailure.MISSING and is_there(self._fs, self._folder):
            return BatchMissingError(f"{self.url} has no batch {path}")
        if failure is StoreFailure.MISSING:
            return StoreUnreachableError(f"there is no folder {self.url}")
        return StoreUnreachableError(f"{self.url} cannot be asked: {reason_of(error)}")

    def _write(self, path: str, packed: bytes) -> None:
        try:
            if not isinstance(self._fs, LocalFileSystem):
                self._fs.pipe_file(path, packed)
                return
            # A file is there whole or not at all, also after a crash, whoever else writes it.
            replace_file(Path(path), packed, shared=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}") from error


def _tree(model_id: bytes, operator: bytes, records: Sequence[InferenceRecord]) -> Tree:
    return Tree.from_leaves(
        hash_leaves([record.inference(model_id, operator) for record in records])
    )
