"""Language models under a spec of LLM-1: bodies in, answers out, answers measured."""

from tallystick.closing import Closing
from tallystick.errors import FieldError
from tallystick.llm.engine.protocol import Engine
from tallystick.llm.generation import Generation, Show
from tallystick.llm.prompt import Render
from tallystick.llm.question import Question, Questions
from tallystick.llm.sampler import Sampling
from tallystick.llm.spec import Spec
from tallystick.llm.vocabulary import check_vocabulary


class LanguageModel(Closing):
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
        self._questions = Questions(spec, vocabulary, render)

    def close(self) -> None:
        """Cancel all work and let go of the engine."""
        self.engine.close()

    def put(self, body: bytes, most_bytes: int = 0) -> Question:
        """Return the question that a body is; see `Questions.put`."""
        return self._questions.put(body, most_bytes)

    def generate(
        self, question: Question, sampling: Sampling, show: Show = lambda part: None
    ) -> Generation:
        """Begin to answer a question; `show` takes the text as it grows."""
        return Generation(self.engine, question, sampling, show)
