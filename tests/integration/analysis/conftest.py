"""A data folder of a story on a real chain, read by the console's own commands."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.chain.localnet import localnet
from tallystick.cli.main import main
from tallystick.protocol.hexes import to_hex
from tests.support.chain import Chain
from tests.support.story import RULES, Network, keep, register

GENESIS = 1_800_000_000
OPERATORS = (2, 3)


class Console:
    """The `tallystick` command, run in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *args: object) -> Result:
        return CliRunner(mix_stderr=False).invoke(main, [str(arg) for arg in args])

    def json(self, *args: object, data: bool = True) -> Any:
        """Run with --json on the data folder; must succeed."""
        place = ["--data", self.folder] if data else []
        result = self.run(*args, *place, "--json")
        assert result.exit_code == 0, f"{args}: {result.stderr} {result.exception!r}"
        return json.loads(result.stdout)

    def error(self, *args: object) -> str:
        """Run, expect failure, and return the one line that says why."""
        result = self.run(*args, "--data", self.folder)
        assert result.exit_code == 1, (result.stdout, result.stderr, result.exception)
        lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        (line,) = lines
        return line.removeprefix("error: ")


class Story:
    """Two networks, two operators: unchallenged, audited, rejected, unresolved and open batches."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self.chain, self.folder = chain, folder
        resolver = bytes.fromhex(chain.deploy("MockResolver").address[2:])
        owner = chain.accounts[1]
        attestors = (resolver, bytes(20), bytes(20))
        self.first = register(chain, owner, RULES, arbiter=resolver, attestors=attestors)
        self.second = register(chain, owner, RULES, salt=7, stake_per_inference=0, demand_bond=0)
        self._play(chain)

    @property
    def registry(self) -> str:
        return to_hex(self.chain.registry.address)

    @property
    def url(self) -> str:
        return str(self.chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]

    @property
    def networks(self) -> tuple[Network, Network]:
        return self.first, self.second

    @property
    def store(self) -> Path:
        return self.folder / "batches"

    def _play(self, chain: Chain) -> None:
        one, two = (chain.accounts[place] for place in OPERATORS)
        challenger = chain.accounts[5]
        self.first.join(one)
        self.first.join(two)
        self.second.fund(one)
        self.first.fund(challenger)
        accept = (1).to_bytes(32, "big")
        audited = self.first.commit(one, count=6, solicited=True)
        chain.send(challenger, "attest", audited.batch.abi(), audited.stamp.pack(), 1, accept)
        unchallenged = self.first.commit(one, count=3, slot=1)
        wrong = self.first.commit(two, count=4)
        reject = (2).to_bytes(32, "big")
        chain.send(challenger, "disprove", wrong.pre_image(), wrong.opening(2), reject)
        other = self.second.commit(one, count=5)
        for batch in (audited, unchallenged, other):
            keep(self.store, batch)
        chain.at(audited.closes_at + 3700).mine()
        chain.send(one, "finalize", [unchallenged.ref], self.first.id, one)
        # Final by being taken over.
        self.first.commit(one, count=2, slot=0, over=audited)
        chain.at(chain.now + 86_400).mine()
        chain.send(one, "finalize", [other.ref], self.second.id, one)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with localnet(timestamp=GENESIS) as w3:
        yield Story(Chain(w3), tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="session")
def console(story: Story) -> Console:
    """With events, gas and inferences of the story in its data folder."""
    console = Console(story.folder / "data")
    options = ["--rpc", story.url, "--depth", "0", "--range", "7", "--gas"]
    assert console.json("extract", story.registry, *options)["events"] == 19
    console.json("collect", story.store)
    return console
