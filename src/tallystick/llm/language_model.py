"""Language models under a spec of LLM-1: bodies in, answers out, answers measured."""

from types import TracebackType
from typing import Self

from tallystick.errors import FieldError
from tallystick.llm.body import read_body
from tallystick.llm.engine.protocol import Engine
from tallystick.llm.generation import Generation, Show
from tallystick.llm.prompt import PromptBuilder, Render, answer_limit, check_size
from tallystick.llm.question import Question
from tallystick.llm.sampler import Sampling
from tallystick.llm.seed import answer_seed
from tallystick.llm.spec import Spec
from tallystick.llm.structure import Asked
from tallystick.llm.vocabulary import check_vocabulary, end_ids, token_bytes
from tallystick.protocol.keccak import keccak256


class LanguageModel:
    """A model, ready to answer and to measure answers; any number of threads may use it.

    Args:
        spec: which its answers follow.
        engine: runs it; closed with it.
        render: its chat template.

    Raises:
        ModelRefusedError: LLM-1 cannot tell its prompts apart.
        FieldError: the engine's context is shorter than the spec's.
    """

    def __init__(self, spec: Spec, engine: Engine, render: Render) -> None:
        if engine.context < spec.context:
            raise FieldError("context of the engine", engine.context, f"{spec.context} or more")
        vocabulary = engine.vocabulary
        check_vocabulary(vocabulary)
        self.spec, self.engine = spec, engine
        self._prompts = PromptBuilder(vocabulary, render, spec.context)
        self._ends = end_ids(vocabulary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel all work and let go of the engine."""
        self.engine.close()

    def read(
        self, body: bytes, *, model_id: bytes, requester: bytes, nonce: int, most_bytes: int = 0
    ) -> Question:
        """Return what a request's body asks.

        Args:
            body: byte for byte as it came.
            model_id: 32 bytes.
            requester: 20 bytes; zero where nobody signed.
            nonce: of the request; 0 where nobody signed.
            most_bytes: of body and output together, the network's maxBytes; 0: any number.

        Raises:
            BodyRefusedError: LLM-1 does not allow the body, or it is too large.
            RunnerError: the chat template takes too long.
        """
        fields = read_body(body)
        prompt = self._prompts.build(fields)
        limit = answer_limit(fields, len(prompt), self.spec.context, self.spec.tokens)
        check_size(body, limit, most_bytes)
        seed = answer_seed(model_id, keccak256(body), requester, nonce)
        return Question(fields, prompt, limit, Sampling(seed, fields.temperature, fields.min_p))

    def generate(self, question: Question, show: Show = lambda part: None) -> Generation:
        """Begin to answer a question; `show` takes the text as it grows."""
        return Generation(self.engine, question, self.token_bytes, self._ends, show)

    def asked(self, question: Question) -> Asked:
        """Return what the form of an answer to a question depends on."""
        return Asked(
            question.prompt,
            question.limit,
            question.fields.stops,
            self.engine.vocabulary.size,
            self._ends,
            self.token_bytes,
        )

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes that a token adds to an answer."""
        return token_bytes(self.engine.vocabulary, token)
