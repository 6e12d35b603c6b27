"""A data folder in object storage: `s3://bucket/folder`, by fsspec (`pip install tallystick[s3]`).

    analysis = open_remote("s3://bucket/data", Path("mirror"))
    analysis.totals(by=["operator"])

Events, by far the most, are read where they are, only the columns that a question needs; all else
that an analysis rests on is copied. Credentials and endpoints are fsspec's: its options, or what
s3fs finds in the environment.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.dataset as ds

from tallystick.data.analysis import Analysis
from tallystick.data.extract.errors import ExtractError
from tallystick.data.totals.engines import EVENTS, connect, keyed
from tallystick.data.totals.expression import Tables

LEFT = frozenset({"calls", "events", "logs", "networks"})
"""Tables of the folder that are not copied: no analysis needs them, or it reads them there."""


def open_remote(
    url: str, mirror: Path, connection: Any = None, options: Mapping[str, Any] | None = None
) -> Analysis:
    """Return an analysis of a data folder in object storage.

    Args:
        url: the folder's, `s3://bucket/folder`.
        mirror: a folder on this machine for what is copied; it must be empty or missing.
        connection: a DuckDB of Ibis; None: one of its own.
        options: of the fsspec filesystem, such as endpoint_url.

    Raises:
        ExtractError: the mirror is not empty.
        CoverageError: there is no data folder at the URL.
    """
    if mirror.exists() and any(mirror.iterdir()):
        raise ExtractError(f"{mirror} is not empty; needed: a folder for the copy of {url}")
    connection = connection or connect()
    filesystem, folder = _filesystem(url, options)
    for path in filesystem.find(folder):
        below = PurePosixPath(path).relative_to(folder)
        if below.parts[0] not in LEFT:
            filesystem.get_file(path, str(_made(mirror / below)))
    return Analysis(mirror, connection, lambda: load_remote(connection, url, options=options))


def load_remote(
    connection: Any,
    url: str,
    names: Iterable[str] = EVENTS,
    options: Mapping[str, Any] | None = None,
) -> Tables:
    """Return the tables of decoded events of a data folder in object storage, as engines.load does.

    Args:
        connection: a DuckDB of Ibis; it is given the filesystem.
        url: the folder's.
        names: of the events wanted.
        options: of the fsspec filesystem.
    """
    filesystem, _ = _filesystem(url, options)
    # DuckDB's own reader of S3 is an extension, which Ibis and it would download.
    connection.con.register_filesystem(filesystem)
    of, tables = sha256(url.encode()).hexdigest()[:16], {}
    for name in names:
        files = f"{url.rstrip('/')}/events/{name}/**/*.parquet".replace("'", "''")
        # Else the address 0x00…0a is read as the number 10.
        how = "hive_partitioning = true, hive_types_autocast = false"
        view = f"SELECT * FROM read_parquet('{files}', {how})"
        called = f"tallystick_{name.lower()}_{of}"
        connection.raw_sql(f'CREATE OR REPLACE TEMP VIEW "{called}" AS {view}')
        tables[name] = keyed(connection.table(called))
    return tables


def dataset_of(url: str, name: str, options: Mapping[str, Any] | None = None) -> ds.Dataset:
    """Return the decoded events of one name in object storage, as a dataset of pyarrow."""
    filesystem, folder = _filesystem(url, options)
    kinds = pa.schema([("chain_id", pa.int64()), ("address", pa.string())])
    hive = ds.partitioning(kinds, flavor="hive")
    place = f"{folder}/events/{name}"
    return ds.dataset(place, filesystem=filesystem, format="parquet", partitioning=hive)


def _filesystem(url: str, options: Mapping[str, Any] | None) -> tuple[Any, str]:
    # What was listed before may be out of date: the folder grows.
    filesystem, folder = fsspec.core.url_to_fs(url, use_listings_cache=False, **(options or {}))
    return filesystem, folder.rstrip("/")


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
