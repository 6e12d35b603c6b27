"""Handler of requests: checks them, takes their nonces, runs the model, signs the answer."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from tallystick.chain.sender import Sender
from tallystick.errors import RunnerError, SignatureError
from tallystick.node.log import get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.journal import Accepted, Answered, OperatorJournal, StoredRequest
from tallystick.node.operator.lane_terms import LaneTerms
from tallystick.node.operator.models import LoadedModel
from tallystick.node.operator.quotas import Quotas
from tallystick.node.operator.wire import Asked, read_asked, write_answers
from tallystick.node.settings import OperatorSettings
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.signature import recover

STALE = 120.0
"""Seconds without a look at the chain after which nothing is promised."""


class RequestHandler:
    """Answers requests; any number of threads may ask at a time.

    Args:
        settings: the operator's.
        domain: chain id and registry.
        journal: the lane's.
        sender: signs the answers: the operator, or its key.
        worker: this process's number among those that share the journal.
        metrics: counts.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        domain: Domain,
        journal: OperatorJournal,
        sender: Sender,
        worker: int,
        metrics: Metrics,
    ) -> None:
        self._settings, self._domain, self._journal = settings, domain, journal
        self._sender, self._worker, self._metrics = sender, worker, metrics
        self.operator = settings.operator or sender.address
        """Whose answers these are, 20 bytes."""
        self._separator = domain.separator()
        self._log = get_log("requests")
        self._lock = threading.Lock()
        self._waiting = 0
        self.models: dict[bytes, LoadedModel] = {}
        """By id; empty until the chain was seen."""
        self.terms: LaneTerms | None = None
        """None until the chain was seen."""
        self.quotas = Quotas(settings.requesters, metrics)
        self.batches_left: int | None = None
        """That may be committed, if all are to be revealed in time; None: any number."""
        self.full = threading.Event()
        """Set when there is enough for a batch."""

    def note_waiting(self, count: int) -> None:
        """Say how many answers the chain does not have yet, as the journal has it."""
        with self._lock:
            self._waiting = count
        self._metrics.waiting.set(count)

    def answer(self, body: bytes) -> dict[str, Any]:
        """Answer the body of a request.

        The same requests again get the same answers, however often they are asked.

        Raises:
            RefusedError: the one reason why there is no answer; nothing was kept.
        """
        started = time.monotonic()
        try:
            answer = self._answer(body)
        except RefusedError as error:
            self._metrics.refused.labels(str(error.status)).inc()
            self._log.info("request refused", status=error.status, reason=error.reason)
            raise
        self._metrics.answering.observe(time.monotonic() - started)
        return answer

    def _answer(self, body: bytes) -> dict[str, Any]:
        model_id, asked = read_asked(body)
        if len(asked) > self._settings.max_inferences:
            raise RefusedError(
                413,
                f"{len(asked)} inferences; allowed in one request: {self._settings.max_inferences}",
            )
        terms = self.terms
        if terms is None:
            raise RefusedError(503, "the node has not seen the chain yet")
        model = self.models.get(model_id)
        if model is None:
            raise RefusedError(404, "this operator does not serve the model")
        requests = [self.signed(model_id, place, one) for place, one in enumerate(asked)]
        keys = {(one.record.requester, one.record.nonce) for one in requests}
        if len(keys) != len(requests):
            raise RefusedError(409, "two of the inferences have the same requester and nonce")
        requesters = [one.requester for one in asked]
        try:
            self.check_terms(terms, asked)
            self.take_quotas(terms, requesters)
        except RefusedError:
            # What was promised before is repeated, whatever has become of the terms.
            known = self._journal.known(requests)
            repeated = _repeated(requests, known)
            if repeated is None:
                _check_kept(requests, known)
                raise
            return self._signed(terms, model_id, repeated)
        try:
            known = self._journal.accept(model_id, requests, self._worker)
            answers = None if any(known) else self._run(terms, model, requests)
        except BaseException:
            self.quotas.end(requesters, answered=False)
            raise
        self.quotas.end(requesters, answered=answers is not None)
        if answers is None:
            repeated = _repeated(requests, known)
            if repeated is None:
                raise _taken(requests, known)
            return self._signed(terms, model_id, repeated)
        self.count(model, len(answers))
        return self._signed(terms, model_id, answers)

    def signed(self, model_id: bytes, place: int, one: Asked) -> Accepted:
        """Return a request that its requester has signed.

        Args:
            model_id: 32 bytes.
            place: in the HTTP request, for the error.
            one: the request.

        Raises:
            RefusedError: 403, somebody else signed it.
        """
        request = Request(
            model_id, self.operator, keccak256(one.input), one.requester, one.nonce, one.deadline
        )
        struct_hash = request.struct_hash()
        digest = keccak256(b"\x19\x01" + self._separator + struct_hash)
        try:
            signer = recover(digest, one.signature)
        except SignatureError as error:
            raise RefusedError(403, f"inference {place}: {error}") from error
        if signer != one.requester:
            raise RefusedError(
                403,
                f"inference {place}: the request is signed by {checksummed(signer)}; "
                f"needed: its requester {checksummed(one.requester)}",
            )
        record = InferenceRecord(
            request.input_hash,
            ZERO32,
            one.requester,
            one.nonce,
            one.deadline,
            signature=one.signature,
            input=one.input,
        )
        return Accepted(struct_hash, record)

    def check_terms(self, terms: LaneTerms, asked: Sequence[Asked]) -> None:
        """Raise RefusedError unless answers to these could be committed, and stood by."""
        margin = 2 * self._settings.commit_margin
        for place, one in enumerate(asked):
            try:
                terms.check_deadline(one.deadline, margin)
            except RefusedError as error:
                raise RefusedError(error.status, f"inference {place}: {error}") from error
            _check_size(terms, place, len(one.input))
        terms.check_fresh(STALE)
        if not terms.key_holds:
            raise RefusedError(503, "the operator has taken this node's key back")
        if not terms.accepting:
            raise RefusedError(503, "the network does not let this operator commit")
        with self._lock:
            waiting = self._waiting
        if self.batches_left is not None and self.batches_left < 1:
            raise RefusedError(
                503, "as many batches are open as could be revealed in time; try again later"
            )
        room = terms.room(waiting)
        if waiting + len(asked) > self._settings.max_waiting:
            raise RefusedError(503, f"{waiting} answers wait to be committed; try again later")
        if room is not None and len(asked) > room:
            raise RefusedError(503, f"the operator's stake covers {room} more inferences now")

    def take_quotas(self, terms: LaneTerms, requesters: Sequence[bytes]) -> None:
        """Count requests, or raise RefusedError over a quota; see `Quotas.take`."""
        with self._lock:
            waiting = self._waiting
        self.quotas.take(requesters, terms.capacity, terms.open_inferences + waiting)

    def _run(
        self, terms: LaneTerms, model: LoadedModel, requests: Sequence[Accepted]
    ) -> list[Answered]:
        try:
            ran = model.run([one.record.input or b"" for one in requests])
            answers = []
            for place, (one, found) in enumerate(zip(requests, ran, strict=True)):
                length = len(one.record.input or b"") + len(found.output)
                _check_size(terms, place, length)
                digest = keccak256(found.output)
                answers.append(Answered(one.request, found.output, digest, found.trace_root))
            self._journal.answer(answers, terms.head.now)
        except BaseException as error:
            self._journal.release([one.request for one in requests])
            if isinstance(error, RunnerError):
                self._log.error("model failed", model_id=model.id, reason=str(error))
                raise RefusedError(503, "the model could not be run") from error
            raise
        return answers

    def count(self, model: LoadedModel, count: int) -> None:
        """Say that so many answers of a model are in the journal, and wait to be committed."""
        self._metrics.inferences.labels("0x" + model.id.hex()).inc(count)
        with self._lock:
            self._waiting += count
            if self._waiting >= self._settings.commit_at:
                self.full.set()
        self._metrics.waiting.set(self._waiting)

    def word(self, terms: LaneTerms, answers: Sequence[Answered]) -> tuple[Acknowledgement, bytes]:
        """Return the operator's word on answers that are in the journal, and its signature."""
        word = Acknowledgement(
            self._settings.network_id,
            self.operator,
            self._sender.address,
            terms.head.now,
            tuple(one.request for one in answers),
            tuple(one.output_hash for one in answers),
        )
        return word, self._sender.sign(self._domain, word.struct_hash())

    def _signed(self, terms: LaneTerms, model_id: bytes, answers: list[Answered]) -> dict[str, Any]:
        word, signature = self.word(terms, answers)
        return write_answers(model_id, word, signature, answers)


