"""Opening a model of LLM-I8: its tokens by llama.cpp, its weights by integers."""

from pathlib import Path

from tallystick.errors import FieldError, ModelRefusedError
from tallystick.llm.engine.batching import OwningBatching
from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model
from tallystick.llm.integer.context import IntegerContext, LoadedIntegers
from tallystick.llm.integer.file import read_model
from tallystick.llm.integer.self_test import self_test
from tallystick.llm.integer.transformer import Transformer


class IntegerEngine(OwningBatching):
    """An engine of LLM-I8 with continuous batching.

    Args:
        library: whose tokenizer is used.
        file: of LLM-I8.
        context: most ids of one text.
        slots: texts side by side, 1 to 32.

    Raises:
        SelfTestError: this machine's arithmetic is not LLM-I8's.
        ModelRefusedError: the file is none of LLM-I8, or its tokens can't be loaded.
        FieldError: more context than the model has, or as many slots as no engine has.
    """

    def __init__(self, library: Library, file: Path, context: int, slots: int) -> None:
        self_test()
        model = read_model(file)
        if context > model.shape.context:
            raise FieldError("context of the spec", context, f"at most {model.shape.context}")
        tokens = Model.open(library, file, tokens_only=True)
        try:
            vocabulary = tokens.vocabulary
            if vocabulary.size != model.shape.vocabulary:
                raise ModelRefusedError(
                    file.name, f"{vocabulary.size} tokens, {model.shape.vocabulary} embeddings"
                )
            loaded = LoadedIntegers(Transformer(model), vocabulary)
            super().__init__(IntegerContext(loaded, context, slots), tokens)
        except BaseException:
            tokens.close()
            raise
