"""One command, stand-ins of all seven networks, one of their chains gone: the table by hand, and
each lie by its name.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.networks.state import findings, reasons
from tallystick.networks.state import read as read_state
from tallystick.protocol.hexes import checksummed
from tests.integration.networks.conftest import CHAIN_ID, url_of
from tests.integration.networks.test_arbius import Arbius
from tests.integration.networks.test_erc8004 import HASH, VALIDATOR
from tests.integration.networks.test_follow_commands import Console
from tests.integration.networks.test_olas import ALICE, MECH, ids
from tests.integration.networks.test_ritual import Ritual, output
from tests.integration.networks.test_zero_g import STRANGER, ZeroG
from tests.support.chain import Chain
from tests.support.faulty_rpc import faulty_rpc
from tests.support.gonka import gonka_node, host
from tests.support.opengradient import OpenGradient, Tee, blob_server
from tests.support.standins import Standin

COLUMNS = ("unit", "claimed", "verified", "chain-checked", "opinion", "rejected", "unseen")
TABLE = {
    "0g": ("settlement", 3, 2, 0, 0, 1, 0),
    "ritual": ("LLM call", 2, 0, 1, 0, 1, 0),
    "arbius": ("task", 3, 0, 1, 0, 1, 0),
    "olas": ("request", 2, 0, 0, 0, 0, 1),
    "erc8004": ("opinion", 2, 0, 0, 1, 0, 0),
    "morpheus": ("session", 1, 0, 0, 0, 0, 0),
    "gonka": ("inference", 10, 0, 6, 0, 1, 0),
    "opengradient": ("inference", 17, 6, 0, 0, 4, 7),
    "dria": ("response", 0, 0, 0, 0, 0, 0),
}
"""By hand, from what the stage does."""
LIES = {
    "0g": {("rejected", "not signed by the acknowledged key"): 1},
    "ritual": {("rejected", "settled with an executor's error"): 1},
    "arbius": {("rejected", "contested and lost"): 1},
    "olas": {("unseen", "no request of it was found"): 1},
    "erc8004": {("unchecked", "no response"): 1},
    "gonka": {("rejected", "invalidated by other hosts"): 1},
    "opengradient": {
        ("rejected", "claimed beyond the items that hold"): 4,
        ("unseen", "its blob was missing or could not be read"): 7,
    },
}
"""What each network's stand-in tells that isn't so, or that nobody can see, and how often."""


def at(contract: Standin, chain_id: int = CHAIN_ID) -> dict[str, object]:
    return {"places": [{"chain": chain_id, "address": "0x" + contract.address.hex()}]}


@pytest.fixture
def og(chain: Chain) -> Iterator[OpenGradient]:
    with blob_server() as blobs:
        yield OpenGradient.deployed(chain, blobs)


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(tmp_path)


def test_follow__all_networks__the_table_is_right_to_the_unit_and_lies_are_named(
    chain: Chain, console: Console, og: OpenGradient
) -> None:
    zero_g = ZeroG(Standin(chain, "ZeroG"))
    zero_g.acknowledge()
    zero_g.settle(zero_g.entry(), zero_g.entry(form=1), zero_g.entry(STRANGER))
    ritual = Ritual(chain, Standin(chain, "Ritual"))
    ritual.answer(output(False))
    ritual.answer(output(True))
    arbius = Arbius(Standin(chain, "Arbius"))
    arbius.contract.send("initialize", 5)
    arbius.finish(arbius.contest(True))
    arbius.finish(arbius.contest(False))
    arbius.solve()
    olas = Standin(chain, "Olas")
    olas.send("request", MECH, ALICE, ids(1), [b"a"])
    olas.send("deliver", MECH, [ALICE, ALICE], 2, ids(1, 2), [True, True])
    validation = Standin(chain, "Validation")
    for agent in (1, 2):
        validation.send("validationRequest", VALIDATOR, agent, "", HASH)
    validation.send("respond", VALIDATOR, 1, HASH, 100)
    claims = Standin(chain, "Claims")
    claims.send("claim", 1)
    tee = Tee()
    og.register(tee)
    now = chain.now
    og.settle(tee.items(range(3), now))
    og.settle(tee.items(range(3, 5), now), claimed=6)
    og.individual(tee.item(9, now))
    og.batch(b"r" * 32, 7, b"A" * 43)
    epochs = {3: [host("alice", 10, valid=6, invalid=1)]}
    with (
        faulty_rpc(url_of(chain), ritual.bend) as proxy,
        gonka_node(epochs) as one,
        gonka_node(epochs) as other,
    ):
        console.write(
            {
                CHAIN_ID: {"rpc": [proxy.url], "depth": 0, "block_range": 16},
                8453: {"rpc": ["http://127.0.0.1:1"], "depth": 0},
            },
            {
                "0g": at(zero_g.contract),
                "ritual": at(ritual.contract),
                "arbius": at(arbius.contract),
                "olas": at(olas),
                "erc8004": {"places": [{"chain": CHAIN_ID, "address": "any"}]},
                "morpheus": at(claims),
                "gonka": {"options": {"nodes": [one.url, other.url], "first_epoch": 3}},
                "dria": None,
                "opengradient": {
                    "places": [
                        {"chain": CHAIN_ID, "address": checksummed(address), "kind": kind}
                        for kind, address in (
                            ("relay", og.relay_address),
                            ("registry", og.registry_address),
                        )
                    ],
                    "options": {"blobs": og.blobs.url},
                },
            },
        )

        done = console.follow()
        again = console.follow()

    assert (done.exit_code, done.stdout) == (1, again.stdout)
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: dria: chain 8453: 127.0.0.1:1 does not answer")
    rows = {row["name"]: row for row in json.loads(console.run("networks", "--json").stdout)}
    assert {name: tuple(rows[name][column] for column in COLUMNS) for name in TABLE} == TABLE
    for name, lies in LIES.items():
        found = {
            (row["verdict"], row["reason"]): row["count"]
            for row in reasons(findings(console.data, name))
        }
        assert lies.items() <= found.items(), name
        bad = {key for key in found if key[0] in ("rejected", "unseen")}
        assert bad == {key for key in lies if key[0] != "unchecked"}, name
    told = read_state(console.data, "opengradient")
    assert told is not None
    assert (told.measures["overclaimed"], told.measures["settlements"]) == (4, 4)
