"""Install extras of pyproject.toml, and nothing else, as requirements.lock has them.

    .venv/bin/python tools/install.py ape demo node [--also PACKAGE]

uv says which packages the extras need on this machine; versions and hashes are the lock's alone,
and a package that the lock lacks is refused. Needs uv and setuptools in the environment, which
`make` puts there by pip.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
UV = [sys.executable, "-m", "uv", "pip"]
# Source-only packages are built with what the lock has, not with what an index has today.
HERE = ["--quiet", "--python", sys.executable, "--no-build-isolation"]


def surroundings() -> dict[str, str]:
    """Return uv's environment: with the system's certificates and pip's index, if it names none."""
    index = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
    ).stdout.strip()
    index = os.environ.get("PIP_INDEX_URL", index)
    return {"UV_SYSTEM_CERTS": "1", **({"UV_DEFAULT_INDEX": index} if index else {}), **os.environ}


def blocks(lock: str) -> dict[str, list[str]]:
    """Return the lock's entries, hashes included, by package; some have one for each Python."""
    found: dict[str, list[str]] = {}
    for block in re.findall(r"^[^\s#].*?[^\\]$", lock, re.MULTILINE | re.DOTALL):
        found.setdefault(re.split(r"[=;@ \[]", block, maxsplit=1)[0], []).append(block)
    return found


def needed(extras: Sequence[str], also: Sequence[str]) -> list[str]:
    """Return the packages that extras need on this machine, and packages beside them."""
    named = [part for extra in extras for part in ("--extra", extra)]
    listed = subprocess.run(
        [*UV, "compile", *HERE, "--no-annotate", "--no-header", "--constraint", str(LOCK), *named]
        + [str(ROOT / "pyproject.toml")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=surroundings(),
    ).stdout
    return [
        *(re.split(r"[=; \[]", line, maxsplit=1)[0] for line in listed.split("\n") if line),
        *also,
    ]


def chosen(lock: str, names: Sequence[str]) -> str:
    """Return the lock's entries of packages.

    Raises:
        SystemExit: the lock lacks one.
    """
    found = blocks(lock)
    if lacking := [name for name in names if name not in found]:
        raise SystemExit(f"requirements.lock lacks {', '.join(lacking)}; run `make lock`")
    return "\n".join(block for name in names for block in found[name]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*")
    parser.add_argument("--also", action="append", default=[])
    asked = parser.parse_args()

    subset = chosen(LOCK.read_text(), needed(asked.extras, asked.also))
    install = [*UV, "install", *HERE, "--no-deps"]
    subprocess.run(
        [*install, "--require-hashes", "-r", "-"],
        input=subset,
        text=True,
        check=True,
        env=surroundings(),
    )
    subprocess.run([*install, "--editable", str(ROOT)], check=True, env=surroundings())


if __name__ == "__main__":
    main()
