"""Builds that are not the pinned one are refused by name, before any of their code runs."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.library import FOLDER, Library, default_folder
from tallystick.llm.engine.release import PINNED, Kernel


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "bins"
    shutil.copytree(default_folder(), folder)
    yield folder
    shutil.rmtree(folder)


def test_open__libraries__have_the_hashes_of_an_exact_spec(library: Library) -> None:
    names = ("libllama.v0.5.0.so", "libggml.v0.5.0.so", "libggml-base.so", "libggml-cpu-haswell.so")

    assert library.sha256 == tuple(
        hashlib.sha256((default_folder() / name).read_bytes()).digest() for name in names
    )


@pytest.mark.parametrize("name", PINNED.files(Kernel.AVX2))
def test_open__one_byte_changed__is_refused_before_it_is_loaded(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[0] ^= 1  # no loader would take it
    (copy / name).write_bytes(content)

    with pytest.raises(EngineError, match=f"{name} is not the one of npm @node-llama-cpp"):
        Library(copy, Kernel.AVX2, PINNED)


def test_open__file_missing__says_what_it_comes_with(copy: Path) -> None:
    (copy / PINNED.ggml_base).unlink()

    with pytest.raises(EngineError, match="No such file.*comes with npm @node-llama-cpp"):
        Library(copy, Kernel.AVX2, PINNED)


@pytest.mark.parametrize("field", ["llama_version", "ggml_version", "ggml_commit"])
def test_open__another_release__is_refused_by_name(library: Library, field: str) -> None:
    other = replace(PINNED, **{field: "9.9.9"})

    with pytest.raises(EngineError, match=r"has llama.cpp 0.5.0-dev, ggml 0.25.1 \(0ad4a86\)"):
        Library(library.folder, Kernel.AVX2, other)


def test_open__declarations_of_another_release__are_noticed(library: Library) -> None:
    other = replace(PINNED, later_fields="void * unused;")

    with pytest.raises(EngineError, match="offload_kqv is False by default, not True"):
        Library(library.folder, Kernel.AVX2, other)


def test_default_folder__setting__comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, "/opt/llama")

    assert default_folder() == Path("/opt/llama")


def test_default_folder__nowhere__says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setattr("tallystick.llm.engine.library._IN_PACKAGE", tmp_path / "none")

    with pytest.raises(EngineError, match=r"npm install @node-llama-cpp/linux-x64@3.22.1") as told:
        default_folder()
    assert "\n" not in str(told.value)
