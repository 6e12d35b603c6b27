"""tallystick llm: ask language models, and check their answers."""

import click

from tallystick.cli.command import LazyGroup

COMMANDS = {
    "ask": "tallystick.cli.llm.ask:ask",
    "proxy": "tallystick.cli.llm.proxy:proxy",
    "check": "tallystick.cli.llm.check:check",
    "calibrate": "tallystick.cli.llm.calibrate:calibrate",
    "import": "tallystick.cli.llm.import_:import_llm",
}
"""Commands, and where they are."""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    example="tallystick llm check answers/$ANSWER.json",
)
def llm() -> None:
    """Ask language models, keep receipts, and check answers."""
