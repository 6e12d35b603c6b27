"""Handler of language models' requests: checks them, queues them, signs and keeps the answers."""

import threading
from collections import Counter
from concurrent.futures import CancelledError, ThreadPoolExecutor

from tallystick.errors import BodyRefusedError, FieldError, RunnerError, TallystickError
from tallystick.llm.output import Output
from tallystick.llm.question import Question
from tallystick.llm.request_header import NAME, RequestHeader
from tallystick.llm.wire import SignedAnswer
from tallystick.node.log import get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.journal import Accepted, Answered, OperatorJournal
from tallystick.node.operator.lane_terms import LaneTerms
from tallystick.node.operator.llm.errors import ApiError
from tallystick.node.operator.llm.model import LoadedLanguageModel
from tallystick.node.operator.llm.pace import PROMPT_WEIGHT, Pace
from tallystick.node.operator.llm.running import Running
from tallystick.node.operator.request_handler import STALE, RequestHandler
from tallystick.node.operator.wire import Asked
from tallystick.node.settings import OperatorSettings
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.keccak import keccak256


class LlmHandler:
    """Answers bodies of the OpenAI API; any number of threads may ask at a time.

    Args:
        settings: the operator's.
        requests: checks and counts what is signed.
        journal: the lane's.
        worker: this process's number.
        metrics: counts.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        requests: RequestHandler,
        journal: OperatorJournal,
        worker: int,
        metrics: Metrics,
    ) -> None:
        self._settings, self._requests, self._journal = settings, requests, journal
        self._worker, self._metrics = worker, metrics
        self._running: dict[bytes, Running] = {}
        self._paces: dict[bytes, Pace] = {}
        self._ended: Counter[bytes] = Counter()
        self._lock = threading.Lock()
        # One thread keeps answers: the journal flushes one after another anyway.
        self._keeping = ThreadPoolExecutor(1, "answers")
        self._closing = False
        self._log = get_log("llm")

    @property
    def models(self) -> dict[bytes, LoadedLanguageModel]:
        """Language models that are served, by id."""
        return {
            key: model
            for key, model in self._requests.models.items()
            if isinstance(model, LoadedLanguageModel)
        }

    def begin(self, header: str | None, body: bytes, chat: bool) -> Running:
        """Return the answer to a request, begun now or before.

        The same request again is joined from its first chunk, however often it comes.

        Args:
            header: value of X-Tallystick-Request; None: there was none.
            body: byte for byte as it came.
            chat: it came to /v1/chat/completions.

        Raises:
            ApiError: the one reason why there is no answer; nothing was kept.
        """
        try:
            running = self._begin(header, body, chat)
        except TallystickError as error:
            refused = error if isinstance(error, ApiError) else ApiError.of(error)
            self._metrics.refused.labels(str(refused.status)).inc()
            self._log.info("request refused", status=refused.status, reason=refused.message)
            raise refused from error
        return running

    def is_generating(self, request: bytes) -> bool:
        """Return whether a request's answer is being generated: it has a token already."""
        running = self._running.get(request)
        return running is not None and running.tokens > 0

    def resume(self) -> None:
        """Go on with what was accepted before this process began, and not answered.

        Nobody else has these nonces, and the answers are the same as they would have been.
        """
        models = self.models
        for model_id, accepted in self._journal.unanswered(self._worker, list(models)):
            terms, model = self._requests.terms, models[model_id]
            assert terms is not None
            try:
                question = self._question(model, terms, accepted)
                terms.check_deadline(accepted.record.deadline or 0, self._settings.commit_margin)
            except TallystickError as error:
                self._journal.release([accepted.request])
                self._log.warning("request given up", request=accepted.request, reason=str(error))
                continue
            with self._lock:
                self._generate(model, terms, accepted, question, counted=False)
            self._log.info("request taken up again", request=accepted.request)

    def close(self) -> None:
        """Stop generating; what is not answered is gone on with when a process starts again."""
        self._closing = True
        for model in self.models.values():
            model.language.close()
        self._keeping.shutdown()

    def _begin(self, value: str | None, body: bytes, chat: bool) -> Running:
        header = _header(value)
        terms = self._requests.terms
        if terms is None:
            raise RefusedError(503, "the node has not seen the chain yet")
        model = self.models.get(header.model_id)
        if model is None:
            raise ApiError(
                404, "this operator does not serve the language model", code="model_not_found"
            )
        asked = Asked(header.requester, header.nonce, header.deadline, body, header.signature)
        accepted = self._requests.signed(model.id, 0, asked)
        question = self._question(model, terms, accepted)
        if chat != (question.fields.messages is not None):
            needed, path = (
                ("messages", "/v1/completions") if chat else ("prompt", "/v1/chat/completions")
            )
            raise BodyRefusedError(needed, f"it is needed here; the other goes to {path}")
        with self._lock:
            running = self._running.get(accepted.request)
            if running is not None:
                return running
            (known,) = self._journal.known([accepted])
            if known is None:
                return self._accept(model, terms, asked, accepted, question)
        if known.request != accepted.request:
            raise ApiError(
                400, "another request of this requester has the nonce", code="nonce_taken"
            )
        if known.pruned:
            raise RefusedError(410, "it was answered; its output is no longer kept here")
        if known.answer is None:
            raise ApiError(409, "another process is answering it; ask again", retry_after=1)
        return self._answered(terms, model.id, accepted, question, known.answer)

    def _question(
        self, model: LoadedLanguageModel, terms: LaneTerms, accepted: Accepted
    ) -> Question:
        return model.language.put(accepted.record.input or b"", terms.rules.max_bytes)

    def _accept(
        self,
        model: LoadedLanguageModel,
        terms: LaneTerms,
        asked: Asked,
        accepted: Accepted,
        question: Question,
    ) -> Running:
        if self._closing:
            raise RefusedError(503, "the node is ending; try again later")
        if len(self._running) >= self._settings.max_generating:
            raise ApiError(
                429,
                f"{len(self._running)} answers are being generated; try again later",
                retry_after=self._retry_after(model.id),
            )
        self._requests.check_terms(terms, [asked])
        seconds = self._seconds(model.id, _work(question))
        terms.check_deadline(asked.deadline, 2 * self._settings.commit_margin + seconds)
        self._requests.take_quotas(terms, [asked.requester])
        try:
            (taken,) = self._journal.accept(model.id, [accepted], self._worker)
            if taken is not None:
                raise ApiError(409, "another process has just got the nonce; ask again")
            return self._generate(model, terms, accepted, question, counted=True)
        except BaseException:
            self._requests.quotas.end([asked.requester], answered=False)
            raise

    def _generate(
        self,
        model: LoadedLanguageModel,
        terms: LaneTerms,
        accepted: Accepted,
        question: Question,
        counted: bool,
    ) -> Running:
        running = Running(
            accepted, model.id, question.fields, _work(question), created=terms.head.now
        )
        running.counted = counted
        inference = accepted.record.inference(model.id, self._requests.operator)
        sampling = question.sampling(inference.request())
        running.generation = model.language.generate(question, sampling, running.show)
        self._running[accepted.request] = running
        self._metrics.generating.set(len(self._running))
        self._note_pace(model)
        running.generation.call_when_done(
            lambda: self._keeping.submit(self._finish, model, running)
        )
        return running

    def _finish(self, model: LoadedLanguageModel, running: Running) -> None:
        """Keep and sign a complete answer; in the thread that keeps answers."""
        try:
            running.complete(self._kept(model, running))
        except CancelledError:
            # The process ends; whoever starts next goes on.
            running.fail(ApiError(503, "the node is ending; ask again", retry_after=5))
        except Exception as error:
            self._journal.release([running.accepted.request])
            if running.counted:
                self._requests.quotas.end([running.accepted.record.requester], answered=False)
            self._log.error("no answer", request=running.accepted.request, reason=str(error))
            refused = (
                error if isinstance(error, TallystickError) else RunnerError("the node failed")
            )
            running.fail(ApiError.of(refused))
        finally:
            with self._lock:
                self._running.pop(running.accepted.request, None)
                self._ended[model.id] += running.tokens
                self._metrics.generating.set(len(self._running))
                self._note_pace(model)

    def _kept(self, model: LoadedLanguageModel, running: Running) -> SignedAnswer:
        assert running.generation is not None
        output = running.generation.wait()
        terms, accepted = self._requests.terms, running.accepted
        assert terms is not None
        terms.check_fresh(STALE)
        # Nothing is promised that no batch can hold any more.
        terms.check_deadline(accepted.record.deadline or 0, self._settings.commit_margin)
        data = output.encode()
        answered = Answered(accepted.request, data, keccak256(data), ZERO32)
        self._journal.answer([answered], terms.head.now)
        if running.counted:
            self._requests.quotas.end([accepted.record.requester], answered=True)
        self._requests.count(model, 1)
        self._metrics.tokens.labels("0x" + model.id.hex()).inc(len(output.tokens))
        if running.first_after is not None:
            self._metrics.first_token.observe(running.first_after)
        return self._signed(terms, answered, output, running.generation.text())

    def _answered(
        self,
        terms: LaneTerms,
        model_id: bytes,
        accepted: Accepted,
        question: Question,
        answered: Answered,
    ) -> Running:
        """Return an answer of the journal; its text is made of its tokens again."""
        output = Output.decode(answered.output)
        text = question.answer()
        for token in output.tokens:
            text.add(token)
        running = Running(accepted, model_id, question.fields, 0, created=terms.head.now)
        running.complete(self._signed(terms, answered, output, text.text()))
        return running

    def _signed(
        self, terms: LaneTerms, answered: Answered, output: Output, text: str
    ) -> SignedAnswer:
        word, signature = self._requests.word(terms, [answered])
        return SignedAnswer(output, text, word.time, signature)

    def _seconds(self, model_id: bytes, work: float) -> float:
        """Return how long new work takes by the pace so far, behind what is queued."""
        queued = sum(one.work for one in self._running.values() if one.model_id == model_id)
        return (queued + work) / self._pace(model_id).rate

    def _retry_after(self, model_id: bytes) -> int:
        works = [one.work for one in self._running.values() if one.model_id == model_id]
        least = min(works, default=0)
        return max(1, min(60, round(least / self._pace(model_id).rate)))

    def _note_pace(self, model: LoadedLanguageModel) -> None:
        tokens = [one.tokens for one in self._running.values() if one.model_id == model.id]
        self._pace(model.id).note(self._ended[model.id] + sum(tokens), busy=bool(tokens))

    def _pace(self, model_id: bytes) -> Pace:
        return self._paces.setdefault(model_id, Pace())


def _work(question: Question) -> float:
    return question.asked.limit + PROMPT_WEIGHT * len(question.asked.prompt)


def _header(value: str | None) -> RequestHeader:
    if value is None:
        raise ApiError(
            400,
            f"the header {NAME} is missing: requests are signed, by `tallystick llm proxy` for "
            "clients that don't sign themselves",
            code="request_header_missing",
        )
    try:
        return RequestHeader.decode(value)
    except FieldError as error:
        raise ApiError(400, str(error), code="request_header_malformed") from error
