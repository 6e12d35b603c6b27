"""llama.cpp by cffi: one build, with the kernels of one class, in this process."""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cffi

from tallystick.llm.engine.declarations import BACKENDS, FUNCTIONS
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.release import PINNED, Kernel, Release

FOLDER = "TALLYSTICK_LLAMA"
"""Variable that names the folder of llama.cpp's libraries."""

_IN_PACKAGE = Path("node_modules/@node-llama-cpp/linux-x64/bins/linux-x64")
_WARN = 3
"""ggml_log_level of warnings; errors are above."""
_DEFAULTS = {
    "n_gpu_layers": -1, "split_mode": 1, "load_mode": -1, "lazy_mode": 1, "main_gpu": 0,
    "vocab_only": False, "check_tensors": False, "use_extra_bufts": True, "no_host": False,
    "no_alloc": False, "load_mtp": False,
}  # fmt: skip
"""Fields of llama_model_default_params, as both releases set them."""
_CONTEXT_DEFAULTS = {
    "n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "n_rs_seq": 0,
    "n_outputs_max": 0, "n_outputs_max_per_seq": 1, "n_threads": 4, "n_threads_batch": 4,
    "ctx_type": 0, "rope_scaling_type": -1, "pooling_type": -1, "attention_type": -1,
    "flash_attn_type": -1, "yarn_orig_ctx": 0, "defrag_thold": -1.0, "type_k": 1, "type_v": 1,
    "embeddings": False, "offload_kqv": True, "no_perf": True, "op_offload": True,
    "swa_full": True, "kv_unified": False, "n_samplers": 0,
}  # fmt: skip


class Library:
    """A build of llama.cpp, loaded and checked."""

    _opened: "Library | None" = None

    def __init__(self, folder: Path, kernel: Kernel, release: Release) -> None:
        self.folder, self.kernel, self.release = folder, kernel, release
        self.sha256 = tuple(_checked(folder, name, release) for name in release.files(kernel))
        """Of the libraries of an exact spec's runtime, in its order."""
        self.ffi = cffi.FFI()
        self.ffi.cdef(FUNCTIONS.format(more=release.later_fields) + BACKENDS)
        base = self._load(release.ggml_base)
        self.backends = self._load(release.libggml)
        self.c = self._load(release.libllama)
        self._check_versions(base)
        self._check_structures()
        self._lines: deque[str] = deque(maxlen=3)
        self._log = self.ffi.callback("void(int, const char *, void *)", self._note)
        self.c.llama_log_set(self._log, self.ffi.NULL)
        self._load_kernels()
        self.c.llama_backend_init()

    @classmethod
    def open(
        cls, kernel: Kernel, folder: Path | None = None, release: Release = PINNED
    ) -> "Library":
        """Load a build with the kernels of one class, once in a process.

        Args:
            folder: of its libraries; None: TALLYSTICK_LLAMA, or where npm puts them.

        Raises:
            EngineError: the libraries are missing or another build's, this machine cannot run
                the class, or the process has loaded others.
        """
        folder = (folder or default_folder()).absolute()
        if cls._opened is None:
            cls._opened = cls(folder, kernel, release)
        found = cls._opened
        if (found.folder, found.kernel, found.release) != (folder, kernel, release):
            raise EngineError(
                f"this process has loaded {found.release.package} with {found.kernel} kernels: "
                f"{kernel} of {release.package} needs a process of its own"
            )
        return found

    def last_words(self) -> str:
        """Return what llama.cpp complained of last, as one line, and forget it."""
        said = "; ".join(self._lines)
        self._lines.clear()
        return said

    def _load(self, name: str) -> Any:
        try:
            return self.ffi.dlopen(str(self.folder / name))
        except OSError as error:
            raise EngineError(f"{self.folder / name} cannot be loaded: {error}") from None

    def _check_versions(self, base: Any) -> None:
        found = [
            self.ffi.string(text).decode(errors="replace")
            for text in (self.c.llama_version(), base.ggml_version(), base.ggml_commit())
        ]
        needed = [
            self.release.llama_version,
            self.release.ggml_version,
            self.release.ggml_commit,
        ]
        if found != needed:
            raise EngineError(
                f"{self.folder} has llama.cpp {found[0]}, ggml {found[1]} ({found[2]}); "
                f"needed: {needed[0]}, {needed[1]} ({needed[2]}), {self.release.package}"
            )

    def _check_structures(self) -> None:
        """Compare the defaults: a field that lies elsewhere shows another field's value."""
        pairs = (
            (self.c.llama_model_default_params(), _DEFAULTS),
            (self.c.llama_context_default_params(), _CONTEXT_DEFAULTS),
        )
        for found, expected in pairs:
            for name, value in expected.items():
                if getattr(found, name) != value:
                    raise EngineError(
                        f"{self.release.libllama}: {name} is {getattr(found, name)} by default, "
                        f"not {value}: the declarations are not this build's"
                    )

    def _load_kernels(self) -> None:
        name = self.release.kernels[self.kernel]
        if name == self.release.libllama:
            return
        reg = self.backends.ggml_backend_load(str(self.folder / name).encode())
        if reg == self.ffi.NULL:
            raise EngineError(f"this machine cannot run {self.kernel} kernels ({name})")
        if self.backends.ggml_backend_reg_count() != 1:
            raise EngineError(f"{self.folder}: kernels beside {name} are loaded")

    def _note(self, level: int, text: Any, _data: Any) -> None:
        if level >= _WARN and (
            line := self.ffi.string(text).decode(errors="replace").strip(" .\n")
        ):
            self._lines.append(line)


def default_folder() -> Path:
    """Return the folder of llama.cpp's libraries: of the setting, or where npm puts them.

    Raises:
        EngineError: there is none.
    """
    if named := os.environ.get(FOLDER):
        return Path(named)
    for folder in _places():
        if folder.is_dir():
            return folder
    name, version = PINNED.package.removeprefix("npm ").split()
    raise EngineError(
        f"llama.cpp is not here; needed: npm install {name}@{version}, and {FOLDER}, "
        "the path of its bins/linux-x64"
    )


def _places() -> Iterator[Path]:
    yield Path(__file__).parents[4] / "tools" / "llama" / _IN_PACKAGE
    yield Path.cwd() / _IN_PACKAGE


def _checked(folder: Path, name: str, release: Release) -> bytes:
    """Return the SHA-256 of a library that is the release's, before any of its code runs."""
    path = folder / name
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}; it comes with {release.package}") from None
    if found != release.sha256[name]:
        raise EngineError(
            f"{path} is not the one of {release.package}: its SHA-256 is {found}, "
            f"needed: {release.sha256[name]}"
        )
    return bytes.fromhex(found)
