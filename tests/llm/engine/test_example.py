"""The example of the docs, as it stands: the self-test of AVX2 is a part of it."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.builds import ROOT


def test_example__of_the_docs__passes_its_self_test_and_goes_on(
    smollm2: Path, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "llm-engine.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / smollm2.name).symlink_to(smollm2)

    ended = subprocess.run(
        [sys.executable, "-c", example + "\nprint(len(ids), ids[0])"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert (ended.stdout, ended.stderr) == ("8 7042\n", "")
