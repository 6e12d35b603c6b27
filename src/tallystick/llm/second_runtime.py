"""Second opinions on language models' answers: other kernels, or another build."""

import sys
from pathlib import Path

from tallystick.errors import FieldError
from tallystick.llm.engine.release import PINNED, SECOND, Kernel
from tallystick.llm.measuring_process import Runtime
from tallystick.llm.spec import Spec

_NEEDED = {
    Kernel.AVX2: {"avx2", "fma", "f16c", "bmi2"},
    Kernel.AVX512: {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"},
}


def second_runtime(spec: Spec, first: Kernel, setting: str) -> Runtime | None:
    """Return the runtime that measures once more what seems wrong; None: there is none here.

    Within a tolerance it has another class of kernels; under an exact spec it is another build
    with the same class. Under an integer spec none is needed: all runtimes agree.

    Args:
        spec: of the model.
        first: class of the kernels that measure first.
        setting: class of kernels, or folder of the second build; empty: whichever is here.

    Raises:
        FieldError: the setting names what gives no second opinion.
    """
    if spec.integer:
        if setting:
            raise FieldError("second", setting, "none for an integer spec: machines agree")
        return None
    found = _named(setting) if setting else _here(spec, first)
    if found is None:
        return None
    if spec.exact and (found.release is PINNED or found.kernel is not first):
        raise FieldError("second", setting, f"the folder of {SECOND.package} for an exact spec")
    if not spec.exact and found.kernel is first:
        other = next(one for one in Kernel if one is not first)
        raise FieldError("second", setting, f"{other}: {first} measures first")
    return found


def _named(setting: str) -> Runtime:
    if setting in list(Kernel):
        return Runtime(Kernel(setting))
    return Runtime(Kernel.AVX2, SECOND, Path(setting).expanduser())


def _here(spec: Spec, first: Kernel) -> Runtime | None:
    if spec.exact:
        folder = _installed()
        return (
            None
            if folder is None or first not in SECOND.kernels
            else Runtime(first, SECOND, folder)
        )
    return next((Runtime(one) for one in Kernel if one is not first and _runs(one)), None)


def _installed() -> Path | None:
    """Return the folder of the second build's library, where its package is installed."""
    for entry in sys.path:
        folder = Path(entry) / "xllamacpp"
        if (folder / SECOND.libllama).is_file():
            return folder
    return None


def _runs(kernel: Kernel) -> bool:
    """Return whether this machine has a class's instructions, as far as Linux tells."""
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in told.splitlines() if line.startswith("flags")), "")
    return _NEEDED[kernel] <= set(flags.split())
