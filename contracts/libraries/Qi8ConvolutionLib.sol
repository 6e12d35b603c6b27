// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {F32RneLib} from "./F32RneLib.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Qi8DotLib} from "./Qi8DotLib.sol";
import {ROW_HEAD, Step} from "./Qi8StepLib.sol";
import {Plane, Qi8WindowLib} from "./Qi8WindowLib.sol";

/// @dev A convolution, grouped or not. Weights are used at every position, so the lanes are made of them; a position's
/// patch is laid out once for all rows of the group.
library Qi8ConvolutionLib {
    /// @dev Where the pieces lie in memory, for one group.
    struct Work {
        uint256 outputs; // rows of a group
        uint256 fours; // rows whose lanes lie in fours, the rest alone; the last of a four may be missing
        uint256 k;
        uint256 blocks;
        uint256 lanes;
        uint256 rows;
        uint256 entries;
        uint256 patch;
        uint256 floor; // of each chunk of a sum
        uint256 excess; // of each sum, from the floors
    }

    /// @dev Computes the output from pointers to the input and to the step's rows.
    function convolve(Step memory step, uint256 input, uint256 rows, uint256 output) internal pure {
        // Fields have 16 bits.
        unchecked {
            uint256 groups = step.groups;
            Plane memory plane = Qi8WindowLib.planeOf(step, input, groups, step.za);
            Work memory work = _workOf(step);
            for (uint256 group = 0; group < groups; ++group) {
                if (groups > 1) Qi8WindowLib.enter(step, input, plane, group);
                work.rows = rows;
                _spreadWeights(step, work);
                F32RneLib.prepare(work.entries, rows, ROW_HEAD + step.k, work.outputs, step.zy);
                _slide(step, work, plane, output);
                rows += work.outputs * (ROW_HEAD + step.k);
                output += work.outputs;
            }
        }
    }

    function _workOf(Step memory step) private pure returns (Work memory work) {
        unchecked {
            (uint256 k, uint256 outputs) = (step.k, step.outC / step.groups);
            uint256 blocks = Qi8DotLib.blocksOf(k);
            (work.outputs, work.fours) = (outputs, (outputs + 1) & ~uint256(3));
            (work.k, work.blocks) = (k, blocks);
            work.lanes = MemoryLib.take((outputs + 1) * blocks * Qi8DotLib.LANES);
            work.entries = MemoryLib.take((outputs + 1) * F32RneLib.ENTRY);
            work.patch = MemoryLib.take(k + 0x20);
            (work.floor, work.excess) = (Qi8DotLib.floorOf(step.zw), Qi8DotLib.excessOf(k, step.zw));
        }
    }

    /// @dev Makes the lanes of the group's weights.
    function _spreadWeights(Step memory step, Work memory work) private pure {
        unchecked {
            (uint256 k, uint256 size) = (step.k, work.blocks * Qi8DotLib.LANES);
            (uint256 weights, uint256 lanes, uint256 zero) = (work.rows + ROW_HEAD, work.lanes, step.zw);
            for (uint256 o = 0; o < work.outputs; ++o) {
                (uint256 to, uint256 apart) = (lanes + o * size, Qi8DotLib.LANES);
                if (o < work.fours) {
                    to = lanes + (o & ~uint256(3)) * size + (o & 3) * Qi8DotLib.LANES;
                    apart = 4 * Qi8DotLib.LANES;
                }
                Qi8DotLib.spread(weights, k, to, apart);
                if (zero > 0) Qi8DotLib.lower(to, k, apart, zero);
                weights += ROW_HEAD + k;
            }
        }
    }

    /// @dev Computes the group's outputs at every position.
    function _slide(Step memory step, Work memory work, Plane memory plane, uint256 output) private pure {
        unchecked {
            uint256 right = step.strideW * plane.channels;
            uint256 down = step.strideH * plane.rowSize;
            uint256 stride = ROW_HEAD + step.k;
            uint256 from = plane.start;
            for (uint256 y = 0; y < step.outH; ++y) {
                uint256 window = from;
                for (uint256 x = 0; x < step.outW; ++x) {
                    _copyPatch(window, plane.rowSize, work.patch, step.kW * plane.channels, step.k);
                    _dot(work);
                    F32RneLib.requantizeEntries(
                        work.entries,
                        work.excess,
                        work.rows,
                        stride,
                        work.outputs,
                        output,
                        step.zy,
                        step.lo,
                        step.hi
                    );
                    window += right;
                    output += step.outC;
                }
                from += down;
            }
        }
    }

    /// @dev Lays a window's rows of `length` bytes side by side, `k` bytes in all.
    function _copyPatch(uint256 from, uint256 rowSize, uint256 to, uint256 length, uint256 k) private pure {
        assembly ("memory-safe") {
            for { let end := add(to, k) } lt(to, end) { to := add(to, length) } {
                mcopy(to, from, length)
                from := add(from, rowSize)
            }
        }
    }

    /// @dev The sums of the group's rows at one position.
    function _dot(Work memory work) private pure {
        unchecked {
            (uint256 patch, uint256 k, uint256 entry, uint256 lanes) = (work.patch, work.k, work.entries, work.lanes);
            uint256 size = work.blocks * Qi8DotLib.LANES;
            uint256 end = lanes + work.fours * size;
            for (; lanes < end; lanes += 4 * size) {
                Qi8DotLib.dotFourLanes(lanes, patch, k, entry, work.floor);
                entry += 4 * F32RneLib.ENTRY;
            }
            for (end = work.lanes + work.outputs * size; lanes < end; lanes += size) {
                uint256 sum = Qi8DotLib.dot(lanes, patch, k, work.floor);
                assembly ("memory-safe") {
                    mstore(entry, sum)
                }
                entry += F32RneLib.ENTRY;
            }
        }
    }
}
