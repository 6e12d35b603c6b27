// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {F32RneLib} from "./F32RneLib.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Qi8DotLib} from "./Qi8DotLib.sol";
import {ROW_HEAD, Step} from "./Qi8StepLib.sol";

/// @dev A dense step. Every weight is used once, so its bytes are multiplied where they lie; the lanes are made of the
/// activations.
library Qi8DenseLib {
    /// @dev Computes the output from pointers to the input and to the step's rows.
    function dense(Step memory step, uint256 input, uint256 row, uint256 output) internal pure {
        // Fields have 16 bits.
        unchecked {
            (uint256 k, uint256 outputs) = (step.k, step.outC);
            uint256 blocks = Qi8DotLib.blocksOf(k);
            uint256 lanes = MemoryLib.take(blocks * Qi8DotLib.LANES);
            uint256 sums = MemoryLib.take(4 * 0x20);
            Qi8DotLib.spread(input, k, lanes, Qi8DotLib.LANES);
            uint256 less = step.zw * Qi8DotLib.sumOfLanes(lanes, blocks);
            for (uint256 o = 0; o < outputs; o += 4) {
                uint256 count = outputs - o;
                if (count >= 4) {
                    count = 4;
                    Qi8DotLib.dotFourRows(lanes, row + ROW_HEAD, ROW_HEAD + k, blocks, sums);
                } else {
                    _dotEach(lanes, row + ROW_HEAD, k, count, sums);
                }
                uint256 stride = ROW_HEAD + k;
                F32RneLib.requantize(sums, less, row, stride, count, output + o, step.zy, step.lo, step.hi);
                row += 4 * stride;
            }
        }
    }

    function _dotEach(uint256 lanes, uint256 weights, uint256 k, uint256 count, uint256 sums) private pure {
        unchecked {
            uint256 blocks = Qi8DotLib.blocksOf(k);
            for (uint256 i = 0; i < count; ++i) {
                uint256 sum = Qi8DotLib.dot(lanes, weights, blocks);
                assembly ("memory-safe") {
                    mstore(add(sums, shl(5, i)), sum)
                }
                weights += ROW_HEAD + k;
            }
        }
    }
}
