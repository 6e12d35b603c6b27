"""Language models that an operator answers for."""

from collections.abc import Sequence

from tallystick.errors import FieldError
from tallystick.llm.engine.release import Kernel
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.opening import open_model, read_spec
from tallystick.llm.spec import Spec
from tallystick.node.errors import SettingsError
from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.models import LoadedModel, Ran
from tallystick.node.settings import ServedModel


class LoadedLanguageModel(LoadedModel):
    """A language model, asked over the OpenAI API.

    Args:
        served: from the settings.
        content_hash: the file's, as registered, 32 bytes.
        spec_hash: as registered, 32 bytes.

    Raises:
        SettingsError: the spec's text is missing, or is not the registered one.
        TallystickError: it cannot be opened; see `open_model`.
    """

    def __init__(self, served: ServedModel, content_hash: bytes, spec_hash: bytes) -> None:
        self.id, self.file, self.runner = served.id, served.file, served.runner
        self.content_hash, self.spec_hash = content_hash, spec_hash
        self.language: LanguageModel = open_model(
            served.file,
            _spec(served, spec_hash),
            kernel=None if served.kernel is None else Kernel(served.kernel),
            slots=served.slots,
            golden=served.golden,
        )

    def run(self, inputs: Sequence[bytes]) -> list[Ran]:
        """Refuse bytes: answers depend on who asks, and come over the OpenAI API."""
        raise RefusedError(422, "a language model is asked at /v1/chat/completions")


def _spec(served: ServedModel, spec_hash: bytes) -> Spec:
    if served.spec is None:
        raise SettingsError("operator.models: an llm runner needs spec, the registered text")
    try:
        return read_spec(served.spec, spec_hash)
    except (OSError, FieldError) as error:
        raise SettingsError(f"operator.models: {error}") from error
