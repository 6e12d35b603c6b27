// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {F32RneLib} from "./F32RneLib.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Step} from "./Qi8StepLib.sol";
import {Plane, Qi8WindowLib} from "./Qi8WindowLib.sol";

/// @dev Steps without weights.
library Qi8PoolLib {
    uint256 private constant EVEN = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant ONES = 0x0001000100010001000100010001000100010001000100010001000100010001;

    /// @dev The greatest byte of each channel in each window; padding counts as zero. Up to 31 bytes behind the output
    /// are overwritten.
    function maxPool(Step memory step, uint256 input, uint256 output) internal pure {
        // Fields have 16 bits.
        unchecked {
            Plane memory plane = Qi8WindowLib.planeOf(step, input, 1, 0);
            uint256 channels = plane.channels;
            for (uint256 y = 0; y < step.outH; ++y) {
                uint256 window = plane.start + y * step.strideH * plane.rowSize;
                for (uint256 x = 0; x < step.outW; ++x) {
                    for (uint256 c = 0; c < channels; c += 0x20) {
                        uint256 greatest = _greatest(step, plane, window + c);
                        assembly ("memory-safe") {
                            mstore(add(output, c), greatest)
                        }
                    }
                    output += channels;
                    window += step.strideW * channels;
                }
            }
        }
    }

    /// @dev The sum of each channel in each window, with a bias, requantized as a row's; padding counts as za.
    function averagePool(Step memory step, uint256 input, uint256 row, uint256 output) internal pure {
        unchecked {
            uint256 sums = MemoryLib.take(0x20);
            Plane memory plane = Qi8WindowLib.planeOf(step, input, 1, step.za);
            uint256 channels = plane.channels;
            for (uint256 y = 0; y < step.outH; ++y) {
                uint256 window = plane.start + y * step.strideH * plane.rowSize;
                for (uint256 x = 0; x < step.outW; ++x) {
                    for (uint256 c = 0; c < channels; ++c) {
                        uint256 sum = _sum(step, plane, window + c);
                        assembly ("memory-safe") {
                            mstore(sums, sum)
                        }
                        F32RneLib.requantize(sums, 0, row, 0, 1, output, step.zy, step.lo, step.hi);
                        ++output;
                    }
                    window += step.strideW * channels;
                }
            }
        }
    }

    /// @dev Every byte's entry in a table of 256.
    function lookup(uint256 input, uint256 length, uint256 table, uint256 output) internal pure {
        assembly ("memory-safe") {
            for { let end := add(input, length) } lt(input, end) { input := add(input, 1) } {
                // The byte is the highest of the word loaded.
                mstore8(output, shr(248, mload(add(table, shr(248, mload(input))))))
                output := add(output, 1)
            }
        }
    }

    /// @dev The greatest bytes of 32 channels of a window, all at a time.
    function _greatest(Step memory step, Plane memory plane, uint256 from) private pure returns (uint256 greatest) {
        (uint256 rowSize, uint256 channels, uint256 kH, uint256 kW) = (plane.rowSize, plane.channels, step.kH, step.kW);
        assembly ("memory-safe") {
            for {} kH { kH := sub(kH, 1) } {
                let end := add(from, mul(kW, channels))
                for { let pixel := from } lt(pixel, end) { pixel := add(pixel, channels) } {
                    let word := mload(pixel)
                    // A byte's lane of 16 bits keeps its bit 8 where the word's byte is not less; times 255, that is a
                    // mask of the byte.
                    let even := and(shr(8, sub(or(and(word, EVEN), shl(8, ONES)), and(greatest, EVEN))), ONES)
                    let odd :=
                        and(shr(8, sub(or(and(shr(8, word), EVEN), shl(8, ONES)), and(shr(8, greatest), EVEN))), ONES)
                    let mask := mul(or(even, shl(8, odd)), 0xff)
                    greatest := xor(greatest, and(xor(greatest, word), mask))
                }
                from := add(from, rowSize)
            }
        }
    }

    /// @dev The sum of one channel of a window.
    function _sum(Step memory step, Plane memory plane, uint256 from) private pure returns (uint256 sum) {
        (uint256 rowSize, uint256 channels, uint256 kH, uint256 kW) = (plane.rowSize, plane.channels, step.kH, step.kW);
        assembly ("memory-safe") {
            for {} kH { kH := sub(kH, 1) } {
                let end := add(from, mul(kW, channels))
                for { let pixel := from } lt(pixel, end) { pixel := add(pixel, channels) } {
                    sum := add(sum, shr(248, mload(pixel)))
                }
                from := add(from, rowSize)
            }
        }
    }
}
