"""The page as files: what the server would answer, written down, to be hosted anywhere."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from tallystick.dashboard import numbers, schemas
from tallystick.dashboard.api_charts import Drift, Priced, drifted
from tallystick.dashboard.api_coverage import covered, defined, summarized
from tallystick.dashboard.api_elsewhere import followed
from tallystick.dashboard.app import PAGE
from tallystick.dashboard.badge import PERIOD, badge
from tallystick.dashboard.export_parts import One, parts
from tallystick.dashboard.export_shared import write_shared
from tallystick.dashboard.margins import MarginFiles
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.periods import LENGTHS
from tallystick.dashboard.responses import page, paged, row_of
from tallystick.dashboard.site import Site, check_docs
from tallystick.dashboard.snapshot import Snapshot
from tallystick.dashboard.spreadsheet import to_csv
from tallystick.data.specs import KnownSpec, audited_by_spec, known_specs
from tallystick.errors import TallystickError
from tallystick.protocol.progress import Progress

MARK = "tallystick-export"
"""A file by which a folder is known as an older export."""
MOST = 1_000
"""Rows of each list, the newest first."""
_PIECE = 100
"""Rows of a file; as the page asks for them."""
NETWORKS_AT_ONCE = 1_000
"""The same of networks."""

Load = Callable[[int, int], list[Any]]


class ExportError(TallystickError, ValueError):
    """A folder that something else is in."""


def export(
    snapshot: Snapshot,
    folder: Path,
    most: int = MOST,
    progress: Progress | None = None,
    specs: Mapping[str, KnownSpec] | None = None,
    margins: MarginFiles | None = None,
    docs: Path | None = None,
    url: str = "",
) -> int:
    """Write the page and its data into a folder, in place of an older export.

    Args:
        snapshot: what is to be shown.
        folder: made when it does not exist.
        most: rows of each list; networks are all there.
        progress: told in networks.
        specs: texts of specs that are known; None: those of the library.
        margins: files of margins that verifiers noted; None: none.
        docs: a built site of docs/, to be put below the page; None: there is none.
        url: where people will find the page, for what other sites show beside a link.

    Returns:
        How many files there are.

    Raises:
        ExportError: the folder holds something that is no export.
        DocsError: docs is no built site.
        MarginsFileError: a line of a margins file is no note.
    """
    if docs is not None:
        check_docs(docs)
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ExportError(f"{folder} holds something else; needed: an empty folder")
    known, noted = known_specs() if specs is None else specs, margins or MarginFiles()
    noted.rows([])  # what cannot be read is told before the older export is gone
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PAGE, folder)
    if docs is not None:
        shutil.copytree(docs, folder / "docs")
    (folder / MARK).write_text(snapshot.version + "\n")
    site = Site(url, docs is not None, files=True)
    _Writer(snapshot, folder / "api" / "v1", most, known, noted).run(progress)
    write_shared(snapshot, folder, site)
    return sum(path.is_file() for path in folder.rglob("*"))


class _Writer:
    """Files of answers, named by what the page asks for."""

    def __init__(
        self,
        snapshot: Snapshot,
        folder: Path,
        most: int,
        specs: Mapping[str, KnownSpec],
        margins: MarginFiles,
    ) -> None:
        self._snapshot, self._folder, self._most = snapshot, folder, most
        self._specs, self._margins = specs, margins

    def run(self, progress: Progress | None) -> None:
        snapshot = self._snapshot
        told = covered(snapshot, live=False, chains_asked=False, exported=int(time.time()))
        self._one(schemas.Coverage, "coverage", told)
        self._one(schemas.Definitions, "definitions", defined())
        self._one(schemas.Elsewhere, "elsewhere", followed(snapshot.folder, snapshot.version))
        for period in LENGTHS:
            self._one(schemas.Summary, f"summary/{period}", summarized(snapshot, period))
        networks = snapshot.networks()
        self._rows(schemas.Networks, "networks", networks, len(networks), piece=NETWORKS_AT_ONCE)
        self._lists("", None)
        for done, key in enumerate(snapshot.network_keys()):
            if progress:
                progress(done, len(networks))
            self._network(key)
        for part in parts(snapshot, self._specs, self._most):
            (self._one if isinstance(part, One) else self._rows)(*part)
        if progress:
            progress(len(networks), len(networks))

    def _network(self, key: NetworkKey) -> None:
        snapshot, base = self._snapshot, f"networks/{key.path}"
        self._one(schemas.Network, base, snapshot.network(key))
        self._one(schemas.Registration, f"{base}/registration", snapshot.registration(key))
        models: Any = snapshot.models(key)
        for period in LENGTHS:
            found = snapshot.in_period(key, period)
            self._one(schemas.NetworkInPeriod, f"{base}/summary/{period}", found)
        self._write(f"{base}/badge.svg", badge(snapshot.in_period(key, PERIOD)).encode())
        for model, name, rows in (
            (schemas.Day, "days", snapshot.days(key)),
            (schemas.Operator, "operators", snapshot.operators(key)),
            (schemas.Model, "models", models),
            (schemas.Evidence, "evidence", audited_by_spec(models, self._specs)),
            (Priced, "prices", snapshot.prices(key)),
            (Drift, "drift", drifted(snapshot, self._margins, key)),
            (schemas.Margins, "margins", self._margins.rows({one["model_id"] for one in models})),
        ):
            self._rows(model, f"{base}/{name}", rows, len(rows))
        self._lists(f"{base}/", key)
        batches = snapshot.batches.page(key, 0, self._most)
        self._rows(schemas.Batch, f"{base}/batches", batches, snapshot.batches.count(key))
        for batch in batches:
            path = f"batches/{batch['chain_id']}/{batch['core']}/{batch['batch_id']}"
            in_full = snapshot.batches.find(batch["chain_id"], batch["core"], batch["batch_id"])
            self._one(schemas.BatchInFull, path, in_full)
        of_parts: dict[tuple[numbers.Part, ...], list[Any]] = {}
        scope = numbers.Scope(key)
        for name in numbers.PARTS:
            number, parts = snapshot.number(scope, name), snapshot.parts(scope, name)
            self._one(schemas.Number, f"{base}/numbers/{name}", number)
            if parts not in of_parts:
                of_parts[parts] = numbers.events_of(snapshot.events, scope, parts, 0, self._most)
            events = of_parts[parts]
            path = f"{base}/numbers/{name}/events"
            self._rows(schemas.NumberEvent, path, events, number["events"])

    def _lists(self, base: str, key: NetworkKey | None) -> None:
        disputes, most = self._snapshot.disputes, self._most
        for state in ("open", "past"):
            rows = disputes.page(state, 0, most, key)
            total = disputes.count(state, key)
            self._rows(schemas.Dispute, f"{base}disputes", rows, total, state)
        every = disputes.page("all", 0, most, key)
        self._csv(schemas.Dispute, f"{base}disputes", every)
        rejected = disputes.rejected(0, most, key)
        self._rows(schemas.Rejection, f"{base}rejections", rejected, disputes.rejected_count(key))

    def _rows(
        self,
        model: type[BaseModel],
        path: str,
        rows: Sequence[Any],
        total: int,
        state: str = "",
        piece: int = _PIECE,
    ) -> None:
        """Write a list in pieces, and as CSV; of a longer list the page knows only these rows."""
        shown = min(total, len(rows))
        for offset in range(0, max(shown, 1), piece):
            found = page(self._snapshot, list(rows[offset : offset + piece]), shown, offset, piece)
            name = ".".join([path, *([state] if state else []), str(offset)])
            self._one(paged(model), name, found)
        self._csv(row_of(paged(model)), ".".join([path, *([state] if state else [])]), rows)

    def _one(self, model: type[BaseModel], path: str, found: Any) -> None:
        made = TypeAdapter(model).validate_python(found)
        self._write(f"{path}.json", made.model_dump_json().encode())

    def _csv(self, model: type[BaseModel], path: str, rows: Sequence[Any]) -> None:
        made = [model.model_validate(row).model_dump(mode="json") for row in rows]
        self._write(f"{path}.csv", to_csv(model.model_fields, made).encode())

    def _write(self, path: str, content: bytes) -> None:
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
