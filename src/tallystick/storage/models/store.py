"""Model files under a URL: a local folder, or whatever fsspec knows; an operator's node too.

    <url>/<content hash>/manifest.json      what the file is made of; written last
    <url>/<content hash>/<number>           piece 0, 1, ...

Weights beside a graph's file follow it, one file after another: pieces are of all these bytes. What
was pushed or pulled once is not sent again: both go on where they were cut off. Stores are not
trusted: each piece must have its hash, and the whole its content hash.
"""

import filecmp
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from tallystick.protocol.abi_words import ZERO32, check_bytes
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import replace_file
from tallystick.storage.models.content import content_hash, external_files, is_qi8
from tallystick.storage.models.errors import ModelCorruptError, ModelMissingError, ModelStoreError
from tallystick.storage.models.manifest import ModelManifest
from tallystick.storage.models.parts import check_names, read_span, write_span
from tallystick.storage.store_failure import StoreFailure, failure_of, reason_of

MAX_SIZE = 1 << 40
"""Bytes of a model that is pulled, unless told otherwise."""
_MAX_MANIFEST = 128 << 20
_READ = 1 << 20
_CONNECT, _SILENCE = 10.0, 30.0
"""Seconds until a server must answer, and until it must send the next bytes."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The result of a push."""

    manifest: ModelManifest
    sent: int
    """Bytes; the rest was there."""


