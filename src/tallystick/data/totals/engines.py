"""Tables of events in an engine that Ibis knows: DuckDB, Spark, or an SQL server."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from tallystick.data.collect import INFERENCES
from tallystick.data.decode.columns import layouts
from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.gas import TRANSACTIONS
from tallystick.data.totals.expression import Tables

EVENTS = tuple(layout.name for layout in layouts())


FILES: Mapping[str, pa.Schema] = MappingProxyType(
    {"transactions": TRANSACTIONS, "inferences": INFERENCES}
)
"""Tables beside those of events."""


def connect(memory: str = "2GB", threads: int | None = None) -> Any:
    """Return a DuckDB in this process, which spills to disk beyond this much memory."""
    options = {"memory_limit": memory} | ({"threads": threads} if threads else {})
    return ibis.duckdb.connect(**options)


def load(connection: Any, data: Dataset, names: Iterable[str] = EVENTS) -> Tables:
    """Return the tables of decoded events.

    DuckDB and Spark read the Parquet files where they are; any other engine is given copies, in
    tables called tallystick_<event>.

    Args:
        connection: of Ibis.
        data: decoded.
        names: of the events wanted.
    """
    return {
        name: _read(connection, data, f"events/{name}", f"tallystick_{name.lower()}")
        for name in names
    }


def has_files(data: Dataset, name: str) -> bool:
    """Return whether a data folder has anything of a table."""
    return any((data.root / name).glob("*/*/*.parquet"))


def load_files(connection: Any, data: Dataset, name: str) -> ir.Table:
    """Return another table of a data folder: transactions or inferences; empty if there is none."""
    if has_files(data, name):
        return _read(connection, data, name, f"tallystick_{name}")
    columns = {"chain_id": pa.int64(), "address": pa.string()}
    kinds = {field.name: field.type for field in FILES[name]} | columns
    return ibis.memtable(pa.schema(kinds).empty_table())


def _read(connection: Any, data: Dataset, name: str, called: str) -> ir.Table:
    folder = data.root / name
    if connection.name == "duckdb":
        table = connection.read_parquet(
            f"{folder}/**/*.parquet",
            hive_partitioning=True,
            # Else the address 0x00…0a is read as the number 10.
            hive_types_autocast=False,
        )
    elif connection.name == "pyspark":
        table = connection.read_parquet(str(folder))
    else:
        copied = _read(connect(), data, name, called).to_pyarrow()
        if called in connection.list_tables():
            # NOTE: Ibis 12 with sqlglot 30 forgets the name in its own DROP TABLE.
            connection.raw_sql(f'DROP TABLE "{called}"').close()
        table = connection.create_table(called, copied)
    return keyed(table)


def keyed(table: ir.Table) -> ir.Table:
    """Return a table with the columns of its partitions as they are everywhere."""
    return table.mutate(chain_id=table.chain_id.cast("int64"), address=table.address.cast("string"))
