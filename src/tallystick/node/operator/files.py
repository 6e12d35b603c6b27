"""Files that the operator hands out: batch data from its store, models as a model store."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.models import LoadedModel
from tallystick.storage.models.manifest import ModelManifest
from tallystick.storage.models.parts import read_span

_PIECE = 1 << 20
_BINARY = "application/octet-stream"


class BatchFiles:
    """A store's batches, to be read by root.

    Args:
        url: the store's, as BatchStore takes it.
        is_pruned: whether the batch with a root was here.
    """

    def __init__(self, url: str, is_pruned: Callable[[bytes], bool]) -> None:
        self._fs, self._folder = fsspec.core.url_to_fs(url)
        self._is_pruned = is_pruned

    async def response(self, root: bytes) -> Response:
        """Return a batch's file; RefusedError (404; 410 once it is pruned) when there is none."""
        path = f"{self._folder.rstrip('/')}/{root.hex()}.parquet"
        if isinstance(self._fs, LocalFileSystem):
            if not Path(path).is_file():
                raise await self._refusal(root)
            return FileResponse(path, media_type=_BINARY)
        try:
            file = await run_in_threadpool(self._fs.open, path, "rb")
        except FileNotFoundError as error:
            raise await self._refusal(root) from error
        size = getattr(file, "size", None)
        headers = {} if size is None else {"content-length": str(size)}
        return StreamingResponse(_read(file), media_type=_BINARY, headers=headers)

    async def _refusal(self, root: bytes) -> RefusedError:
        if await run_in_threadpool(self._is_pruned, root):
            return RefusedError(410, "the batch is over, and its data were pruned")
        return RefusedError(404, "there is no such batch here")


class ModelFiles:
    """Models' files under their content hashes, laid out as a model store.

    Args:
        models: by id.
    """

    def __init__(self, models: dict[bytes, LoadedModel]) -> None:
        self._models = {model.content_hash: model for model in models.values()}
        self._manifests: dict[bytes, ModelManifest] = {}

    async def manifest(self, content_hash: bytes) -> Response:
        """Return what pieces a model's file has."""
        return JSONResponse((await self._manifest(content_hash)).to_json())

    async def piece(self, content_hash: bytes, number: int) -> Response:
        """Return one piece of a model's file."""
        manifest = await self._manifest(content_hash)
        if not 0 <= number < len(manifest.pieces):
            raise RefusedError(404, "the model's file has no such piece")
        paths = manifest.paths(self._models[content_hash].file)
        start, end = manifest.span(number)
        data = await run_in_threadpool(read_span, paths, manifest.sizes, start, end)
        return Response(data, media_type=_BINARY)

    async def whole(self, content_hash: bytes) -> Response:
        """Return a model's file, without the weights beside it; ranges of it may be asked for."""
        return FileResponse(self._find(content_hash).file, media_type=_BINARY)

    def _find(self, content_hash: bytes) -> LoadedModel:
        model = self._models.get(content_hash)
        if model is None:
            raise RefusedError(404, "this operator does not serve the model")
        if model.file.is_dir():
            raise RefusedError(404, "a zk model is a folder, and is not given away here")
        return model

    async def _manifest(self, content_hash: bytes) -> ModelManifest:
        model = self._find(content_hash)
        if content_hash not in self._manifests:
            self._manifests[content_hash] = await run_in_threadpool(
                ModelManifest.of, model.file, model.content_hash, model.spec_hash
            )
        return self._manifests[content_hash]


async def _read(file: Any) -> AsyncIterator[bytes]:
    try:
        while data := await run_in_threadpool(file.read, _PIECE):
            yield data
    finally:
        await run_in_threadpool(file.close)
