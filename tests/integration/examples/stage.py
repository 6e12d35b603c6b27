"""A chain, a folder, and what the variables of examples stand for."""

import json
from contextlib import ExitStack
from pathlib import Path
from string import Template
from typing import Any

from click.testing import CliRunner, Result

from tallystick.protocol.hexes import checksummed, to_hex
from tests.support.chain import Chain
from tests.support.commands import Line
from tests.support.story import Network


def word(number: int) -> str:
    return "0x" + number.to_bytes(32, "big").hex()


class Stage:
    """A chain, a folder, and what the variables of examples stand for."""

    def __init__(self, chain: Chain, network: Network, resolver: bytes, folder: Path) -> None:
        self.chain, self.network, self.resolver, self.folder = chain, network, resolver, folder
        self.url = str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
        self.account = 2
        self.stack = ExitStack()
        self.names = {
            "RPC": self.url,
            "CHAIN": str(chain.w3.eth.chain_id),
            "REGISTRY": checksummed(chain.registry.address),
            "NETWORK": to_hex(network.id),
            "MODEL": to_hex(network.model_id),
            "OPERATOR": checksummed(chain.accounts[2]),
            "KEY": checksummed(chain.accounts[6]),
            "EVIDENCE": word(2),
        }

    def run(self, text: str) -> Result:
        """Run a line as a shell would, with the stage's account; it must succeed."""
        line = Line.of(Template(text).substitute(self.names))
        group, words = line.root
        variables = {
            "TALLYSTICK_NETWORK": f"ethereum:local:{self.url}",
            "TALLYSTICK_ACCOUNT": f"TEST::{self.account}",
            "TALLYSTICK_PASSPHRASE": "member",
            **line.variables,
        }
        runner = CliRunner(mix_stderr=False, env=variables)
        result = runner.invoke(group, words, catch_exceptions=False)
        assert result.exit_code == 0, f"{text}: {result.stderr}"
        if line.output:
            Path(line.output).write_text(result.stdout)
        return result

    def json(self, text: str) -> Any:
        return json.loads(self.run(f"{text} --json").stdout)

    def lines(self, name: str, count: int = 10) -> None:
        rows = [{"input": f"0x{number:04x}", "output": "0x01"} for number in range(count)]
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def submit(self) -> None:
        self.lines("first.jsonl")
        done = self.json(
            "ape tallystick submit first.jsonl --network-id $NETWORK --model-id $MODEL"
        )
        self.names |= {"BATCH": done["batch_id"], "RECEIPTS": done["receipts"]}

    def wait(self, seconds: int) -> None:
        self.chain.at(self.chain.now + seconds).mine()
