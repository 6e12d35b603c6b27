"""Plays the story: `python -m tallystick.demo.language`; see telling for its variables."""

from pathlib import Path

from tallystick.demo import report
from tallystick.demo.language.story import MARGINS, SPECS, run
from tallystick.demo.telling import tell_story


def _serve(data: Path) -> str:
    return f"--data {data} --specs {data / SPECS} --margins {data / MARGINS}"


if __name__ == "__main__":
    tell_story(run, lambda rows: [report.table(rows)], _serve)
