"""The operator's HTTP interface.

    POST /inferences                    signed requests of one model; answers, signed
    GET  /receipts/{request}            where a request stands; its receipt once it is committed
    POST /receipts                      the same of many
    GET  /batches/{root}.parquet        a batch's data, as every store has them; 410 once pruned
    GET  /models/{content}              a model's file; /manifest.json and /{piece} as in a store
    GET  /                              whose node this is, and what it takes
    GET  /proofs/{content}/{answer}.json   a proof, where it serves zk models
    /v1/...                             the OpenAI API, where it serves language models

A JSON answer to a request with the header X-Tallystick-Nonce is signed, as probes ask for. Every
refusal is {"error": reason}.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from tallystick.errors import FieldError
from tallystick.node.log import get_log
from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.files import BatchFiles, ModelFiles
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.receipts import Receipts
from tallystick.node.operator.request_handler import RequestHandler
from tallystick.protocol.answer import NONCE_HEADER, SIGNATURE_HEADER, Answer
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.wire import AskedInferences, AskedReceipts

if TYPE_CHECKING:
    from tallystick.node.operator.llm.handler import LlmHandler
    from tallystick.node.operator.zk.batches import ProvenBatches

BODY_TIMEOUT = 30.0
"""Seconds in which a request's body must be here."""
_THREADS = 4
_Hash = Annotated[str, Path(pattern="^(0x)?[0-9a-fA-F]{64}$")]
_T = TypeVar("_T")


