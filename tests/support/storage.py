"""Words of the registry's storage, set where the way there would take a lifetime of commits."""

from dataclasses import replace
from typing import Any

from web3 import Web3

from tallystick.protocol.abi_words import uint
from tallystick.protocol.status import LaneStatus
from tests.support.chain import Chain
from tests.support.layout import BITS, counts_slot, lane_slot, lane_word
from tests.support.story import Network


def read_word(chain: Chain, slot: int) -> int:
    """Return a storage word of the registry."""
    address = Web3.to_checksum_address(chain.registry.address)
    return int.from_bytes(chain.w3.eth.get_storage_at(address, slot), "big")


def write_word(chain: Chain, slot: int, word: int) -> None:
    """Set a storage word of the registry."""
    address = Web3.to_checksum_address(chain.registry.address)
    parameters = [address, hex(slot), "0x" + uint(word).hex()]
    answer = chain.w3.provider.make_request("anvil_setStorageAt", parameters)
    assert answer["result"] is True


def set_lane(chain: Chain, network: Network, operator: bytes, **fields: Any) -> LaneStatus:
    """Set fields of a lane, by name; return the lane as it then is."""
    slot, before = lane_slot(network.id, operator), network.lane(operator)
    assert packed(before) == read_word(chain, slot), "the layout is another"
    lane = replace(before, **fields)
    write_word(chain, slot, packed(lane))
    assert network.lane(operator) == lane
    return lane


def packed(lane: LaneStatus) -> int:
    """Return the lane's word."""
    return lane_word(lane.stake, lane.open_inferences, lane.next_index, lane.admitted, lane.closed)


def set_counter(chain: Chain, network: Network, place: int, value: int) -> None:
    """Set a counter: 0 committed, 1 to 4 the grades, 5 rejected, 6 unresolved."""
    slot = counts_slot(network.id) + place // 5
    shift = BITS * (place % 5)
    word = read_word(chain, slot)
    mask = ((1 << BITS) - 1) << shift
    write_word(chain, slot, word & ~mask | value << shift)
