"""A body put to a model: everything that operator and verifier derive from it alike."""

from dataclasses import dataclass

from tallystick.llm.body import Fields, read_body
from tallystick.llm.ending import AnswerText
from tallystick.llm.prompt import PromptBuilder, Render, answer_limit, check_size
from tallystick.llm.sampler import Sampling
from tallystick.llm.seed import answer_seed
from tallystick.llm.spec import Spec
from tallystick.llm.structure import Asked
from tallystick.llm.vocabulary import Vocabulary, end_ids, token_bytes
from tallystick.protocol.inference import Request


@dataclass(frozen=True, slots=True)
class Question:
    """A body that LLM-1 allows, with its prompt and the bounds of its answer."""

    fields: Fields
    asked: Asked

    def sampling(self, request: Request) -> Sampling:
        """Return the chance of the answer to a request.

        Args:
            request: with the body's hash as its input hash; of an unsolicited inference, with the
                requester zero and the leaf's nonce.
        """
        seed = answer_seed(request.model_id, request.input_hash, request.requester, request.nonce)
        return Sampling(seed, self.fields.temperature, self.fields.min_p)

    def answer(self) -> AnswerText:
        """Return an answer without tokens yet."""
        asked = self.asked
        return AnswerText(asked.token_bytes, asked.ends, asked.stops, asked.limit)


class Questions:
    """A model's vocabulary and template under a spec, prepared once for many bodies."""

    def __init__(self, spec: Spec, vocabulary: Vocabulary, render: Render) -> None:
        """Compile spellings, and look for the tokens that end answers."""
        self._spec, self._vocabulary = spec, vocabulary
        self._prompts = PromptBuilder(vocabulary, render, spec.context)
        self._ends = end_ids(vocabulary)

    def put(self, body: bytes, most_bytes: int = 0) -> Question:
        """Return the question that a body is.

        Args:
            body: as it came, without a content encoding.
            most_bytes: maxBytes of the network's rules; 0: any size.

        Raises:
            BodyRefusedError: LLM-1 does not allow it, or its answer could be too large.
            RunnerError: the chat template takes too long, which says nothing of the body.
        """
        fields = read_body(body)
        prompt = self._prompts.build(fields)
        limit = answer_limit(fields, len(prompt), self._spec.context, self._spec.tokens)
        check_size(body, limit, most_bytes)
        asked = Asked(
            prompt=prompt,
            limit=limit,
            stops=fields.stops,
            size=self._vocabulary.size,
            ends=self._ends,
            token_bytes=lambda token: token_bytes(self._vocabulary, token),
        )
        return Question(fields, asked)
