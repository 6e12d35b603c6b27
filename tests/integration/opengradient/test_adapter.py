"""OpenGradient beside other networks: the audit's numbers, to the unit."""

from pathlib import Path

from tallystick.data.analysis import Analysis
from tallystick.networks import state
from tallystick.networks.adapter import Place
from tallystick.networks.follow import follow
from tallystick.networks.networks_file import ChainNodes, Followed, NetworksFile
from tallystick.networks.registered import adapter
from tallystick.networks.state import State
from tests.support.opengradient import OpenGradient, Tee


def followed(og: OpenGradient, root: Path, *kinds: str, **options: str | int) -> State:
    chain_id = og.chain.w3.eth.chain_id
    url: str = og.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    places = {
        "relay": Place(chain_id, og.relay_address, 0, "relay"),
        "registry": Place(chain_id, og.registry_address, 0, "registry"),
    }
    chosen = tuple(places[kind] for kind in kinds or places)
    one = Followed("opengradient", adapter("opengradient"), chosen, options)
    nodes = ChainNodes((url,), depth=0, block_range=16)
    (found,) = follow(root, NetworksFile({chain_id: nodes}, (one,)))
    return found


def test_follow__honest_lying_and_without_blob__as_the_audit_has_it(
    og: OpenGradient, tee: Tee, tmp_path: Path
) -> None:
    now = og.chain.now
    og.settle(tee.items(range(3), now))
    og.settle(tee.items(range(3, 5), now), claimed=2**200)
    og.batch(b"r" * 32, 7, b"A" * 43)
    og.individual(tee.item(9, now))

    found = followed(og, tmp_path, blobs=og.blobs.url)

    rows = list(state.reasons(state.findings(tmp_path, "opengradient")))
    assert not found.failures
    assert [(row["verdict"], row["count"]) for row in rows] == [
        ("enclave", 6),
        ("rejected", 2**40 - 2),
        ("unseen", 7),
    ]
    assert found.measures["claimed_exactly"] == 3 + 2**200 + 7 + 1
    assert found.measures["overclaimed"] == 2**200 - 2
    (total,) = Analysis(tmp_path).totals().to_pylist()
    assert total["verified"] == 6


def test_follow__without_blobs_or_registry__says_what_is_missing(
    og: OpenGradient, tmp_path: Path
) -> None:
    assert "option blobs is missing" in followed(og, tmp_path).failures[""]
    assert "of kind registry" in followed(og, tmp_path, "relay", blobs="x").failures[""]


def test_follow__heartbeat_lapsed__counts_and_is_told(
    og: OpenGradient, tee: Tee, tmp_path: Path
) -> None:
    registered = og.chain.now
    og.chain.at(registered + 4000)
    og.send(og.registry.functions.heartbeat(tee.id, registered + 4000))
    beat = og.chain.now
    og.chain.at(beat + 3000).mine()
    times = [registered + 1800, registered + 1900, beat - 1, beat + 1800, beat + 1801]
    og.settle([tee.item(number, time) for number, time in enumerate(times)])
    og.individual(tee.item(9, beat + 2900))

    found = followed(og, tmp_path, blobs=og.blobs.url)
    longer = followed(og, tmp_path, blobs=og.blobs.url, heartbeat_max_age=2900)

    assert found.measures["verified_without_heartbeat"] == 4
    assert longer.measures["verified_without_heartbeat"] == 1
    (row,) = state.reasons(state.findings(tmp_path, "opengradient"))
    assert (row["verdict"], row["count"]) == ("enclave", 6)
    wrong = followed(og, tmp_path, blobs=og.blobs.url, heartbeat_max_age="long")
    assert "heartbeat_max_age is 'long'" in wrong.failures[""]
