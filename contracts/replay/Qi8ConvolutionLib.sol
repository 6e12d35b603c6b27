// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {F32RneLib} from "./F32RneLib.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Qi8DenseLib} from "./Qi8DenseLib.sol";
import {Qi8DotLib} from "./Qi8DotLib.sol";
import {Qi8StepLib, ROW_HEAD, Step} from "./Qi8StepLib.sol";
import {Plane, Qi8WindowLib} from "./Qi8WindowLib.sol";

/// @dev A convolution, grouped or not. Weights are used at every position, so the lanes are made of them, and what they
/// are multiplied with, four at a time, are windows: four columns of windows line by line, or four windows of one line
/// or one column. Where there are fewer windows than kernels, each window is a dense step's input.
///
/// A window's bytes must lie side by side. Those of a kernel one line high do so in the plane. For others, what is under
/// a column of windows is copied to a strip, line by line: there the next window down begins a stride further on, so
/// that lines which windows share are copied once.
library Qi8ConvolutionLib {
    using Qi8StepLib for Step;

    /// @dev Windows to a multiplication.
    uint256 private constant FOUR = 4;

    /// @dev Where the pieces lie in memory, for one group.
    struct Work {
        uint256 outputs; // kernels of a group
        uint256 rows;
        uint256 lanes;
        uint256 lanesSize; // of a kernel
        uint256 strips;
        uint256 right; // bytes from a window to the next on the right: a strip's
        uint256 down; // bytes from a window to the next below
        uint256 sums;
        uint256 floor; // of each chunk of a sum
        uint256 excess; // of each sum, from the floors
    }

    /// @dev Computes the output from pointers to the input and to the step's rows.
    function convolve(Step memory step, uint256 input, uint256 rows, uint256 output) internal pure {
        // Fields have 16 bits.
        unchecked {
            (uint256 groups, uint256 outputs) = (step.groups, step.groupSize());
            Plane memory plane = Qi8WindowLib.planeOf(step, input, groups, step.za);
            bool byKernel = step.outH * step.outW >= outputs;
            // Memory only where it is used: what lies behind it would cost more.
            // slither-disable-next-line uninitialized-local
            Work memory work;
            if (byKernel) work = _workOf(step, plane, outputs);
            for (uint256 group = 0; group < groups; ++group) {
                if (groups > 1) Qi8WindowLib.enter(step, input, plane, group);
                work.rows = rows;
                if (byKernel) _slide(step, plane, work, output);
                else _eachWindow(step, plane, rows, output);
                rows += outputs * (ROW_HEAD + step.k);
                output += outputs;
            }
        }
    }

    /// @dev Computes a group's outputs window by window.
    function _eachWindow(Step memory step, Plane memory plane, uint256 rows, uint256 output) private pure {
        unchecked {
            uint256 from = plane.start;
            for (uint256 y = 0; y < step.outH; ++y) {
                uint256 window = from;
                for (uint256 x = 0; x < step.outW; ++x) {
                    uint256 mark = MemoryLib.mark();
                    uint256 patch = MemoryLib.take(step.k);
                    _stack(window, plane.rowSize, patch, step.kW * plane.channels, step.k);
                    Qi8DenseLib.dense(step, patch, rows, output);
                    MemoryLib.giveBack(mark);
                    window += step.strideW * plane.channels;
                    output += step.outC;
                }
                from += step.strideH * plane.rowSize;
            }
        }
    }

    /// @dev Takes the memory for any group, and measures the distances.
    function _workOf(Step memory step, Plane memory plane, uint256 outputs) private pure returns (Work memory work) {
        unchecked {
            (uint256 outH, uint256 outW) = (step.outH, step.outW);
            work.outputs = outputs;
            work.lanesSize = Qi8DotLib.blocksOf(step.k) * Qi8DotLib.LANES;
            work.lanes = MemoryLib.take(outputs * work.lanesSize);
            (work.floor, work.excess) = (Qi8DotLib.floorOf(step.zw), Qi8DotLib.excessOf(step.k, step.zw));
            // The last four of a line or a column may have up to three sums that nobody takes.
            work.sums = MemoryLib.take((FOUR * outH + outW + 3) * 0x20);
            if (step.kH == 1) {
                // One column has nothing to its right; a four of its windows must not reach for it across any stride.
                work.right = outW == 1 ? 0 : step.strideW * plane.channels;
                work.down = step.strideH * plane.rowSize;
            } else {
                uint256 length = step.kW * plane.channels;
                work.right = ((outH - 1) * step.strideH + step.kH) * length;
                work.down = step.strideH * length;
                work.strips = MemoryLib.take((outH < FOUR ? outW : FOUR) * work.right);
            }
        }
    }

    /// @dev Computes a group's outputs for a few columns at a time, and in them kernel by kernel.
    function _slide(Step memory step, Plane memory plane, Work memory work, uint256 output) private pure {
        unchecked {
            _spreadWeights(step, work);
            (uint256 window, uint256 line) = (plane.start, step.outW * step.outC);
            (uint256 right, uint256 down) = (work.right, work.down);
            if (step.outH < FOUR) {
                uint256 from = _lay(step, plane, work, window, step.outW);
                for (uint256 y = 0; y < step.outH; ++y) {
                    _multiply(step, work, from, right, FOUR * right, 1, step.outW, output, step.outC);
                    from += down;
                    output += line;
                }
                return;
            }
            uint256 columns = step.outW;
            for (; columns >= FOUR; columns -= FOUR) {
                uint256 from = _lay(step, plane, work, window, FOUR);
                _multiply(step, work, from, right, down, FOUR, step.outH, output, line);
                window += FOUR * step.strideW * plane.channels;
                output += FOUR * step.outC;
            }
            for (; columns > 0; --columns) {
                uint256 from = _lay(step, plane, work, window, 1);
                _multiply(step, work, from, down, FOUR * down, 1, step.outH, output, line);
                window += step.strideW * plane.channels;
                output += step.outC;
            }
        }
    }

    /// @dev Makes the lanes of the group's weights.
    function _spreadWeights(Step memory step, Work memory work) private pure {
        unchecked {
            (uint256 k, uint256 lanes, uint256 zero) = (step.k, work.lanes, step.zw);
            uint256 weights = work.rows + ROW_HEAD;
            for (uint256 o = 0; o < work.outputs; ++o) {
                Qi8DotLib.spread(weights, k, lanes);
                if (zero > 0) Qi8DotLib.lower(lanes, k, zero);
                weights += ROW_HEAD + k;
                lanes += work.lanesSize;
            }
        }
    }

    /// @dev Sees to it that each of some columns' windows has its bytes side by side; returns where the first one lies.
    function _lay(Step memory step, Plane memory plane, Work memory work, uint256 window, uint256 columns)
        private
        pure
        returns (uint256)
    {
        unchecked {
            if (step.kH == 1) return window;
            (uint256 length, uint256 size) = (step.kW * plane.channels, work.right);
            (uint256 to, uint256 apart) = (work.strips, step.strideW * plane.channels);
            for (; columns >= FOUR; columns -= FOUR) {
                _stackFour(window, plane.rowSize, apart, to, length, size);
                window += FOUR * apart;
                to += FOUR * size;
            }
            for (; columns > 0; --columns) {
                _stack(window, plane.rowSize, to, length, size);
                window += apart;
                to += size;
            }
            return work.strips;
        }
    }

    /// @dev Copies pieces of `length` bytes, `rowSize` from one to the next, to lie side by side, `size` bytes in all.
    function _stack(uint256 from, uint256 rowSize, uint256 to, uint256 length, uint256 size) private pure {
        assembly ("memory-safe") {
            for { let end := add(to, size) } lt(to, end) { to := add(to, length) } {
                mcopy(to, from, length)
                from := add(from, rowSize)
            }
        }
    }

    /// @dev As _stack, of four columns that are `apart` from each other, one behind the other.
    function _stackFour(uint256 from, uint256 rowSize, uint256 apart, uint256 to, uint256 length, uint256 size)
        private
        pure
    {
        assembly ("memory-safe") {
            for { let end := add(to, size) } lt(to, end) { to := add(to, length) } {
                let source := add(from, apart)
                let target := add(to, size)
                mcopy(to, from, length)
                mcopy(target, source, length)
                source := add(source, apart)
                target := add(target, size)
                mcopy(target, source, length)
                mcopy(add(target, size), add(source, apart), length)
                from := add(from, rowSize)
            }
        }
    }

    /// @dev Computes the outputs of all kernels of the group at windows that are `apart` within a four, and `next` from
    /// the first of a four to that of the next: `height` lines of `width` outputs, `line` bytes apart.
    function _multiply(
        Step memory step,
        Work memory work,
        uint256 from,
        uint256 apart,
        uint256 next,
        uint256 width,
        uint256 height,
        uint256 output,
        uint256 line
    ) private pure {
        unchecked {
            (uint256 k, uint256 row, uint256 lanes) = (step.k, work.rows, work.lanes);
            (uint256 sums, uint256 size) = (work.sums, width * height * 0x20);
            for (uint256 end = output + work.outputs; output < end; ++output) {
                MemoryLib.zero(sums, size);
                Qi8DotLib.dotRows(lanes, from, apart, next, k, sums, sums + size, work.floor);
                F32RneLib.requantizePlaces(step, sums, work.excess, row, output, width, height, line);
                lanes += work.lanesSize;
                row += ROW_HEAD + k;
            }
        }
    }
}
