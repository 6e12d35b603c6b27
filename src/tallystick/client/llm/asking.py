"""Asking operators: a body in, checked text out, by the rules of the book of requests."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from time import monotonic, time

import httpx
from web3.exceptions import Web3Exception

from tallystick.chain.registry import Registry
from tallystick.chain.rpc.errors import RpcError
from tallystick.chain.sender import Sender
from tallystick.client.llm.book import Asked, Book, Question
from tallystick.client.llm.checks import WordChecks, check_answer
from tallystick.client.llm.errors import ApiRefusedError, StoppedError
from tallystick.client.llm.exchange import CONNECT, exchange
from tallystick.client.llm.headers import Headers
from tallystick.client.llm.kept import AnswerFolder, KeptAnswer
from tallystick.client.llm.operators import Operator, Operators
from tallystick.client.llm.reading import ReadAnswer
from tallystick.client.llm.telling import Tell, tell_nobody
from tallystick.errors import AnswerError, OperatorError, TallystickError, UnreachableError
from tallystick.llm.body import Fields, read_body
from tallystick.llm.request_header import RequestHeader
from tallystick.llm.wire import SignedAnswer, Wire
from tallystick.protocol.hexes import checksummed, from_hex
from tallystick.protocol.keccak import keccak256

CHAT, COMPLETIONS = "chat/completions", "completions"
"""Paths of the API, behind /v1/."""
_TRIES = 3
"""Times that an operator is asked for an answer that it began."""
_OTHER = "text: it is not what was said before"


class Asker:
    """Asks operators for one requester and model. To be used within one event loop.

    Args:
        registry: whose networks the operators work in.
        signer: who asks.
        model_id: 32 bytes; an operator's list of models is never asked for it.
        urls: of operators' nodes, in the order in which they are asked.
        folder: of the book and of kept answers.
        within: seconds in which answers must be committed; None: as each operator can.
        tell: takes events.
    """

    def __init__(
        self,
        registry: Registry,
        signer: Sender,
        model_id: bytes,
        urls: Sequence[str],
        folder: Path,
        within: int | None = None,
        tell: Tell = tell_nobody,
    ) -> None:
        self.model_id = model_id
        self.book, self.answers = Book(folder / "book.sqlite3"), AnswerFolder(folder)
        self.tell = tell
        self._signer = signer
        self._words = WordChecks(registry)
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(CONNECT))
        # A cookie would tell an operator who asks, and no answer needs one.
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        domain = self._words.domain
        operators = Operators(urls, domain, self._http)
        self._headers = Headers(self.book, operators, signer, domain, model_id, within)
        self._taking = asyncio.Lock()
        self._live: dict[int, int] = {}
        self._finishing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Let go of connections and of the book."""
        for task in self._finishing:
            task.cancel()
        await asyncio.gather(*self._finishing, return_exceptions=True)
        await self._http.aclose()
        self.book.close()

    async def ask(self, path: str, body: bytes, retried: bool = False) -> "Answering":
        """Return an answer to be read, and to be closed when its client is gone or has it.

        Nothing is sent before it is read. The same body again is another question while the
        first one's client is there, unless it is retried.

        Args:
            path: CHAT or COMPLETIONS.
            body: byte for byte as operators get it.
            retried: the client says that it has asked before.

        Raises:
            BodyRefusedError: no operator would take the body.
        """
        fields = read_body(body)
        async with self._taking:
            question = await asyncio.to_thread(
                self.book.take,
                self.model_id,
                self._signer.address,
                path,
                body,
                retried=retried,
                live=list(self._live),
            )
            self._live[question.place] = self._live.get(question.place, 0) + 1
        return Answering(self, question, fields)

    async def resume(self) -> None:
        """Finish what an earlier process asked for, and died before it was here."""
        for question in await asyncio.to_thread(self.book.unanswered, int(time())):
            await self._finish(question)

    def finish(self, question: Question) -> None:
        """Have an answer come and be kept whose client has gone away; does not wait for it."""
        task = asyncio.create_task(self._finish(question))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    def leave(self, question: Question) -> None:
        """Note that a question's client is gone, or has its answer."""
        self._live[question.place] -= 1
        if not self._live[question.place]:
            del self._live[question.place]

    async def _finish(self, question: Question) -> None:
        answering = Answering(self, question, read_body(question.body))
        try:
            async for _ in answering.parts():
                pass
        except (TallystickError, OSError, Web3Exception) as error:
            self.tell("no answer", {"reason": str(error)})

    async def _keep(
        self, question: Question, fields: Fields, operator: Operator, asked: Asked, said: ReadAnswer
    ) -> KeptAnswer:
        """Check an answer and keep it.

        Raises:
            AnswerError: the first part that does not hold.
            UnreachableError: the chain does not answer, so that nobody knows who signed.
        """
        header = RequestHeader.decode(asked.header)
        request = header.request(asked.operator, keccak256(question.body))
        chat = fields.messages is not None
        output = check_answer(said, request, chat)
        answer = SignedAnswer(output, said.text, said.word.time, from_hex(said.word.signature))

        def confirm() -> KeptAnswer:
            word, block = self._words.confirm(
                operator.network_id, request, output.encode(), answer.time, answer.signature
            )
            kept = KeptAnswer(
                self._words.domain,
                chat,
                question.body,
                request,
                header.signature,
                answer,
                word.network_id,
                word.key,
                block,
            )
            self.answers.keep(kept)
            self.book.answer(question, asked.request)
            return kept

        try:
            return await asyncio.to_thread(confirm)
        except (Web3Exception, RpcError, ConnectionError) as error:
            raise UnreachableError(f"the chain's node does not answer: {error}") from error


