"""Chat templates, hf-jinja-1: a sandbox in which every honest renderer writes the same text.

A template may loop for ever or ask for gigabytes: what renders those of others is
`tallystick.llm.renderer`, which does it in a process of its own.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

from jinja2 import Template as Compiled
from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tallystick.errors import BodyRefusedError, ModelRefusedError, RunnerError
from tallystick.llm.messages import Message

MOST_BYTES = 1_000_000
"""Of a rendered text, in UTF-8."""
REFUSED_NAMES = frozenset({"strftime_now", "random", "lipsum"})
"""Names that make a text another one each time."""
_GLOBALS = ("range", "dict", "namespace")
_ADDRESS = " at 0x"


class Template:
    """A chat template with the texts of the vocabulary's first and last token.

    >>> template = Template("{{ bos_token }}{{ messages[0].content | trim }}", "<s>", "</s>")
    >>> template.render([Message("user", " hi ")])
    '<s>hi'
    """

    def __init__(self, source: str, bos: str, eos: str) -> None:
        """Compile a template.

        Args:
            source: tokenizer.chat_template of a GGUF.
            bos: spelling of the token that begins a text; empty where there is none.
            eos: spelling of the token that ends one; empty where there is none.

        Raises:
            ModelRefusedError: it is no template.
        """
        self._tokens = {"bos_token": bos, "eos_token": eos}
        try:
            self._compiled: Compiled = _environment().from_string(source)
        except (TemplateError, RecursionError, SyntaxError, ValueError) as error:
            raise ModelRefusedError("chat_template", _one_line(error)) from error

    def render(self, messages: Sequence[Message]) -> str:
        """Return the text of a conversation, with a place for the assistant's answer at its end.

        Raises:
            BodyRefusedError: the template refuses the messages or fails on them, or the text is
                longer than 1,000,000 bytes.
            RunnerError: memory does not suffice, which says nothing of the messages.
        """
        given = [{"role": one.role, "content": one.content} for one in messages]
        parts: list[str] = []
        size = 0
        try:
            for part in self._compiled.generate(
                messages=given, add_generation_prompt=True, **self._tokens
            ):
                size += len(part.encode())
                if size > MOST_BYTES:
                    raise BodyRefusedError("messages", f"rendered, over {MOST_BYTES} bytes")
                parts.append(part)
        except (BodyRefusedError, RunnerError):
            raise
        except MemoryError as error:
            raise RunnerError("the chat template needs more memory than there is") from error
        except Exception as error:
            # A template can make Python raise nearly anything.
            reason = f"the chat template refuses them: {_one_line(error)}"
            raise BodyRefusedError("messages", reason) from error
        return "".join(parts)


def check_names(source: str) -> None:
    """Refuse a template that names the clock or chance.

    Raises:
        ModelRefusedError: it does, or is no template.
    """
    try:
        tree = _environment().parse(source)
    except (TemplateSyntaxError, RecursionError) as error:
        raise ModelRefusedError("chat_template", _one_line(error)) from error
    for node in tree.find_all((nodes.Name, nodes.Filter)):
        name = getattr(node, "name", None)
        if name in REFUSED_NAMES:
            raise ModelRefusedError(
                "chat_template", f"it names {name}: nobody could render it again"
            )


def check_probe(text: str, content: str) -> None:
    """Refuse what a template made of one user's message of a word.

    Args:
        text: as rendered.
        content: of the one message.

    Raises:
        ModelRefusedError: the message is not in the text, as with templates for tools only; or the
            text tells where in memory an object lies.
    """
    if content not in text:
        raise ModelRefusedError("chat_template", "it leaves a user's message out")
    if _ADDRESS in text:
        raise ModelRefusedError("chat_template", "it writes an address in memory")


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals = {name: environment.globals[name] for name in _GLOBALS}
    environment.globals["raise_exception"] = _raise_exception
    del environment.filters["random"]
    return environment


def _raise_exception(message: Any = "") -> NoReturn:
    raise TemplateError(str(message))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
