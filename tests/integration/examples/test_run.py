"""The example of each command's help, run as it stands against a chain.

Those of nodes and `serve` run on: test_processes.py starts them. That of the demo is test_demo.py.
Those of `tallystick llm` need a language model: tests/llm has one; of `zk` a prover: tests/zk.
"""

import pytest

from tests.integration.examples.prepare import PREPARE
from tests.integration.examples.stage import Stage
from tests.integration.examples.test_processes import PROCESSES
from tests.support.commands import Named, every_command

ELSEWHERE = {*PROCESSES, "ape tallystick demo"}
APART = ("tallystick llm", "tallystick zk")
RUN = [
    one for one in every_command() if one.name not in ELSEWHERE and not one.name.startswith(APART)
]


@pytest.mark.parametrize("named", RUN, ids=lambda named: named.name)
def test_example__run_as_it_stands__succeeds(named: Named, stage: Stage) -> None:
    stage.submit()
    PREPARE.get(named.name, lambda _: None)(stage)

    example = named.example
    if named.name in ("tallystick", "ape tallystick"):
        example = example.replace("http://127.0.0.1:8545", stage.url)
    result = stage.run(example)

    assert "error" not in result.stderr
