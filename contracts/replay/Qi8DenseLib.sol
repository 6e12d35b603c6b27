// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {F32RneLib} from "./F32RneLib.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Qi8DotLib} from "./Qi8DotLib.sol";
import {Qi8StepLib, ROW_HEAD, Step} from "./Qi8StepLib.sol";

/// @dev A dense step. Every weight is used once, so its bytes are multiplied where they lie; the lanes are made of the
/// activations.
library Qi8DenseLib {
    using Qi8StepLib for Step;

    /// @dev Computes the outputs of one group from pointers to its inputs and to its rows.
    function dense(Step memory step, uint256 input, uint256 row, uint256 output) internal pure {
        // Fields have 16 bits.
        unchecked {
            (uint256 outputs, uint256 stride) = (step.groupSize(), ROW_HEAD + step.k);
            // In fours: the last may read on behind the rows, into sums that nobody takes.
            uint256 sums = MemoryLib.take((outputs + 3) * 0x20);
            MemoryLib.zero(sums, (outputs + 3) * 0x20);
            (uint256 lanes, uint256 end) = _spread(step, input);
            Qi8DotLib.dotRows(lanes, row + ROW_HEAD, stride, 4 * stride, step.k, sums, sums + outputs * 0x20, 0);
            uint256 less = step.zw;
            if (less > 0) less *= Qi8DotLib.sumOfLanes(lanes, end);
            F32RneLib.requantize(sums, less, row, stride, outputs, output, step.zy, step.lo, step.hi);
        }
    }

    function _spread(Step memory step, uint256 input) private pure returns (uint256 lanes, uint256 end) {
        unchecked {
            uint256 size = Qi8DotLib.blocksOf(step.k) * Qi8DotLib.LANES;
            lanes = MemoryLib.take(size);
            end = lanes + size;
            Qi8DotLib.spread(input, step.k, lanes);
        }
    }
}
