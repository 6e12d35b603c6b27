// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ElementProof} from "./IReplayGame.sol";
import {F32RneLib} from "./F32RneLib.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Opened, Qi8OpeningLib} from "./Qi8OpeningLib.sol";
import {Qi8DenseLib} from "./Qi8DenseLib.sol";
import {Qi8JoinLib} from "./Qi8JoinLib.sol";
import {
    AVERAGE_POOL,
    CONCAT,
    CONVOLUTION,
    DENSE,
    LOOKUP,
    MAX_POOL,
    Qi8StepLib,
    ROW_HEAD,
    SUM,
    SUM_ROW,
    Step
} from "./Qi8StepLib.sol";

/// @dev One element of a step's output, from opened inputs and one opened row.
library Qi8ElementLib {
    using Qi8OpeningLib for Opened;
    using Qi8StepLib for Step;

    /// @dev Computes an element, by its place in the step's output. Overwrites the step's record.
    /// Tensors and rows are read in ascending order of their bytes, a window line by line; what is opened is in the order
    /// of the first read.
    /// @param program valid steps that find their tensors
    /// @param index of the step
    /// @param place of the element, below the output's size
    /// @param roots of the tensor before the step, of the tensor that it names, of all rows
    function compute(
        Step[] memory program,
        uint256 index,
        uint256 place,
        bytes32[3] memory roots,
        ElementProof memory proof
    ) internal pure returns (uint256 value) {
        Step memory step = program[index];
        (uint256 row, uint256 size) = _rowsOf(program, index);
        Opened memory tensor = Qi8OpeningLib.opened(roots[0], step.inSize(), proof.tensor);
        Opened memory source = Qi8OpeningLib.opened(roots[1], _sourceSize(step), proof.source);
        Opened memory rows = Qi8OpeningLib.opened(roots[2], size, proof.rows);

        uint256 kind = step.kind;
        if (kind == DENSE || kind == CONVOLUTION) value = _dot(step, place, tensor, rows, row);
        else if (kind == MAX_POOL) value = _greatest(step, place, tensor);
        else if (kind == AVERAGE_POOL) value = _average(step, place, tensor, rows, row);
        else if (kind == LOOKUP) value = rows.byteAt(row + tensor.byteAt(place));
        else if (kind == SUM) value = _sum(step, place, tensor, source, rows, row);
        else if (kind == CONCAT) value = _joined(step, place, tensor, source);
        else value = source.byteAt(place); // a recall
        tensor.end();
        source.end();
        rows.end();
    }

    /// @dev Where a step's rows begin, and how many bytes all rows have.
    function _rowsOf(Step[] memory program, uint256 index) private pure returns (uint256 start, uint256 size) {
        unchecked {
            for (uint256 i = 0; i < program.length; ++i) {
                if (i == index) start = size;
                size += program[i].rowsSize();
            }
        }
    }

    /// @dev Bytes of the tensor that a step names; of a step that names none, of no use.
    function _sourceSize(Step memory step) private pure returns (uint256) {
        unchecked {
            if (step.kind == CONCAT) return step.inH * step.inW * (step.outC - step.inC);
        }
        return step.inSize();
    }

    /// @dev A window's products with a row, as a dense step of one output.
    function _dot(Step memory step, uint256 place, Opened memory tensor, Opened memory rows, uint256 start)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 k = step.k;
            uint256 channel = place % step.outC;
            // Exact: groups divide the channels.
            // slither-disable-next-line divide-before-multiply
            uint256 channels = step.inC / step.groups;
            // slither-disable-next-line divide-before-multiply
            uint256 first = (channel / step.groupSize()) * channels;
            // A word more: blocks are loaded whole.
            uint256 window = MemoryLib.take(k + 0x20);
            if (step.kind == DENSE) tensor.copy(0, k, window);
            else _gather(step, place, tensor, window, first, channels, step.za);
            uint256 row = MemoryLib.take(ROW_HEAD + k + 0x20);
            rows.copy(start + channel * (ROW_HEAD + k), ROW_HEAD + k, row);
            (step.outC, step.groups) = (1, 1);
            uint256 output = MemoryLib.take(0x20);
            Qi8DenseLib.dense(step, window, row, output);
            return _first(output);
        }
    }

    /// @dev The greatest byte of a channel in a window.
    function _greatest(Step memory step, uint256 place, Opened memory tensor) private pure returns (uint256 greatest) {
        unchecked {
            uint256 count = step.kH * step.kW;
            uint256 window = MemoryLib.take(count + 0x20);
            _gather(step, place, tensor, window, place % step.outC, 1, 0);
            assembly ("memory-safe") {
                for { let last := add(window, count) } lt(window, last) { window := add(window, 1) } {
                    let value := shr(248, mload(window))
                    if gt(value, greatest) { greatest := value }
                }
            }
        }
    }

    /// @dev The sum of a channel in a window, with a bias, requantized.
    function _average(Step memory step, uint256 place, Opened memory tensor, Opened memory rows, uint256 start)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 count = step.k;
            uint256 window = MemoryLib.take(count + 0x20);
            _gather(step, place, tensor, window, place % step.outC, 1, step.za);
            (uint256 sums, uint256 row, uint256 output) =
                (MemoryLib.take(0x20), MemoryLib.take(0x20), MemoryLib.take(0x20));
            rows.copy(start, ROW_HEAD, row);
            assembly ("memory-safe") {
                let sum := 0
                for { let last := add(window, count) } lt(window, last) { window := add(window, 1) } {
                    sum := add(sum, shr(248, mload(window)))
                }
                mstore(sums, sum)
            }
            F32RneLib.requantize(sums, 0, row, 0, 1, output, step.zy, step.lo, step.hi);
            return _first(output);
        }
    }

    function _sum(
        Step memory step,
        uint256 place,
        Opened memory tensor,
        Opened memory source,
        Opened memory rows,
        uint256 start
    ) private pure returns (uint256) {
        uint256 ours = MemoryLib.take(0x20);
        uint256 theirs = MemoryLib.take(0x20);
        uint256 row = MemoryLib.take(0x20);
        uint256 output = MemoryLib.take(0x20);
        tensor.copy(place, 1, ours);
        source.copy(place, 1, theirs);
        rows.copy(start, SUM_ROW, row);
        (step.outH, step.outW, step.outC) = (1, 1, 1);
        Qi8JoinLib.sum(step, ours, theirs, row, output);
        return _first(output);
    }

    /// @dev A pixel has the channels of the tensor named, then those of the tensor before.
    function _joined(Step memory step, uint256 place, Opened memory tensor, Opened memory source)
        private
        pure
        returns (uint256)
    {
        unchecked {
            // Rounded down: a place's pixel.
            // slither-disable-next-line divide-before-multiply
            (uint256 pixel, uint256 channel) = (place / step.outC, place % step.outC);
            uint256 first = step.outC - step.inC;
            if (channel < first) return source.byteAt(pixel * first + channel);
            return tensor.byteAt(pixel * step.inC + channel - first);
        }
    }

    /// @dev Copies some channels of a window, one pixel behind the other; padding is filled with a byte.
    function _gather(
        Step memory step,
        uint256 place,
        Opened memory tensor,
        uint256 to,
        uint256 first,
        uint256 channels,
        uint256 padding
    ) private pure {
        // Fields have 16 bits. What lies above or left of the image wraps to more than any height or width.
        unchecked {
            _fill(to, step.kH * step.kW * channels, padding);
            uint256 pixel = place / step.outC;
            // Rounded down: a pixel's line.
            // slither-disable-next-line divide-before-multiply
            uint256 top = (pixel / step.outW) * step.strideH - step.padTop;
            uint256 left = (pixel % step.outW) * step.strideW - step.padLeft;
            // Pixels of a line that are read at a time: all, where their bytes lie side by side.
            uint256 width = channels == step.inC ? step.kW : 1;
            for (uint256 y = top; y != top + step.kH; ++y) {
                for (uint256 x = left; x != left + step.kW;) {
                    uint256 span = 1;
                    if (y < step.inH && x < step.inW) {
                        if (width > 1) {
                            span = left + step.kW - x;
                            if (span > step.inW - x) span = step.inW - x;
                        }
                        tensor.copy((y * step.inW + x) * step.inC + first, span * channels, to);
                    }
                    to += span * channels;
                    x += span;
                }
            }
        }
    }

    function _fill(uint256 to, uint256 length, uint256 value) private pure {
        assembly ("memory-safe") {
            let word := mul(value, 0x0101010101010101010101010101010101010101010101010101010101010101)
            // Up to 31 bytes more, which are taken.
            for { let last := add(to, length) } lt(to, last) { to := add(to, 0x20) } { mstore(to, word) }
        }
    }

    function _first(uint256 pointer) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(248, mload(pointer))
        }
    }
}
