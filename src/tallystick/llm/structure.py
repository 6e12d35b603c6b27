"""Checks of an output that need the vocabulary, and no weights."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tallystick.llm.ending import AnswerText, TokenBytes
from tallystick.llm.output import Output, hash_tokens
from tallystick.protocol.keccak import keccak256


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that an answer's form depends on."""

    prompt: Sequence[int]
    """Tokens, as the verifier itself made them from the body."""
    limit: int
    """Most tokens of the answer."""
    stops: Sequence[bytes]
    size: int
    """Tokens of the vocabulary."""
    ends: Collection[int]
    token_bytes: TokenBytes


def structural_fault(output: Output, asked: Asked) -> str | None:
    """Return what of an output's form is wrong, in a line; None where it is right.

    A wrong form makes the answer wrong, whatever the model's logits are. A body that LLM-1 does
    not allow has no right answer: see `read_body` and `PromptBuilder.build`, which refuse it.
    """
    return _prompt_fault(output, asked) or _tokens_fault(output, asked)


def _prompt_fault(output: Output, asked: Asked) -> str | None:
    if output.prompt_tokens != len(asked.prompt):
        return f"it is of a prompt of {output.prompt_tokens} tokens; needed: {len(asked.prompt)}"
    if output.prompt_hash != hash_tokens(asked.prompt):
        return "it is of another prompt"
    return None


def _tokens_fault(output: Output, asked: Asked) -> str | None:
    if not 1 <= len(output.tokens) <= asked.limit:
        return f"it has {len(output.tokens)} tokens; needed: 1 to {asked.limit}"
    beyond = next((token for token in output.tokens if token >= asked.size), None)
    if beyond is not None:
        return f"token {beyond} is none of {asked.size}"
    text = AnswerText(asked.token_bytes, asked.ends, asked.stops, asked.limit)
    for token in output.tokens:
        if text.finish is not None:
            return f"it goes on behind token {text.tokens}, where it ends"
        text.add(token)
    if text.finish is None:
        return "it does not end with its last token"
    if text.finish is not output.finish:
        return f"its finish is {output.finish:d}; needed: {text.finish:d}"
    if output.text_hash != keccak256(text.text().encode()):
        return "its text is another one"
    return None
