"""Gonka: two nodes are asked; where they differ nothing is known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.networks import state
from tallystick.networks.follow import follow
from tallystick.networks.networks_file import Followed, NetworksFile
from tallystick.networks.registered import adapter
from tallystick.networks.state import State
from tests.support.gonka import GonkaNode, gonka_node, host

EPOCHS = {
    3: [host("alice", 100, valid=30, invalid=2, missed=5), host("bob", 10)],
    4: [host("alice", 7, valid=7)],
}


@pytest.fixture
def nodes() -> Iterator[list[GonkaNode]]:
    with gonka_node(dict(EPOCHS)) as first, gonka_node(dict(EPOCHS)) as second:
        yield [first, second]


class Gonka:
    """Follows nodes into a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, nodes: list[GonkaNode], **options: Any) -> State:
        options = {"nodes": [node.url for node in nodes], "first_epoch": 3} | options
        followed = Followed("gonka", adapter("gonka"), (), options)
        (found,) = follow(self.root, NetworksFile({}, (followed,)))
        return found

    def verdicts(self) -> dict[str, int]:
        rows = state.reasons(state.findings(self.root, "gonka"))
        return {row["verdict"]: row["count"] for row in rows}


@pytest.fixture
def gonka(tmp_path: Path) -> Gonka:
    return Gonka(tmp_path)


def test_follow__nodes_agree__validated_and_invalidated_apart(
    gonka: Gonka, nodes: list[GonkaNode]
) -> None:
    found = gonka.run(nodes)

    assert not found.failures
    assert gonka.verdicts() == {"chain-checked": 37, "unchecked": 78, "rejected": 2}
    assert found.last_blocks == {"0": 4}
    assert found.measures == {
        "participants": 2,
        "epochs": 2,
        "missed": 5,
        "validated_beyond_claims": 0,
    }


def test_follow__one_node_says_otherwise__its_participant_is_unseen(
    gonka: Gonka, nodes: list[GonkaNode]
) -> None:
    nodes[1].epochs[3] = [host("alice", 1000, valid=1000), host("bob", 10)]

    gonka.run(nodes)

    assert gonka.verdicts() == {"chain-checked": 7, "unchecked": 10, "unseen": 100}


def test_follow__participant_known_to_one_node_only__is_unseen(
    gonka: Gonka, nodes: list[GonkaNode]
) -> None:
    nodes[1].epochs[4] = [host("carol", 5)]

    gonka.run(nodes)

    assert gonka.verdicts()["unseen"] == 12


def test_follow__again__asks_for_the_newest_epoch_and_what_is_new(
    gonka: Gonka, nodes: list[GonkaNode]
) -> None:
    gonka.run(nodes)
    nodes[0].asked.clear()
    for node in nodes:
        node.epochs[4] = [host("alice", 8, valid=8)]
        node.epochs[5] = [host("bob", 1)]

    gonka.run(nodes)

    assert nodes[0].asked == [4, 5, 6]
    assert gonka.verdicts() == {"chain-checked": 38, "unchecked": 79, "rejected": 2}


def test_follow__more_validated_than_claimed__no_more_than_claimed_count(
    gonka: Gonka, nodes: list[GonkaNode]
) -> None:
    for node in nodes:
        node.epochs[3] = [host("alice", 10, valid=8, invalid=4)]

    found = gonka.run(nodes, last_epoch=3)

    assert gonka.verdicts() == {"chain-checked": 6, "rejected": 4}
    assert found.measures["validated_beyond_claims"] == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 500}, "127.0.0.1 answers with status 500"),
        ({"epochs": {3: [{"inference_count": "1"}]}}, "answers for epoch 3 with something else"),
        ({"epochs": {3: [host("a", -1)]}}, "answers for epoch 3 with something else"),
    ],
)
def test_follow__node_fails__is_one_line_and_counts_nothing(
    gonka: Gonka, nodes: list[GonkaNode], change: dict[str, Any], reason: str
) -> None:
    for name, value in change.items():
        setattr(nodes[1], name, value)

    found = gonka.run(nodes)

    assert reason in found.failures[""]
    assert gonka.verdicts() == {}


def test_follow__a_single_node__is_refused(gonka: Gonka, nodes: list[GonkaNode]) -> None:
    found = gonka.run(nodes[:1])

    assert found.failures[""].startswith("option nodes must name two nodes or more")
