"""The events of one state of a data folder, with the large tables in memory.

The first state copies everything. A later one shares what is copied, and adds what is new to it:
views put the new rows over the older ones, which never change, so that both states answer at once.
"""

import contextlib
import itertools
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.backends.sql.datatypes import DuckDBType

from tallystick.dashboard.batches import Batches
from tallystick.dashboard.disputes import Disputes
from tallystick.dashboard.events import Events
from tallystick.dashboard.flows import Flows
from tallystick.dashboard.growth import held, only_grew
from tallystick.dashboard.memory_tables import LARGE, copy_new, copy_tables
from tallystick.data.analysis import Analysis
from tallystick.data.totals import expression
from tallystick.data.totals.coverage import Coverage
from tallystick.data.totals.engines import EVENTS, connect

FEW = 10_000
"""New events that never are too many to stand apart."""
SHARE = 0.1
"""Of what was copied: more new events than that are copied with all others."""


class State:
    """Events up to a coverage.

    Args:
        folder: the data folder.
        memory: most that DuckDB takes.
        base: the state whose copies this one shares; None: it makes its own.

    Raises:
        CoverageError: nothing was extracted, or a run was interrupted before its end.
        duckdb.ConversionException: there is a base, and a new event names a network, operator,
            model or outcome that no older one does.
    """

    def __init__(self, folder: Path, memory: str, base: "State | None" = None) -> None:
        self._base = base
        self._later = itertools.count(1)
        self._known: dict[tuple[bool, str], ibis.Schema] = {}
        self._con: duckdb.DuckDBPyConnection = base._con if base else connect(memory).con
        # Ibis takes its turns on one connection; every state has one of its own.
        self._connection = ibis.duckdb.from_connection(self._con.cursor())
        self.turn = threading.Lock()
        self._flows: Flows | None = None
        self._working = threading.Lock()
        analysis = Analysis(folder, self._connection, tables=dict)
        self.coverage: list[Coverage] = analysis.coverage
        self.rows = sum(one.rows for one in self.coverage)
        if base is None:
            self.held = held(analysis.data, self.coverage)
            self.events = Events(self._con, analysis.data, self.coverage)
            self._new = self.events
            self.disputes = Disputes(self.events)
            copy_tables(self.events)
            self.batches = Batches(self.events)
        else:
            place = f"state{next(base._later)}"
            whole, new = (place, f"{place}_copies"), (f"{place}_new", f"{place}_new_copies")
            weakref.finalize(self, _drop, self._con, [*whole, *new]).atexit = False
            after = {registry: known.last_block for registry, known in base.held.items()}
            self.events = Events(self._con, analysis.data, self.coverage, *whole)
            self._new = Events(self._con, analysis.data, self.coverage, *new, after)
            self.disputes = Disputes(self.events, self._new, base.events)
            copy_new(self.events, self._new, base.events)
            self.batches = Batches(self.events, self._new, base.events)
        self.analysis = analysis.over(self._tables(self.events.schema, EVENTS))
        self.copies = self._tables(self.events.copies, LARGE)

    @property
    def base(self) -> "State":
        """The state that made the copies: itself, where it shares none."""
        return self._base or self

    def next(self, folder: Path) -> "State | None":
        """Return the folder's state now, sharing what was copied; None: all is to be copied."""
        base = self.base
        found = Analysis(folder, self._connection, tables=dict)
        new = sum(one.rows for one in found.coverage) - base.rows
        if new > max(FEW, base.rows * SHARE):
            return None
        if not only_grew(found.data, base.held, found.coverage):
            return None
        try:
            return State(folder, "", base)
        except duckdb.ConversionException:
            return None

    def flows(self) -> Flows:
        """Return the counters of every network by day."""
        with self._working:
            if self._flows is None:
                before = self._base.flows() if self._base else None
                tables = self._tables(self._new.schema, EVENTS)
                tables |= self._tables(self._new.copies, LARGE)
                with self.turn:
                    moved = expression.moves(tables, ["day"]).to_pyarrow()
                self._flows = Flows(moved, before)
            return self._flows

    def _tables(self, schema: str, names: Sequence[str]) -> dict[str, Any]:
        """Return the tables of a schema for Ibis."""
        return {
            name: ops.DatabaseTable(
                name=name,
                schema=self._columns(schema, name),
                source=self._connection,
                namespace=ops.Namespace(database=schema),
            ).to_expr()
            for name in names
        }

    def _columns(self, schema: str, name: str) -> ibis.Schema:
        """Return the columns of a table; asked once, since Ibis reads enums word by word."""
        known, kind = self.base._known, (schema.endswith("copies"), name)
        if kind not in known:
            rows = self._con.cursor().execute(f"DESCRIBE {schema}.{name}").fetchall()
            known[kind] = ibis.Schema(
                {
                    column: dt.string if told.startswith("ENUM") else DuckDBType.from_string(told)
                    for column, told, *_ in rows
                }
            )
        return known[kind]


def _drop(connection: duckdb.DuckDBPyConnection, schemas: list[str]) -> None:
    """Drop what a state had of its own, once nobody asks it any more."""
    with contextlib.suppress(duckdb.Error):
        cursor = connection.cursor()
        for schema in schemas:
            cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
