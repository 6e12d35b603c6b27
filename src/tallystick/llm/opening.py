"""Opening a model: file, spec, runtime and chat template fitted together, and tested."""

import hashlib
from pathlib import Path

from tallystick.errors import BodyRefusedError, FieldError
from tallystick.llm.engine.batching import Batching, OwningBatching
from tallystick.llm.engine.context import Context
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.release import PINNED, Kernel, Release
from tallystick.llm.engine.self_test import SMOLLM2, self_test
from tallystick.llm.engine.vocabulary import GgufVocabulary
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.prompt import Render
from tallystick.llm.renderer import Renderer
from tallystick.llm.spec import Profile, Spec
from tallystick.protocol.hexes import to_hex

SLOTS = 8
"""Answers that are generated side by side."""


def open_model(
    file: Path,
    spec: Spec,
    *,
    kernel: Kernel | None = None,
    slots: int = SLOTS,
    folder: Path | None = None,
    release: Release = PINNED,
    golden: bytes | None = None,
) -> LanguageModel:
    """Open a model, ready to answer and to measure.

    Under an exact spec the runtime's libraries must be the spec's, and logits must be those of the
    golden hash: the spec's own for SmolLM2, `golden` for another model. Under an integer spec the
    runtime has the tokens alone.

    Args:
        file: GGUF, under an integer spec one of LLM-I8.
        spec: which its answers follow.
        kernel: class of CPU kernels; None: the exact spec's, or AVX2.
        slots: answers side by side, 1 to 32.
        folder: of the runtime's libraries; None: where they are looked for.
        release: build of the runtime.
        golden: hash of this model's own logits, as its listing has it.

    Raises:
        EngineError: the runtime is missing, or cannot run this class of kernels.
        SelfTestError: logits are not those of the golden hash.
        ModelRefusedError: the file cannot be run, or LLM-1 does not allow it.
        FieldError: the libraries are not those of the exact spec.
    """
    library = Library.open(kernel or kernel_of(spec, release), folder, release)
    if isinstance(spec.comparison, Profile) and release is PINNED:
        _check_runtime(spec.comparison, library)
    if spec.integer:
        # Needs onnxruntime, which other specs don't.
        from tallystick.llm.integer.opening import IntegerEngine

        integers = IntegerEngine(library, file, spec.context, slots)
        return _language_model(spec, integers)
    model = Model.open(library, file)
    try:
        if isinstance(spec.comparison, Profile):
            _test(model, spec.comparison, golden)
        engine = OwningBatching(Context(model, spec.context, slots), model)
    except BaseException:
        model.close()
        raise
    return _language_model(spec, engine)


def read_spec(file: Path, spec_hash: bytes) -> Spec:
    """Return the spec of a model from the file of its text.

    Args:
        file: of the text.
        spec_hash: as registered, 32 bytes.

    Raises:
        FieldError: it is none, or another one.
        OSError: it cannot be read.
    """
    # Bytes: reading as text would make line feeds of other line ends.
    try:
        spec = Spec.parse(file.read_bytes().decode())
    except UnicodeDecodeError as error:
        raise FieldError("spec", str(file), "UTF-8") from error
    if spec.spec_hash() != spec_hash:
        raise FieldError(
            f"spec hash of {file}", to_hex(spec.spec_hash()), f"{to_hex(spec_hash)}, as registered"
        )
    return spec


def kernel_of(spec: Spec, release: Release = PINNED) -> Kernel:
    """Return the class of kernels that a spec names by its runtime; AVX2 where it names none.

    Raises:
        EngineError: the release has no class of these libraries.
    """
    if not isinstance(spec.comparison, Profile):
        return Kernel.AVX2
    wanted = spec.comparison.golden.hex()
    for kernel, golden in release.goldens.items():
        if golden == wanted and kernel in release.kernels:
            return kernel
    raise EngineError(f"{release.package} has no kernels whose golden hash is {wanted}")


def exact_profile(kernel: Kernel, release: Release = PINNED) -> Profile:
    """Return the profile of an exact spec: a release's libraries with the kernels of a class."""
    hashes = tuple(bytes.fromhex(release.sha256[name]) for name in release.files(kernel))
    return Profile(hashes, bytes.fromhex(release.goldens[kernel]))


def is_smollm2(file: Path) -> bool:
    """Return whether a file is the model that specs' golden hashes are of."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == SMOLLM2


def template_of(vocabulary: GgufVocabulary) -> Render:
    """Return what renders a model's conversations; it refuses all where there is no template."""
    source = vocabulary.chat_template
    if source is None:
        return _no_template
    bos, eos = (
        "" if token is None else vocabulary.spelling(token)
        for token in (vocabulary.bos, vocabulary.eos)
    )
    return Renderer(source, bos, eos).render


def _language_model(spec: Spec, engine: Batching) -> LanguageModel:
    """Return a model of an engine, which is closed where it is refused."""
    try:
        return LanguageModel(spec, engine, template_of(engine.vocabulary))
    except BaseException:
        engine.close()
        raise


def _no_template(messages: object) -> str:
    raise BodyRefusedError("messages", "the model has no chat template; needed: prompt")


def _check_runtime(profile: Profile, library: Library) -> None:
    for path, found, needed in zip(
        library.release.files(library.kernel), library.sha256, profile.runtime, strict=True
    ):
        if found != needed:
            raise FieldError(f"runtime's {path}", found.hex(), f"{needed.hex()}, the spec's")


def _test(model: Model, profile: Profile, golden: bytes | None) -> None:
    wanted = profile.golden if is_smollm2(model.path) else golden
    if wanted is None:
        raise EngineError(
            f"{model.path.name} cannot be tested; needed: the golden hash of its own logits, as "
            "its listing has it"
        )
    self_test(model, wanted)
