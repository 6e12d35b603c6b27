// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MemoryLib} from "./MemoryLib.sol";
import {Step} from "./Qi8StepLib.sol";

/// @dev The plane that a step's windows move over: the channels of one group with the padding around them, so that no
/// window needs to ask for borders.
struct Plane {
    uint256 start; // memory pointer
    uint256 rowSize; // bytes
    uint256 channels; // of a group
    uint256 width; // pixels; zero where the plane is the input itself
    uint256 height; // pixels
}

/// @dev Windows over an image, row-major with channels last.
library Qi8WindowLib {
    /// @dev A plane with its padding filled in; its inside too, where there is one group.
    function planeOf(Step memory step, uint256 input, uint256 groups, uint256 padding)
        internal
        pure
        returns (Plane memory plane)
    {
        // Fields have 16 bits, and the step is valid: nothing overflows.
        unchecked {
            // Exact: groups divide the channels.
            // slither-disable-next-line divide-before-multiply
            uint256 channels = step.inC / groups;
            uint256 height = (step.outH - 1) * step.strideH + step.kH;
            uint256 width = (step.outW - 1) * step.strideW + step.kW;
            plane.channels = channels;
            if (groups == 1 && step.padTop | step.padLeft == 0 && height <= step.inH && width <= step.inW) {
                (plane.start, plane.rowSize) = (input, step.inW * channels);
                return plane;
            }
            (plane.width, plane.height, plane.rowSize) = (width, height, width * channels);
            uint256 size = height * width * channels;
            uint256 to = MemoryLib.take(size + 0x20);
            plane.start = to;
            assembly ("memory-safe") {
                mstore(to, mul(padding, 0x0101010101010101010101010101010101010101010101010101010101010101))
                // What is filled, copied behind itself, as long as there is room.
                for { let filled := 0x20 } lt(filled, size) { filled := shl(1, filled) } {
                    let rest := sub(size, filled)
                    if gt(rest, filled) { rest := filled }
                    mcopy(add(to, filled), to, rest)
                }
            }
            if (groups == 1) _copyRows(step, input, plane);
        }
    }

    /// @dev Fills the inside of a plane with the channels of a group, of several.
    function enter(Step memory step, uint256 input, Plane memory plane, uint256 group) internal pure {
        unchecked {
            uint256 channels = plane.channels;
            uint256 pixel = step.inC;
            uint256 rows = _least(step.inH, plane.height - step.padTop);
            uint256 length = _least(step.inW, plane.width - step.padLeft) * channels;
            uint256 to = plane.start + step.padTop * plane.rowSize + step.padLeft * channels;
            uint256 from = input + group * channels;
            for (uint256 y = 0; y < rows; ++y) {
                assembly ("memory-safe") {
                    let source := from
                    let end := add(to, length)
                    for { let target := to } lt(target, end) { target := add(target, channels) } {
                        mcopy(target, source, channels)
                        source := add(source, pixel)
                    }
                }
                to += plane.rowSize;
                from += step.inW * pixel;
            }
        }
    }

    function _copyRows(Step memory step, uint256 input, Plane memory plane) private pure {
        unchecked {
            uint256 rows = _least(step.inH, plane.height - step.padTop);
            uint256 length = _least(step.inW, plane.width - step.padLeft) * plane.channels;
            uint256 to = plane.start + step.padTop * plane.rowSize + step.padLeft * plane.channels;
            (uint256 rowSize, uint256 apart) = (plane.rowSize, step.inW * plane.channels);
            assembly ("memory-safe") {
                for { let end := add(to, mul(rows, rowSize)) } lt(to, end) { to := add(to, rowSize) } {
                    mcopy(to, input, length)
                    input := add(input, apart)
                }
            }
        }
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
