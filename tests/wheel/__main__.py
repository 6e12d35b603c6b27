"""Build the wheel, install it into an empty environment elsewhere, and play its story there.

python -m tests.wheel [PYTHON]        # such as python3.12; by default this one
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = [sys.executable, "-m", "uv"]
STORY = Path(__file__).parent / "story.py"


def main(python: str) -> None:
    # Below the home folder: what lies in the checkout could be found by accident.
    with tempfile.TemporaryDirectory(dir=Path.home(), prefix="tallystick-wheel-") as folder:
        place = Path(folder)
        run([*UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", folder, ROOT])
        (wheel,) = place.glob("*.whl")
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
        run([*UV, "venv", "--quiet", "--python", python, place / "venv"])
        install = [*UV, "pip", "install", "--quiet", "--python", place / "venv" / "bin" / "python"]
        run([*install, wheel, "--constraint", ROOT / "requirements.lock"])
        story(place, "without an extra")
        run([*install, f"{wheel}[totals]", "--constraint", ROOT / "requirements.lock"])
        story(place, "deploys, submits and tallies")


def story(place: Path, part: str) -> None:
    """Play a part of the story with the environment's own Python, and nothing of the checkout."""
    tools = [place / "venv" / "bin", ROOT / "tools" / "bin", *os.get_exec_path()]
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    environment = {**kept, "PATH": os.pathsep.join(map(str, tools))}
    command = [place / "venv" / "bin" / "python", "-I", STORY, part]
    subprocess.run(command, cwd=place, env=environment, check=True)


def run(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main(*sys.argv[1:] or [sys.executable])
