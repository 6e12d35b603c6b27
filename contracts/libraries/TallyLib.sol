// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Outcome, Totals} from "../interfaces/Types.sol";

/// @dev A network's counters in two words, 48 bits a counter, lowest first.
/// counts: committed | unchallenged | audited | enclave | proven. losses: rejected | unresolved | burned (160 bits).
/// A commit adds at most 2^20 inferences, so a counter holds 2^28 full batches: at a block's whole gas a batch this is
/// out of reach, and additions need no check. Burned amounts are bounded by what was staked, below 2^128 a lane.
struct Tally {
    uint256 counts;
    uint256 losses;
}

library TallyLib {
    uint256 private constant BITS = 48;
    uint256 private constant MASK = (1 << BITS) - 1;
    uint256 private constant BURNED_SHIFT = 2 * BITS;

    /// @dev `committed` inferences newly committed and `count` final with `outcome`; one word written, two if unresolved.
    function add(Tally storage tally, uint256 committed, Outcome outcome, uint256 count) internal {
        uint256 place = uint256(outcome);
        unchecked {
            if (place < uint256(Outcome.Unresolved)) {
                tally.counts += committed + (count << BITS * (1 + place));
            } else {
                tally.losses += count << BITS;
                if (committed > 0) tally.counts += committed;
            }
        }
    }

    /// @dev `rejected` inferences, and `burned` units of the asset.
    function addLosses(Tally storage tally, uint256 rejected, uint256 burned) internal {
        tally.losses += rejected + (burned << BURNED_SHIFT);
    }

    function burnedOf(Tally storage tally) internal view returns (uint256) {
        return tally.losses >> BURNED_SHIFT;
    }

    function read(Tally storage tally) internal view returns (Totals memory) {
        (uint256 counts, uint256 losses) = (tally.counts, tally.losses);
        return Totals({
            committed: counts & MASK,
            unchallenged: counts >> BITS & MASK,
            audited: counts >> 2 * BITS & MASK,
            enclave: counts >> 3 * BITS & MASK,
            proven: counts >> 4 * BITS & MASK,
            rejected: losses & MASK,
            unresolved: losses >> BITS & MASK,
            burned: losses >> BURNED_SHIFT
        });
    }
}