class ModelStore:
    """Model files by their content hashes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source, copy = Path(folder) / "source", Path(folder) / "copy"
    ...     _ = source.write_bytes(b"weights")
    ...     store = ModelStore(folder + "/store")
    ...     pushed = store.push(source)
    ...     _ = store.pull(pushed.manifest.content_hash, copy)
    ...     copy.read_bytes()
    b'weights'
    """

    def __init__(self, url: str, **options: Any) -> None:
        """Open a store; a local folder is made on the first push.

        Args:
            url: a folder's path, or a URL that fsspec knows, such as s3://bucket/models.
            options: of the file system, such as credentials.
        """
        self.url = url
        self._http = url.startswith(("http://", "https://"))
        if self._http:
            from aiohttp import ClientTimeout

            patience = ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE)
            options = {"client_kwargs": {"timeout": patience}} | options
        self._fs, self._folder = fsspec.core.url_to_fs(url, **options)

    def push(
        self,
        path: Path,
        spec_hash: bytes = ZERO32,
        parent: bytes = ZERO32,
        name: str = "",
        progress: Progress | None = None,
    ) -> Pushed:
        """Keep a model's file, and the weights beside it; goes on where it was cut off before.

        Args:
            path: the file's.
            spec_hash: of the model's spec, 32 bytes.
            parent: content hash of the version before, 32 bytes; zero: none.
            name: for people.
            progress: called with bytes done and bytes in all.

        Raises:
            ModelStoreError: the store cannot be written, or a file changes meanwhile.
            ModelRefusedError: weights are in a file outside the model's folder.
            FieldError: or in a hidden one.
        """
        digest = content_hash(path, spec_hash)
        manifest = ModelManifest.of(path, digest, spec_hash, parent, name)
        folder, sent, done = self._path(digest), 0, 0
        paths = manifest.paths(path)
        for number, expected in enumerate(manifest.pieces):
            start, end = manifest.span(number)
            if not self._has(f"{folder}/{number}", end - start):
                piece = read_span(paths, manifest.sizes, start, end)
                if hashlib.sha256(piece).digest() != expected:
                    raise ModelStoreError(f"{path} has changed while it was pushed")
                self._write(f"{folder}/{number}", piece)
                sent += len(piece)
            done += end - start
            if progress:
                progress(done, manifest.size)
        self._write(f"{folder}/manifest.json", json.dumps(manifest.to_json()).encode())
        return Pushed(manifest, sent)

    def manifest(self, digest: bytes) -> ModelManifest:
        """Return what a model's file is made of.

        Args:
            digest: its content hash, 32 bytes.

        Raises:
            ModelMissingError: there is no such model here.
            ModelCorruptError: what is here is no manifest, or another model's.
            ModelStoreError: the store cannot be read.
        """
        found = ModelManifest.from_json(
            self._read(f"{self._path(digest)}/manifest.json", _MAX_MANIFEST)
        )
        if found.content_hash != digest:
            raise ModelCorruptError(
                f"{self.url}: the manifest is of {to_hex(found.content_hash)}; "
                f"needed: {to_hex(digest)}"
            )
        return found

    def pull(
        self,
        digest: bytes,
        path: Path,
        spec_hash: bytes | None = None,
        max_size: int = MAX_SIZE,
        progress: Progress | None = None,
    ) -> ModelManifest:
        """Fetch a model's file, and the weights beside it; goes on where it was cut off before.

        They are there whole and right, or not at all; until then there is the folder <path>.part.

        Args:
            digest: the model's content hash, 32 bytes.
            path: where the file is to be; other files get the names that the graph has for them.
            spec_hash: of the model's spec, 32 bytes; None: as the store says.
            max_size: bytes allowed.
            progress: called with bytes done and bytes in all.

        Raises:
            ModelMissingError: there is no such model here.
            ModelCorruptError: a piece misses its hash, or the files the content hash.
            ModelStoreError: the store cannot be read, the files are larger than allowed, or another
                file has the name of one beside the graph's.
        """
        manifest = self.manifest(digest)
        if manifest.size > max_size:
            raise ModelStoreError(
                f"{self.url}: the file has {manifest.size} bytes; allowed: {max_size}"
            )
        if path.name in (one.name for one in manifest.parts):
            raise ModelStoreError(f"{path.name} is a file of weights; needed: another name")
        part = path.with_name(path.name + ".part")
        graph, sizes = part / path.name, manifest.sizes
        parts = manifest.paths(graph)
        for one, size in zip(parts, sizes, strict=True):
            one.parent.mkdir(parents=True, exist_ok=True)
            with one.open("ab") as file:
                file.truncate(size)
        for number, expected in enumerate(manifest.pieces):
            start, end = manifest.span(number)
            if hashlib.sha256(read_span(parts, sizes, start, end)).digest() != expected:
                piece = self._read(f"{self._path(digest)}/{number}", end - start)
                if hashlib.sha256(piece).digest() != expected:
                    raise ModelCorruptError(f"{self.url}: piece {number} misses its hash")
                write_span(parts, sizes, start, piece)
            if progress:
                progress(end, manifest.size)
        try:
            self._check(graph, manifest, manifest.spec_hash if spec_hash is None else spec_hash)
        except ModelCorruptError:
            shutil.rmtree(part)
            raise
        _put(parts, manifest.paths(path))
        shutil.rmtree(part)
        return manifest

    def _check(self, graph: Path, manifest: ModelManifest, spec_hash: bytes) -> None:
        names = [part.name for part in manifest.parts]
        digest = manifest.content_hash
        try:
            found = content_hash(graph, spec_hash)
            check_names(names, [] if is_qi8(spec_hash) else external_files(graph))
        except (ValueError, OSError) as error:
            raise ModelCorruptError(f"{self.url}: {error}") from error
        if found != digest:
            raise ModelCorruptError(
                f"{self.url}: the file has content hash {to_hex(found)}; needed: {to_hex(digest)}"
            )

    def _path(self, digest: bytes) -> str:
        check_bytes("content hash", digest, 32)
        return f"{self._folder.rstrip('/')}/{digest.hex()}"

    def _has(self, path: str, size: int) -> bool:
        try:
            return int(self._fs.size(path)) == size
        except Exception as error:  # File systems' errors have no common base.
            if failure_of(error) is not StoreFailure.UNREACHABLE:
                return False
            raise ModelStoreError(f"{path} cannot be looked at: {error}") from error

    def _read(self, path: str, highest: int) -> bytes:
        data = bytearray()
        # Over HTTP a stream: else the server's word on the size would be asked for, and believed.
        options = {"block_size": 0} if self._http else {}
        try:
            with self._fs.open(path, "rb", **options) as file:
                while len(data) <= highest and (piece := file.read(_READ)):
                    data += piece
        except Exception as error:
            if failure_of(error) is not StoreFailure.UNREACHABLE:
                raise ModelMissingError(f"{self.url} has no {path}") from error
            raise ModelStoreError(f"{path} cannot be read: {reason_of(error)}") from error
        if len(data) > highest:
            raise ModelCorruptError(f"{path} is larger than the {highest} bytes that it may have")
        return bytes(data)

    def _write(self, path: str, data: bytes) -> None:
        try:
            if not isinstance(self._fs, LocalFileSystem):
                self._fs.pipe_file(path, data)
                return
            # A piece is there whole or not at all, also after a crash.
            replace_file(Path(path), data, shared=True)
        except Exception as error:
            raise ModelStoreError(f"{path} cannot be written: {error}") from error


def _put(parts: Sequence[Path], targets: Sequence[Path]) -> None:
    """Move whole files to where they are to be, the graph's last.

    What a file beside the graph is called, the model's registrant chose: it replaces no other file.
    """
    for part, target in zip(parts[1:], targets[1:], strict=True):
        if target.exists() and not filecmp.cmp(part, target, shallow=False):
            raise ModelStoreError(f"{target} is another file; needed: a folder without it")
    for part, target in reversed(list(zip(parts, targets, strict=True))):
        with part.open("rb") as file:
            os.fsync(file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
