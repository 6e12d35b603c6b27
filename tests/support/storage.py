"""Words of the core's storage, to be set where the way there would take a lifetime of commits."""

from dataclasses import replace
from typing import Any

from web3 import Web3

from tallystick.keccak import keccak256
from tallystick.status import LaneStatus
from tallystick.words import address, uint
from tests.support.chain import Chain
from tests.support.story import Network

NETWORKS = 2
"""The slot of `_networks`, behind EIP712's two strings."""
LANES = 5
"""The offset of `lanes` in NetworkState: tally (2), owner, swept, models, lanes."""
COUNTER_BITS = 51


def tally_slot(network_id: bytes) -> int:
    """Return the first slot of a network's state: committed and the grades; losses follow."""
    return int.from_bytes(keccak256(network_id + uint(NETWORKS)), "big")


def lane_slot(network_id: bytes, operator: bytes) -> int:
    """Return the slot of a lane's word."""
    lanes = tally_slot(network_id) + LANES
    return int.from_bytes(keccak256(address(operator) + uint(lanes)), "big")


def read_word(chain: Chain, slot: int) -> int:
    """Return a storage word of the core."""
    core = Web3.to_checksum_address(chain.registry.address)
    return int.from_bytes(chain.w3.eth.get_storage_at(core, slot), "big")


def write_word(chain: Chain, slot: int, word: int) -> None:
    """Set a storage word of the core."""
    core = Web3.to_checksum_address(chain.registry.address)
    parameters = [core, hex(slot), "0x" + uint(word).hex()]
    answer = chain.w3.provider.make_request("anvil_setStorageAt", parameters)
    assert answer["result"] is True


def set_lane(chain: Chain, network: Network, operator: bytes, **fields: Any) -> LaneStatus:
    """Set fields of a lane, by name; return the lane as it then is."""
    slot = lane_slot(network.id, operator)
    lane = replace(network.lane(operator), **fields)
    before = network.lane(operator)
    assert packed(before) == read_word(chain, slot), "the layout is another"
    write_word(chain, slot, packed(lane))
    assert network.lane(operator) == lane
    return lane


def packed(lane: LaneStatus) -> int:
    """Return the lane's word."""
    flags = lane.admitted | lane.closed << 8
    return lane.stake | lane.open_inferences << 128 | lane.next_index << 176 | flags << 224


def set_counter(chain: Chain, network: Network, place: int, value: int) -> None:
    """Set a counter: 0 committed, 1 to 4 the grades, 5 rejected, 6 unresolved."""
    slot = tally_slot(network.id) + place // 5
    shift = COUNTER_BITS * (place % 5)
    word = read_word(chain, slot)
    mask = ((1 << COUNTER_BITS) - 1) << shift
    write_word(chain, slot, word & ~mask | value << shift)
