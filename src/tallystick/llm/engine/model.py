"""Models in GGUF files, loaded by llama.cpp: mapped, never read whole."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tallystick.child_environment import only
from tallystick.closing import Closing
from tallystick.errors import ModelRefusedError
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.gguf_file import GgufFile, read_gguf
from tallystick.llm.engine.library import Library
from tallystick.llm.engine.vocabulary import GgufVocabulary

_MAPPED = 1
"""LLAMA_LOAD_MODE_MMAP."""


class Model(Closing):
    """Weights and vocabulary of one file; contexts of it share them."""

    def __init__(
        self, library: Library, path: Path, file: GgufFile, tokens_only: bool = False
    ) -> None:
        self.library, self.path = library, path
        params = library.c.llama_model_default_params()
        params.n_gpu_layers = 0
        params.load_mode = _MAPPED
        # Repacked weights of some formats (Q4_K) are added up otherwise by one row than by many.
        params.use_extra_bufts = False
        params.vocab_only = tokens_only
        self.pointer: Any = library.c.llama_model_load_from_file(os.fsencode(path), params)
        if self.pointer == library.ffi.NULL:
            raise ModelRefusedError(path.name, library.last_words() or "llama.cpp refuses it")
        try:
            if not tokens_only:
                self._check()
            self.vocabulary = GgufVocabulary(
                library, library.c.llama_model_get_vocab(self.pointer), file.metadata
            )
        except BaseException:
            self.close()
            raise
        self.trained_context: int = library.c.llama_model_n_ctx_train(self.pointer)

    @classmethod
    def open(
        cls,
        library: Library,
        path: Path,
        trial_s: float | None = 600,
        tokens_only: bool = False,
    ) -> "Model":
        """Load a file, once its head has been read and another process has run it.

        llama.cpp ends the process on some faults of a file; so a process of its own goes first.

        Args:
            trial_s: seconds that the other process may take; None: the file is known, and none is
                started.
            tokens_only: its vocabulary alone, for whoever runs the weights by other means.

        Raises:
            ModelRefusedError: it is no GGUF file, is torn, is a part of several, does not decode
                texts by attention alone, or llama.cpp cannot load and run it.
            OSError: it cannot be read.
        """
        file = read_gguf(path)
        parts = file.metadata.get("split.count", 0)
        if parts not in (0, 1):
            raise ModelRefusedError(path.name, f"it is one of {parts} parts; needed: one file")
        if trial_s is not None:
            _try(library, path, trial_s, tokens_only)
        return cls(library, path, file, tokens_only)

    def close(self) -> None:
        """Let go of the weights; contexts of it must be closed before."""
        if self.pointer is not None:
            self.library.c.llama_model_free(self.pointer)
            self.pointer = None

    def _check(self) -> None:
        c = self.library.c
        if (
            not c.llama_model_has_decoder(self.pointer)
            or c.llama_model_has_encoder(self.pointer)
            or c.llama_model_is_recurrent(self.pointer)
            or c.llama_model_is_hybrid(self.pointer)
            or c.llama_model_is_diffusion(self.pointer)
        ):
            raise ModelRefusedError(
                self.path.name, "it is not a decoder by attention alone, as engines need"
            )


def _try(library: Library, path: Path, seconds: float, tokens_only: bool) -> None:
    """Have another process load and run a file.

    Raises:
        ModelRefusedError: it cannot.
        EngineError: the process did not come to it.
    """
    command = [
        sys.executable, "-m", "tallystick.llm.engine.trial",
        library.release.package, str(library.folder), str(library.kernel), str(path),
        *(["tokens"] if tokens_only else []),
    ]  # fmt: skip
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            # Of all processes this one most needs to know no key: nobody knows the file yet.
            env=only("PATH", "PYTHONPATH", "LD_LIBRARY_PATH"),
        )
    except subprocess.TimeoutExpired:
        raise ModelRefusedError(
            path.name, f"llama.cpp had not run it after {seconds:g} s"
        ) from None
    if ended.returncode == 0:
        return
    said = (ended.stdout.strip() or ended.stderr.strip()).rpartition("\n")[2]
    if ended.returncode < 0:
        said = f"llama.cpp breaks down on it (signal {-ended.returncode})"
    elif ended.returncode != 1:
        raise EngineError(f"{path} was not tried: {said}")
    raise ModelRefusedError(path.name, said)
