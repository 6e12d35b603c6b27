"""Shell completion, by the lines of docs/deploying.md in a real bash."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"
LINES = re.findall(r"^    (.*_COMPLETE=(\w+)_source (\w+)\S* *.*?)  *#.*$", PAGE.read_text(), re.M)
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def source(shell: str, program: str) -> str:
    """The page's line for a shell and a program."""
    (line,) = [line for line, of, name in LINES if (of, name) == (shell, program)]
    return line


def run(script: str) -> str:
    """Run a script in a bash that has read nobody's settings."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script],
        env=os.environ | {"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def offered(*words: str) -> list[str]:
    """The words that bash offers for the last one, as it calls what `complete` has named."""
    program = words[0]
    given = " ".join(f"'{word}'" for word in words)
    return run(
        f"""
        {source("bash", program)}
        function=$(complete -p {program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        compopt() {{ :; }}  # allowed to bash alone, while it completes
        COMP_WORDS=({given}) COMP_CWORD={len(words) - 1}
        "$function" {program} '{words[-1]}' '{words[-2]}'
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """
    ).split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tallystick", "rec"], ["receipt", "reconcile"]),
        (["tallystick", "receipt", ""], ["check", "erc8510", "get"]),
        (["tallystick", "receipt", "get", "--no"], ["--node"]),
        (["tallystick", "tally", "--regis"], ["--registry"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bash__tallystick__offers_commands_and_options(
    words: list[str], expected: list[str]
) -> None:
    assert sorted(offered(*words)) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ape", "tallystick", "su"], ["submit"]),
        (["ape", "tallystick", "attest", "--grade", ""], ["audited", "enclave", "proven"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bash__ape_tallystick__offers_commands_and_values(
    words: list[str], expected: list[str]
) -> None:
    assert sorted(offered(*words)) == expected


@pytest.mark.parametrize(("shell", "says"), [("zsh", "#compdef"), ("fish", "complete --no-files")])
def test_other_shells__line_of_the_page__gives_their_script(shell: str, says: str) -> None:
    line = source(shell, "tallystick")
    inner = re.search(r"_TALLYSTICK_COMPLETE=\w+ tallystick", line)
    assert inner is not None

    assert says in run(inner.group())
