"""A command whose extra is not installed says which in one line, and the rest works without it."""

import ast
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

import tallystick
from tallystick.extras import missing_extra

WITHOUT = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
from tallystick.cli.main import main
main({arguments!r})
"""
EXTRAS = {
    "ai_edge_litert", "ape", "cryptography", "duckdb", "fastapi", "httpx", "ibis", "msgspec",
    "numpy", "onnx", "onnxruntime", "prometheus_client", "pydantic_settings", "redis", "silverback",
    "sklearn", "starlette", "structlog", "taskiq", "tenacity", "tflite", "threadpoolctl",
    "uvicorn",
}  # fmt: skip


def run(blocked: set[str], *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = WITHOUT.format(blocked=blocked, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize(
    ("blocked", "arguments", "line"),
    [
        (
            "uvicorn",
            ["serve"],
            "uvicorn is not installed; needed: pip install 'tallystick[dashboard]'",
        ),
        (
            "fastapi",
            ["serve"],
            "fastapi is not installed; needed: pip install 'tallystick[dashboard]'",
        ),
        ("ibis", ["totals"], "ibis is not installed; needed: pip install 'tallystick[totals]'"),
        (
            "ibis",
            ["export", "public"],
            "ibis is not installed; needed: pip install 'tallystick[totals]'",
        ),
        (
            "msgspec",
            ["extract", "0x" + "11" * 20, "--rpc", "http://127.0.0.1:9"],
            "msgspec is not installed; needed: pip install 'tallystick[totals]'",
        ),
        (
            "httpx",
            ["probe", "endpoints.yaml", "--log", "log"],
            "httpx is not installed; needed: pip install 'tallystick[totals]'",
        ),
    ],
)
def test_command__extra_missing__one_line_names_it(
    blocked: str, arguments: list[str], line: str, tmp_path: Path
) -> None:
    (tmp_path / "data" / "manifest").mkdir(parents=True)
    (tmp_path / "data" / "manifest" / f"1-0x{'11' * 20}.json").write_text(
        '{"version": 1, "chain_id": 1, "address": "0x%s", "first_block": 0, "block_range": 9,'
        ' "parts": []}' % ("11" * 20)
    )
    (tmp_path / "endpoints.yaml").write_text(
        f"- {{network_id: '0x{'22' * 32}', operator: '0x{'33' * 20}', url: 'http://127.0.0.1:9',"
        f" chain_id: 1, core: '0x{'11' * 20}'}}\n"
    )

    done = run({blocked}, *arguments, cwd=tmp_path)

    assert done.stderr == f"error: {line}\n"
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["receipt", "--help"]])
def test_command__no_extra_installed__what_needs_none_works(
    arguments: list[str], tmp_path: Path
) -> None:
    done = run(EXTRAS, *arguments, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("module", "found"),
    [
        ("ape.cli", "ape is not installed; needed: pip install 'tallystick[ape]'"),
        ("sklearn", "sklearn is not installed; needed: pip install 'tallystick[demo]'"),
        ("onnx", "onnx is not installed; needed: pip install 'tallystick[replay]'"),
        ("silverback", "silverback is not installed; needed: pip install 'tallystick[node]'"),
        ("tallystick.nowhere", None),
        ("somebody_elses", "No module named 'somebody_elses'"),
    ],
)
def test_missing_extra__module__names_the_extra(module: str, found: str | None) -> None:
    error = ModuleNotFoundError(f"No module named {module!r}", name=module)

    assert missing_extra(error) == found


def test_missing_extra__no_name_in_the_error__says_what_the_error_says() -> None:
    assert missing_extra(ImportError("Install s3fs to access S3")) == "Install s3fs to access S3"


def test_imports__each_third_party_module__is_in_an_extra_or_needed_always() -> None:
    always = {line.split(";")[0] for line in requires("tallystick") or [] if "extra ==" not in line}
    names = {re.split(r"[^\w-]", one)[0] for one in always}
    bundled = {"pydantic_core", "eth_typing", "eth_hash", "yaml", "sha3", "starlette", "hexbytes"}
    bundled |= {"google", "taskiq"}
    known = {name.replace("-", "_") for name in names} | bundled | set(sys.stdlib_module_names)

    for path in Path(tallystick.__file__).parent.rglob("*.py"):
        for module in _imports(ast.parse(path.read_text())) - known - {"tallystick"}:
            line = missing_extra(ModuleNotFoundError("no", name=module))
            assert line is not None and "pip install" in line, f"{path} imports {module}"


def _imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found
