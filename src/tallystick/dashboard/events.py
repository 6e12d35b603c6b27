"""A data folder's events in SQL, each query bound to the blocks that were covered."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.totals.coverage import Coverage
from tallystick.data.totals.engines import EVENTS, FILES, has_files
from tallystick.protocol.hexes import to_hex

Row = dict[str, Any]
COPIES = "copies"
"""Schema of copies in memory, and of their types, see memory_tables.py."""


class Events:
    """A view for each event, by its name, with chain_id and address; inferences, transactions too.

    A query sees the blocks of the coverage and no later ones, whatever is extracted meanwhile.

    Args:
        connection: of DuckDB.
        data: decoded.
        coverage: of each registry.
        schema: of the views; made when it is not there.
        copies: schema of what is copied into memory; made as well.
        after: last block of each registry that is left out; empty: none is.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        data: Dataset,
        coverage: Sequence[Coverage],
        schema: str = "main",
        copies: str = COPIES,
        after: Mapping[ContractKey, int] = MappingProxyType({}),
    ) -> None:
        self._connection = connection
        self.schema, self.copies = schema, copies
        for one in (schema, copies):
            self.run(f"CREATE SCHEMA IF NOT EXISTS {one}", search=False)
        bound = " OR ".join(_bound(one, after.get(one.contract)) for one in coverage)
        for name in EVENTS:
            self._view(name, f"{data.root}/events/{name}", f"WHERE {bound}")
        for name, columns in FILES.items():
            if has_files(data, name):
                self._view(name, f"{data.root}/{name}")
            else:
                names = {"chain_id": "BIGINT", "address": "VARCHAR"}
                kinds = names | {field.name: _kind(field.type) for field in columns}
                empty = ", ".join(f"NULL::{kind} AS {one}" for one, kind in kinds.items())
                self.run(f"CREATE VIEW {schema}.{name} AS SELECT {empty} WHERE false")

    def _view(self, name: str, folder: str, which: str = "") -> None:
        files = f"{folder}/**/*.parquet".replace("'", "''")
        # NOTE: left to itself, DuckDB takes an address with leading zeros for a number.
        self.run(
            f"CREATE VIEW {self.schema}.{name} AS SELECT * "
            "REPLACE (chain_id::BIGINT AS chain_id) "
            f"FROM read_parquet('{files}', hive_partitioning = true, "
            f"hive_types_autocast = false) {which}"
        )

    def run(self, statement: str, search: bool = True) -> None:
        """Run a statement that answers nothing; names are looked for in the own schema."""
        self._cursor([self.schema] if search else []).execute(statement)

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Return a query's rows, by column."""
        return _rows(self._cursor([self.schema]).execute(query, list(parameters)))

    def of_copies(self, query: str, *parameters: Any) -> list[Row]:
        """Return the same rows, read of copies in memory where there are some."""
        cursor = self._cursor([self.copies, self.schema])
        return _rows(cursor.execute(query, list(parameters)))

    def _cursor(self, schemas: Sequence[str]) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        if schemas:
            cursor.execute(f"SET search_path = '{','.join(schemas)}'")
        return cursor

    def value(self, query: str, *parameters: Any) -> Any:
        """Return the only value that a query answers."""
        (row,) = self.rows(query, *parameters)
        (value,) = row.values()
        return value


def _rows(cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _kind(field: pa.DataType) -> str:
    """Return DuckDB's name of a column's type."""
    return (
        "BOOLEAN"
        if pa.types.is_boolean(field)
        else "BIGINT"
        if pa.types.is_integer(field)
        else "VARCHAR"
    )


def _bound(one: Coverage, after: int | None) -> str:
    registry = one.contract
    later = "" if after is None else f" AND block_number > {after}"
    return (
        f"(chain_id::BIGINT = {registry.chain_id} AND address = '{to_hex(registry.address)}' "
        f"AND block_number <= {one.last_block}{later})"
    )
