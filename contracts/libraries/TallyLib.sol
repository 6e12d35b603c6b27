// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ITallystickErrors} from "../interfaces/ITallystickErrors.sol";
import {Outcome, Totals} from "../interfaces/Types.sol";

/// @dev A network's counters in two words, 51 bits a counter, lowest first.
/// counts: committed | unchallenged | audited | enclave | proven. losses: rejected | unresolved | burned (154 bits).
/// A commit checks that `committed` stays within its field. Every inference that leaves open was committed before, so
/// that no other counter passes it: outcomes and open inferences add up to committed. Burned: what inferences lose is
/// below 2^51 times a stake below 2^96; half a bond a ruling, below 2^95, would take 2^58 rulings to fill the field, and
/// then the checked addition reverts.
struct Tally {
    uint256 counts;
    uint256 losses;
}

library TallyLib {
    uint256 private constant BITS = 51;
    uint256 private constant MASK = (1 << BITS) - 1;
    uint256 private constant BURNED_SHIFT = 2 * BITS;

    /// @dev `committed` inferences are newly committed, and `count`, committed before, final with `outcome`.
    function commit(Tally storage tally, bytes32 networkId, uint256 committed, Outcome outcome, uint256 count)
        internal
    {
        (uint256 counts, uint256 place) = (tally.counts, uint256(outcome));
        unchecked {
            uint256 before = counts & MASK;
            require(committed <= MASK - before, ITallystickErrors.NetworkFull(networkId, before, MASK));
            if (place < uint256(Outcome.Unresolved)) counts += count << BITS * (1 + place);
            else tally.losses += count << BITS;
            tally.counts = counts + committed;
        }
    }

    /// @dev `count` inferences, committed before, are final with `outcome`.
    function finalize(Tally storage tally, Outcome outcome, uint256 count) internal {
        uint256 place = uint256(outcome);
        unchecked {
            if (place < uint256(Outcome.Unresolved)) tally.counts += count << BITS * (1 + place);
            else tally.losses += count << BITS;
        }
    }

    /// @dev `rejected` inferences, and `burned` units of the asset, below 2^154.
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
