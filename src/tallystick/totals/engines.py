"""Tables of events in an engine that Ibis knows: DuckDB, Spark, or an SQL server."""

from collections.abc import Iterable
from typing import Any

import ibis
import ibis.expr.types as ir

from tallystick.decode.columns import layouts
from tallystick.extract.dataset import Dataset
from tallystick.totals.expression import Tables

EVENTS = tuple(layout.name for layout in layouts())


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
    return {name: _table(connection, data, name) for name in names}


def _table(connection: Any, data: Dataset, name: str) -> ir.Table:
    folder = data.root / "events" / name
    if connection.name == "duckdb":
        files = f"{folder}/**/*.parquet"
        table = connection.read_parquet(files, hive_partitioning=True, union_by_name=False)
    elif connection.name == "pyspark":
        table = connection.read_parquet(str(folder))
    else:
        copied = _table(connect(), data, name).to_pyarrow()
        called = f"tallystick_{name.lower()}"
        if called in connection.list_tables():
            # NOTE: Ibis 12 with sqlglot 30 forgets the name in its own DROP TABLE.
            connection.raw_sql(f'DROP TABLE "{called}"').close()
        return connection.create_table(called, copied)
    return table.mutate(chain_id=table.chain_id.cast("int64"), address=table.address.cast("string"))
