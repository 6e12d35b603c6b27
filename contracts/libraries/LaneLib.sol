// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Lane} from "../interfaces/Types.sol";

/// @dev What a lane's stake backs.
library LaneLib {
    // Assembly reads and writes the word once where updates of its fields do so twice: about 140 gas an action.
    // Bits: stake 0-127, openInferences 128-175, nextIndex 176-223.

    /// @dev Most inferences that a lane may have open.
    uint256 internal constant MAX_OPEN = type(uint48).max;

    /// @dev A batch of `count` is committed, and one of `finalizedCount`, counted at its own commit, is final.
    /// The caller checks that open inferences stay within MAX_OPEN, and the index within MAX_INDEX.
    function advance(Lane storage lane, uint256 count, uint256 finalizedCount) internal {
        assembly ("memory-safe") {
            let change := add(shl(176, 1), shl(128, sub(count, finalizedCount)))
            sstore(lane.slot, add(sload(lane.slot), change))
        }
    }

    /// @dev A batch of `count` is rejected, and `slash` of the stake with it, or what there is: a revert would make the
    /// batch unrejectable. Returns what the stake lost. (Stake covers what is open, so that nothing should be missing.)
    function forfeit(Lane storage lane, uint256 count, uint256 slash) internal returns (uint256 forfeited) {
        assembly ("memory-safe") {
            let word := sload(lane.slot)
            let stake := and(word, 0xffffffffffffffffffffffffffffffff)
            let open := and(shr(128, word), 0xffffffffffff)
            forfeited := xor(slash, mul(xor(slash, stake), lt(stake, slash)))
            count := xor(count, mul(xor(count, open), lt(open, count)))
            sstore(lane.slot, sub(word, add(forfeited, shl(128, count))))
        }
    }

    /// @dev `count` inferences of an open batch became final. No underflow: they were counted at commit.
    function release(Lane storage lane, uint256 count) internal {
        assembly ("memory-safe") {
            sstore(lane.slot, sub(sload(lane.slot), shl(128, count)))
        }
    }
}
