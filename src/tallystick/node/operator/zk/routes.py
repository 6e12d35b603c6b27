"""Proofs over HTTP, by the model and the answer: whoever has a batch's data checks them offline."""

from pathlib import Path as Folder
from typing import Annotated

from fastapi import FastAPI, Path
from fastapi.responses import FileResponse, Response

from tallystick.node.operator.errors import RefusedError

_Hash = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


class ProofRoutes:
    """Routes of a folder of proofs, laid out as `zk prove` does.

    Args:
        folder: the proofs'.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def add(self, app: FastAPI) -> None:
        """Add them."""
        app.get("/proofs/{content}/{answer}.json")(self.proof)

    async def proof(self, content: _Hash, answer: _Hash) -> Response:
        """Return the proof of an answer."""
        file = self._folder / content / f"{answer}.json"
        if not file.is_file():
            raise RefusedError(404, "there is no such proof here")
        return FileResponse(file, media_type="application/json")
