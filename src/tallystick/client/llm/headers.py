"""Headers of a question: whom to ask in which order, and under which signature."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import time

from tallystick.chain.sender import Sender
from tallystick.client.llm.book import Asked, Book, Question, State
from tallystick.client.llm.operators import Operator, Operators
from tallystick.errors import AnswerError, OperatorError
from tallystick.llm.request_header import RequestHeader
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256

ENOUGH_STOPS = 3
"""Times that an operator may stop an answer midway, until it comes last."""


class Headers:
    """Makes headers, each noted before it is sent.

    Args:
        book: where they are noted.
        operators: who may be asked.
        signer: who asks.
        domain: chain and registry.
        model_id: 32 bytes.
        within: seconds in which answers must be committed; None: as each operator can.
    """

    def __init__(
        self,
        book: Book,
        operators: Operators,
        signer: Sender,
        domain: Domain,
        model_id: bytes,
        within: int | None,
    ) -> None:
        self._book, self._operators, self._signer = book, operators, signer
        self._domain, self._model_id, self._within = domain, model_id, within
        self._signing = asyncio.Lock()

    async def of(self, question: Question) -> AsyncIterator[tuple[Operator, Asked]]:
        """Yield whom to ask, with the header for it: what was sent goes again, the rest is signed.

        Where an operator refused the header that an earlier run had sent, it is asked once more
        with a new deadline.
        """
        noted = self._book.asked(question)
        sent = {one.url: one for one in noted if one.state is not State.REFUSED}
        order = sorted(self._operators.urls, key=lambda url: rank_operator(noted, url))
        failure: Exception | None = None
        for url in order:
            try:
                operator = await self._operators.about(url)
            except (OperatorError, AnswerError) as error:
                failure = error
                continue
            old = sent.get(url)
            if (
                old is not None
                and old.operator == operator.address
                and (old.deadline > operator.now or old.state is State.ANSWERED)
            ):
                yield operator, old
                if self._state(question, old) is not State.REFUSED:
                    continue
            yield operator, await self._sign(question, operator)
        if failure is not None:
            raise failure

    def _state(self, question: Question, asked: Asked) -> State:
        return next(one.state for one in self._book.asked(question) if one.request == asked.request)

    async def _sign(self, question: Question, operator: Operator) -> Asked:
        """Return a header that is signed and noted now, or was by another reader of the answer."""
        async with self._signing:
            for one in self._book.asked(question):
                if (
                    (one.url, one.operator) == (operator.url, operator.address)
                    and one.state is not State.REFUSED
                    and one.deadline > operator.now
                ):
                    return one
            return await self._noted(question, operator)

    async def _noted(self, question: Question, operator: Operator) -> Asked:
        request = Request(
            self._model_id,
            operator.address,
            keccak256(question.body),
            self._signer.address,
            question.nonce,
            operator.deadline(self._within),
        )
        key = request.struct_hash()
        signature = await asyncio.to_thread(self._signer.sign, self._domain, key)
        request.check(self._domain, signature)
        header = RequestHeader(
            request.model_id, request.requester, request.nonce, request.deadline, signature
        )
        asked = Asked(
            key,
            operator.address,
            operator.url,
            request.deadline,
            header.encode(),
            State.ASKED,
            stopped=0,
            wrong=0,
        )
        await asyncio.to_thread(self._book.note, question, asked)
        return asked


def rank_operator(noted: Sequence[Asked], url: str) -> tuple[bool, int, bool]:
    """Return the key by which operators are asked: who may have an answer already, then the rest.

    Who refused the question, let it down, gave a wrong answer or missed its deadline comes last.
    """
    own = [one for one in noted if one.url == url]
    sent = [one for one in own if one.state is not State.REFUSED]
    missed = [one for one in sent if one.state is State.ASKED and one.deadline <= time()]
    faults = sum(one.wrong + one.stopped // ENOUGH_STOPS for one in own) + len(own) - len(sent)
    return len(sent) == len(missed) or faults > 0, faults, bool(missed)