class Answering:
    """One body's answer as it comes; made by `Asker.ask`."""

    def __init__(self, asker: Asker, question: Question, fields: Fields) -> None:
        self._asker, self.question, self.fields = asker, question, fields
        self._kept: KeptAnswer | None = None
        self._created = int(time())
        self._shown = ""
        self._failed = self._left = False

    @property
    def kept(self) -> KeptAnswer:
        """The answer, checked and in its folder, once all parts were read."""
        assert self._kept is not None
        return self._kept

    def wire(self, request: bytes) -> Wire:
        """Return the form of the answer to a request, 32 bytes, for the client."""
        return Wire(self.fields, request, self._asker.model_id, self._created)

    async def parts(self) -> AsyncIterator[tuple[bytes, str]]:
        """Yield the text's parts, each with its request; an empty one says that it goes on.

        At the end the answer is checked and kept. Until then the text is nobody's word.

        Raises:
            ApiRefusedError: operators refuse, and nobody else answers.
            OperatorError: nobody answers, or nobody ends the answer.
            AnswerError: an answer does not hold, and nobody gives another one.
            UnreachableError: the chain does not answer; the same body again goes on here.
        """
        failures: list[Exception] = []
        try:
            async for operator, asked in self._asker._headers.of(self.question):
                async for part in self._from(operator, asked, failures):
                    yield asked.request, part
                if self._kept is not None:
                    return
                if isinstance(failures[-1], ApiRefusedError) and failures[-1].of_body:
                    break
        except (OperatorError, AnswerError) as error:
            failures.append(error)
        raise self._end(failures)

    async def received(self) -> None:
        """Note that the client has the answer whole, and close it."""
        await asyncio.to_thread(self._asker.book.receive, self.question)
        self._leave()

    def close(self) -> None:
        """Note that the client is gone; an answer that is under way is kept all the same."""
        if self._leave() and self._kept is None and not self._failed:
            self._asker.finish(self.question)

    def _leave(self) -> bool:
        left, self._left = self._left, True
        if not left:
            self._asker.leave(self.question)
        return not left

    async def _from(
        self, operator: Operator, asked: Asked, failures: list[Exception]
    ) -> AsyncIterator[str]:
        """Yield what one operator adds to the text; a failure is noted and added to the others."""
        asker, begun = self._asker, monotonic()
        facts = {"operator": checksummed(asked.operator), "url": asked.url}
        for _ in range(_TRIES):
            try:
                async with aclosing(
                    exchange(asker._http, self.question, self.fields, asked)
                ) as said:
                    text = ""
                    async for part in said:
                        if isinstance(part, ReadAnswer):
                            if not part.text.startswith(self._shown):
                                raise AnswerError(_OTHER)
                            self._kept = await asker._keep(
                                self.question, self.fields, operator, asked, part
                            )
                            break
                        text += part
                        yield self._news(text)
            except StoppedError as error:
                await asyncio.to_thread(asker.book.stop, asked.request)
                failures.append(error)
                asker.tell("operator stopped", facts | {"reason": str(error)})
                continue
            except ApiRefusedError as error:
                if not error.busy:
                    await asyncio.to_thread(asker.book.refuse, asked.request)
                failures.append(error)
                asker.tell("operator refused", facts | {"reason": str(error)})
            except AnswerError as error:
                await asyncio.to_thread(asker.book.doubt, asked.request)
                failures.append(AnswerError(f"{facts['operator']}: {error}"))
                asker.tell("answer does not hold", facts | {"reason": str(error)})
            except OperatorError as error:
                failures.append(error)
                asker.tell("operator does not answer", facts | {"reason": str(error)})
            else:
                asker.tell(
                    "answer checked",
                    facts
                    | {
                        "id": self.kept.id,
                        "tokens": len(self.kept.answer.output.tokens),
                        "seconds": round(monotonic() - begun, 2),
                    },
                )
            return

    def _news(self, text: str) -> str:
        """Return what a text adds to what was shown; an operator that is asked again repeats."""
        shown = self._shown
        if len(text) <= len(shown):
            if not shown.startswith(text):
                raise AnswerError(_OTHER)
            return ""
        if not text.startswith(shown):
            raise AnswerError(_OTHER)
        self._shown = text
        return text[len(shown) :]

    def _end(self, failures: Sequence[Exception]) -> Exception:
        """Return the failure to be told, and close the question where its nonce is of no use."""
        self._failed = True
        last = failures[-1] if failures else OperatorError(None, "no operator is there to be asked")
        refusals = [one for one in failures if isinstance(one, ApiRefusedError)]
        if any(one.of_body for one in refusals) or (
            len(refusals) == len(failures) and all(one.of_nonce for one in refusals)
        ):
            self._asker.book.give_up(self.question)
        # That one is busy says more than that another is away.
        return next((one for one in reversed(refusals) if one.busy), last)
