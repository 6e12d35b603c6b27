"""Convictions without a bond, and a demand nobody answers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tallystick.protocol.enums import Cause, State
from tallystick.protocol.inference import Inference
from tests.integration.conftest import Commands
from tests.support.chain import Chain
from tests.support.story import Network, keep

CHALLENGER = 4


def swapped(leaves: list[Inference]) -> list[Inference]:
    first, second, *rest = leaves
    return [replace(first, nonce=second.nonce), replace(second, nonce=first.nonce), *rest]


def late(leaves: list[Inference]) -> list[Inference]:
    return [*leaves[:-1], replace(leaves[-1], deadline=leaves[-1].deadline + 10**6)]


def unsigned_first(leaves: list[Inference]) -> list[Inference]:
    # Its nonce is no place of the lane: nobody can reveal it, but only a bond would show that.
    return [replace(leaves[0], nonce=1 << 40), *leaves[1:]]


def late_too(leaves: list[Inference]) -> list[Inference]:
    return late(swapped(leaves))


@pytest.mark.parametrize(
    ("shape", "cause"),
    [
        (swapped, Cause.ORDER),
        (late, Cause.DEADLINE),
        (unsigned_first, Cause.ORDER),
        (late_too, Cause.DEADLINE),
    ],
)
def test_fault__batch_with_a_fault__rejects_it(
    chain: Chain,
    commands: Commands,
    network: Network,
    operator: bytes,
    tmp_path: Path,
    shape: Callable[[list[Inference]], list[Inference]],
    cause: Cause,
) -> None:
    batch = network.commit(operator, shape=shape)
    keep(tmp_path, batch)

    commands.json("fault", "0x" + batch.id.hex(), "--store", tmp_path, account=CHALLENGER)

    found = chain.registry.archived(batch.id)
    assert (found.state, found.cause) == (State.REJECTED, cause)


def test_fault__repeated_nonce__rejects_the_later_batch(
    chain: Chain, commands: Commands, network: Network, operator: bytes, tmp_path: Path
) -> None:
    first = network.commit(operator, solicited=True)
    again: Any = lambda leaves: [replace(leaves[0], nonce=first.inferences[2].nonce)]  # noqa: E731
    second = network.commit(operator, slot=1, solicited=True, count=1, shape=again)
    keep(tmp_path, first)
    keep(tmp_path, second)

    commands.json("fault", "0x" + second.id.hex(), "--store", tmp_path, account=CHALLENGER)

    assert chain.registry.archived(second.id).cause is Cause.REPEAT
    assert first.status().state is State.OPEN


def test_fault__good_batch__says_that_there_is_none(
    chain: Chain, commands: Commands, network: Network, operator: bytes, tmp_path: Path
) -> None:
    batch = network.commit(operator)
    keep(tmp_path, batch)

    text = commands.error("fault", "0x" + batch.id.hex(), "--store", tmp_path, account=CHALLENGER)

    assert "no fault is to be seen" in text


def test_disprove__ruled_wrong__rejects(
    chain: Chain, commands: Commands, network: Network, operator: bytes, tmp_path: Path
) -> None:
    batch = network.commit(operator)
    keep(tmp_path, batch)
    evidence = "0x" + (2).to_bytes(32, "big").hex()

    commands.json(
        "disprove",
        "0x" + batch.id.hex(),
        *["--leaf", 3, "--store", tmp_path, "--evidence", evidence],
        account=CHALLENGER,
    )

    found = chain.registry.archived(batch.id)
    assert (found.cause, found.leaf_index) == (Cause.DISPROOF, 3)


def test_timeout__demand_unanswered__rejects(
    chain: Chain, commands: Commands, network: Network, operator: bytes
) -> None:
    batch = network.commit(operator)
    network.fund(chain.accounts[CHALLENGER])
    commands.json("demand", "0x" + batch.id.hex(), "--leaf", 1, account=CHALLENGER)
    chain.at(chain.now + network.rules.response_window + 1).mine()

    commands.json("timeout", "0x" + batch.id.hex(), account=CHALLENGER)

    assert chain.registry.archived(batch.id).cause is Cause.TIMEOUT
