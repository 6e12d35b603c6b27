"""tallystick llm: ask language models, and check their answers."""

import click

from tallystick.cli.command import LazyGroup

COMMANDS = {
    "calibrate": "tallystick.cli.llm.calibrate:calibrate",
}
"""Commands, and where they are."""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    example="tallystick llm calibrate model.gguf --spec spec.txt --prompts prompts.txt",
)
def llm() -> None:
    """Ask language models, keep receipts, and check answers."""
