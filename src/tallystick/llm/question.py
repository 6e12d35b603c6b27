"""Questions: what a body asks of a model, as far as its answer depends on it."""

from dataclasses import dataclass

from tallystick.llm.body import Fields
from tallystick.llm.sampler import Sampling


@dataclass(frozen=True, slots=True)
class Question:
    """A request's body as a model reads it; made by `LanguageModel.read`."""

    fields: Fields
    """Effective fields of the body."""
    prompt: tuple[int, ...]
    """Tokens of the prompt."""
    limit: int
    """Most tokens of the answer."""
    sampling: Sampling
    """Chance of the answer."""