class OperatorApp:
    """The operator's routes.

    Args:
        lane: whose batches are served.
        handler: answers requests.
        receipts: of the lane.
        store: URL of the batches' data.
        llm: answers for language models; None: there are none.
        proven: batches of zk models; None: there are none.
    """

    def __init__(
        self,
        lane: OperatorLane,
        handler: RequestHandler,
        receipts: Receipts,
        store: str,
        llm: "LlmHandler | None" = None,
        proven: "ProvenBatches | None" = None,
    ) -> None:
        self._lane, self._handler, self._receipts = lane, handler, receipts
        self._batches = BatchFiles(store, lane.journal.is_pruned)
        self._models = ModelFiles(handler.models)
        self._domain = lane.registry.domain
        self._threads = ThreadPoolExecutor(_THREADS, "requests")
        self._log = get_log("http")
        self._queue = None if proven is None else proven.queue
        self.app = self._routes()
        if llm is not None:
            from tallystick.node.operator.llm.routes import LlmRoutes

            LlmRoutes(llm, self._body, checksummed(lane.operator)).add(self.app)
        if proven is not None:
            from tallystick.node.operator.zk.routes import ProofRoutes

            ProofRoutes(proven.folder).add(self.app)

    def _routes(self) -> FastAPI:
        app = FastAPI(title="Tallystick operator", docs_url=None, redoc_url=None)
        body = {"content": {"application/json": {"schema": AskedInferences.model_json_schema()}}}
        app.get("/")(self.about)
        app.post("/inferences", openapi_extra={"requestBody": {**body, "required": True}})(
            self.answer
        )
        app.get("/receipts/{request_hash}")(self.receipt)
        app.post("/receipts")(self.receipts)
        app.api_route("/batches/{name}.parquet", methods=["GET", "HEAD"])(self.batch)
        app.api_route("/models/{content}", methods=["GET", "HEAD"])(self.model)
        app.get("/models/{content}/manifest.json")(self.manifest)
        app.get("/models/{content}/{number}")(self.piece)
        app.exception_handler(RefusedError)(self._refused)
        app.exception_handler(HTTPException)(self._http_error)
        app.exception_handler(RequestValidationError)(self._malformed)
        app.exception_handler(Exception)(self._failed)
        return app

    async def about(self, request: Request) -> Response:
        """Say whose node this is."""
        settings, standing = self._lane.settings, self._handler.terms
        said: dict[str, Any] = {
            "chain_id": self._domain.chain_id,
            "registry": checksummed(self._domain.contract),
            "network_id": to_hex(settings.network_id),
            "operator": checksummed(self._lane.operator),
            "key": checksummed(self._lane.sender.address),
            "models": [
                {"model_id": to_hex(model.id), "content_hash": to_hex(model.content_hash)}
                for model in self._handler.models.values()
            ],
            "max_inferences": settings.max_inferences,
            "ready": standing is not None,
        }
        if self._queue is not None:
            said["proofs"] = self._queue.said()
        if standing is not None:
            said["block"] = standing.head.number
            said["now"] = standing.head.now
            said["shortest_deadline"] = int(2 * settings.commit_margin)
            said["longest_deadline"] = standing.rules.half_window
        return await self._reply(request, said)

    async def answer(self, request: Request) -> Response:
        """Answer signed requests."""
        body = await self._body(request)
        return await self._reply(request, await self._in_thread(self._handler.answer, body))

    async def receipt(self, request: Request, request_hash: _Hash) -> Response:
        """Say where a request stands."""
        (found,) = await self._in_thread(self._find, [request_hash])
        if found is None:
            raise RefusedError(404, "the operator knows no such request")
        return await self._reply(request, found, 200 if "receipt" in found else 202)

    async def receipts(self, request: Request) -> Response:
        """Say where requests stand, in the order asked; null for an unknown one."""
        body = await self._body(request)
        try:
            asked = AskedReceipts.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise RefusedError(400, f"{first['loc'] or 'body'}: {first['msg']}") from error
        found = await self._in_thread(self._find, asked.requests)
        return await self._reply(request, {"receipts": found})

    async def batch(self, name: _Hash) -> Response:
        """Return a batch's data."""
        return await self._batches.response(_hash(name))

    async def model(self, content: _Hash) -> Response:
        """Return a model's file."""
        return await self._models.whole(_hash(content))

    async def manifest(self, content: _Hash) -> Response:
        """Return what a model's file is made of."""
        return await self._models.manifest(_hash(content))

    async def piece(self, content: _Hash, number: int) -> Response:
        """Return a piece of a model's file."""
        return await self._models.piece(_hash(content), number)

    def _find(self, requests: list[str]) -> list[dict[str, Any] | None]:
        found = self._receipts.find([_hash(one) for one in requests])
        ready = sum(1 for one in found if one is not None and "receipt" in one)
        self._lane.metrics.receipts.inc(ready)
        return found

    async def _body(self, request: Request) -> bytes:
        highest = self._lane.settings.max_body
        refused = RefusedError(413, f"the body is too large; allowed: {highest} bytes")
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > highest:
            raise refused
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                async for part in request.stream():
                    body += part
                    if len(body) > highest:
                        raise refused
        except TimeoutError as error:
            raise RefusedError(408, f"the body took more than {BODY_TIMEOUT:.0f} s") from error
        return bytes(body)

    async def _reply(self, request: Request, said: Any, status: int = 200) -> Response:
        body = to_json(said)
        headers = {}
        nonce = request.headers.get(NONCE_HEADER)
        if nonce is not None:
            headers[SIGNATURE_HEADER] = await self._in_thread(self._sign, nonce, body)
        return Response(body, status, headers, media_type="application/json")

    def _sign(self, nonce: str, body: bytes) -> str:
        try:
            answer = Answer.to(nonce, self._lane.settings.network_id, self._lane.operator, body)
        except FieldError as error:
            raise RefusedError(400, str(error)) from error
        return to_hex(self._lane.sender.sign(self._domain, answer.struct_hash()))

    async def _in_thread(self, function: Callable[..., _T], *args: Any) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *args)

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        return JSONResponse({"error": error.reason}, error.status)

    async def _http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"error": error.detail.lower()}, error.status_code)

    async def _malformed(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        return JSONResponse({"error": f"{first['loc'][-1]}: {first['msg']}"}, 400)

    async def _failed(self, request: Request, error: Exception) -> Response:
        reason = " ".join(str(error).split())
        self._log.error(
            "request failed", path=request.url.path, kind=type(error).__name__, reason=reason
        )
        return JSONResponse({"error": "the node failed; ask again"}, 503)


def _hash(text: str) -> bytes:
    return from_hex(text, 32)