def _check_size(terms: LaneTerms, place: int, length: int) -> None:
    highest = terms.rules.max_bytes
    if highest and length > highest:
        raise RefusedError(
            413,
            f"inference {place}: input and output are {length} bytes or more; the network lets at "
            f"most {highest} be revealed",
        )


def _repeated(
    requests: Sequence[Accepted], known: Sequence[StoredRequest | None]
) -> list[Answered] | None:
    """Return the answers given before to exactly these requests; None when one is another's."""
    answers = []
    for one, before in zip(requests, known, strict=True):
        if before is None or before.request != one.request or before.answer is None:
            return None
        answers.append(before.answer)
    return answers


def _check_kept(requests: Sequence[Accepted], known: Sequence[StoredRequest | None]) -> None:
    """Raise RefusedError (410) when one of exactly these requests has lost its answer's bytes."""
    for place, (one, before) in enumerate(zip(requests, known, strict=True)):
        if before is not None and before.request == one.request and before.pruned:
            raise RefusedError(
                410, f"inference {place}: was answered; its output is no longer kept here"
            )


def _taken(requests: Sequence[Accepted], known: Sequence[StoredRequest | None]) -> RefusedError:
    for place, (one, before) in enumerate(zip(requests, known, strict=True)):
        if before is not None and before.request != one.request:
            reason = f"nonce {one.record.nonce} of its requester is taken"
            return RefusedError(409, f"inference {place}: {reason}")
    _check_kept(requests, known)
    for place, before in enumerate(known):
        if before is not None and before.answer is None:
            return RefusedError(409, f"inference {place}: is being answered; ask again")
    return RefusedError(
        409, "some of the inferences were answered before; ask for the others alone"
    )
