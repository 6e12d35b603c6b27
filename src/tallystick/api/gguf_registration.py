"""A language model before it is registered: loaded, its vocabulary and chat template checked."""

from pathlib import Path
from typing import Any, Literal

from tallystick.errors import ActionError, FieldError

Kind = Literal["exact", "tolerance", "integer"]
MOST_CONTEXT = 4096
"""Context of a spec that names none, where the model was trained on more."""
TOKENS = 512
"""Most tokens of an answer where neither body nor registrant names a number."""


def make_spec(
    content: Path,
    kind: Kind,
    kernel: str = "avx2",
    context: int | None = None,
    tokens: int = TOKENS,
) -> str:
    """Return the text of a spec for a GGUF file.

    Args:
        content: the model's file; its metadata say how much context it was trained on.
        kind: ids must be equal under the pinned runtime, or by the integers of a file that
            `llm import` has made; or margins must be small, with the draft's thresholds, which are
            not of this model: `llm calibrate` measures.
        kernel: class of the exact runtime's kernels, avx2 or avx512.
        context: most tokens of prompt and answer; None: what it was trained on, at most 4,096.
        tokens: most of an answer where the body names no number.

    Raises:
        ModelRefusedError: it is no GGUF file.
        FieldError: more context than it was trained on, or too little; an integer spec for another
            file, or another spec for a file of integers.
        OSError: the file cannot be read.
    """
    from tallystick.llm.engine.gguf_file import read_gguf
    from tallystick.llm.engine.release import Kernel
    from tallystick.llm.integer.file import is_integer
    from tallystick.llm.opening import exact_profile
    from tallystick.llm.spec import Integers, Profile, Spec
    from tallystick.llm.verdicts import DRAFT, Thresholds

    if is_integer(content) != (kind == "integer"):
        needed = "integer" if kind != "integer" else "exact or tolerance, or a file of `llm import`"
        raise FieldError("kind of the spec", kind, f"{needed} for {content.name}")
    metadata = read_gguf(content).metadata
    trained = metadata.get(f"{metadata.get('general.architecture')}.context_length")
    most = trained if type(trained) is int else MOST_CONTEXT
    if context is not None and context > most:
        raise FieldError("context", context, f"at most {most}, on which the model was trained")
    comparison: Profile | Thresholds | Integers = DRAFT
    if kind == "exact":
        comparison = exact_profile(Kernel(kernel))
    elif kind == "integer":
        comparison = Integers()
    return Spec(context or min(most, MOST_CONTEXT), tokens, comparison).text()


def examine(content: Path, text: bytes) -> dict[str, Any]:
    """Load a GGUF file, check what LLM-1 needs of it, and return what to tell of it.

    Of a model under an exact spec that is not SmolLM2, it is the golden hash of its own logits,
    too: nodes need it to test their engines.

    Args:
        content: the model's file.
        text: its spec's.

    Raises:
        ActionError: the text is no spec of LLM-1, or of more context than the model was trained on.
        ModelRefusedError: it can't be run; or its vocabulary or chat template could not be rendered
            again by everybody.
        EngineError: the runtime is not here.
        OSError: a file cannot be read.
    """
    from tallystick.llm.engine.library import Library
    from tallystick.llm.engine.model import Model
    from tallystick.llm.engine.self_test import logits_hash
    from tallystick.llm.engine.vocabulary import GgufVocabulary
    from tallystick.llm.integer.file import read_model
    from tallystick.llm.opening import is_smollm2, kernel_of
    from tallystick.llm.renderer import check_template
    from tallystick.llm.spec import Profile, Spec
    from tallystick.llm.vocabulary import check_vocabulary

    try:
        spec = Spec.parse(text.decode())
    except (FieldError, UnicodeDecodeError) as error:
        raise ActionError(f"the spec is not one of LLM-1: {error}") from error
    library = Library.open(kernel_of(spec))
    if spec.integer:
        integers = read_model(content)
        if spec.context > integers.shape.context:
            raise ActionError(
                f"the spec's context is {spec.context}; the model has {integers.shape.context}"
            )
    with Model.open(library, content, tokens_only=spec.integer) as model:
        vocabulary: GgufVocabulary = model.vocabulary
        check_vocabulary(vocabulary)
        if vocabulary.chat_template is not None:
            bos, eos = (
                "" if one is None else vocabulary.spelling(one)
                for one in (vocabulary.bos, vocabulary.eos)
            )
            check_template(vocabulary.chat_template, bos, eos)
        if not spec.integer and spec.context > model.trained_context:
            raise ActionError(
                f"the spec's context is {spec.context}; the model was trained on "
                f"{model.trained_context}"
            )
        told: dict[str, Any] = {
            "answers": spec.kind,
            "comparison": text.decode().splitlines()[5:],
            "context": spec.context,
            "tokens": vocabulary.size,
            "chat_template": vocabulary.chat_template is not None,
        }
        if isinstance(spec.comparison, Profile) and not is_smollm2(content):
            told["golden"] = logits_hash(model)
    return told
