// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Step} from "./Qi8StepLib.sol";

/// @dev Steps of two tensors: the one before, and the one that the step names.
library Qi8JoinLib {
    /// @dev One half less the least part, with 24 bits below the point: an even number's half is rounded down, and an
    /// odd one's up, once its last bit is added.
    uint256 private constant ALMOST_HALF = (1 << 23) - 1;

    /// @dev Both tensors less their zero points, each times its multiplier, with 24 bits below the point, and the zero
    /// point of the output: added, rounded half to even, clamped. Bytes and multipliers have 40 bits together: nothing
    /// overflows.
    function sum(Step memory step, uint256 tensor, uint256 source, uint256 row, uint256 output) internal pure {
        unchecked {
            (uint256 lo, uint256 span) = (step.lo, step.hi - step.lo);
            uint256 end = output + step.outH * step.outW * step.outC;
            uint256 ours;
            uint256 theirs;
            assembly ("memory-safe") {
                ours := shr(224, mload(row))
                theirs := and(shr(192, mload(row)), 0xffffffff)
            }
            // May be negative: it wraps, and so does what it is added to.
            uint256 base = (step.zy << 24) - step.za * ours - step.zw * theirs;
            assembly ("memory-safe") {
                for {} lt(output, end) { output := add(output, 1) } {
                    // The byte is the highest of the word loaded.
                    let y := add(add(mul(shr(248, mload(tensor)), ours), mul(shr(248, mload(source)), theirs)), base)
                    y := sar(24, add(add(y, ALMOST_HALF), and(shr(24, y), 1)))
                    if gt(sub(y, lo), span) { y := add(lo, mul(span, sgt(y, lo))) }
                    mstore8(output, y)
                    tensor := add(tensor, 1)
                    source := add(source, 1)
                }
            }
        }
    }

    /// @dev Each pixel's channels of the tensor named, then those of the tensor before.
    function concat(Step memory step, uint256 tensor, uint256 source, uint256 output) internal pure {
        unchecked {
            (uint256 last, uint256 first) = (step.inC, step.outC - step.inC);
            uint256 end = output + step.outH * step.outW * step.outC;
            assembly ("memory-safe") {
                for {} lt(output, end) { output := add(output, last) } {
                    mcopy(output, source, first)
                    output := add(output, first)
                    mcopy(output, tensor, last)
                    source := add(source, first)
                    tensor := add(tensor, last)
                }
            }
        }
    }
}
