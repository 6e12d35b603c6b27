"""Self-tests of builds and kernels that need a process of their own."""

import subprocess
import sys
from pathlib import Path

from tallystick.llm.engine.release import Kernel, Release

_PROGRAM = """
import sys
from pathlib import Path
from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.release import PINNED, SECOND, Kernel
from tallystick.llm.engine.self_test import logits_hash

package, folder, kernel, path, ids = sys.argv[1:]
release = next(one for one in (PINNED, SECOND) if one.package == package)
library = Library.open(Kernel(kernel), Path(folder), release)
with Model.open(library, Path(path), trial_s=None) as model:
    print(logits_hash(model, int(ids)).hex())
"""


def hash_elsewhere(release: Release, folder: Path, kernel: Kernel, model: Path, ids: int) -> str:
    """What another process says that a model's logits hash to, in hex."""
    arguments = [release.package, str(folder), str(kernel), str(model), str(ids)]
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()
