// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {IReplay} from "./IReplay.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Step} from "./Qi8StepLib.sol";

/// @dev F32RNE: from an accumulator to a byte, as float32 arithmetic that rounds half to even does it: conversion,
/// product, nearest integer.
///
/// The exact way rounds three times. The short way rounds the exact product once, and can differ only next to a tie:
/// of an accumulator below 2^24 the conversion rounds nothing, and the rounding of a product, below 2^48, moves it by
/// at most 2^23. So the short way is taken where the bits shifted out are farther than that from a tie; about one
/// output in a hundred is not, and goes the exact way, which therefore needs no opcode that counts leading zeros.
/// The short way works with 38 bits below the point: the product is shifted left by what the exponent leaves. An
/// accumulator of 2^24 or more is beyond any clamp, either way, when scaled by 2^-15 or more; a row with a smaller
/// scale always goes the exact way. So does one with a scale of 2^-1 or more, of which any product is too near to a
/// tie, and one with a scale that is no positive normal float32: there it is refused.
library F32RneLib {
    /// @dev One half, with 38 bits below the point.
    uint256 private constant HALF = 1 << 37;
    /// @dev The bits below the point.
    uint256 private constant BELOW = (1 << 38) - 1;
    /// @dev Exponent, as a float32 stores it, of the smallest scale that takes the short way: 2^-15.
    uint256 private constant LEAST_EXPONENT = 112;
    /// @dev How far the rounding of a product moves it, before the shift.
    uint256 private constant REACH = 1 << 23;
    /// @dev More than twice that, negative: shifted left and inverted, it is the greatest value of the bits below the
    /// point that is too near to a tie. Every value is, where all of it is shifted out: with exponents out of range.
    uint256 private constant NEAR = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffff;

    /// @dev Requantizes `count` sums to bytes, one after another: clamp(F32RNE(sum - less + bias, scale) + zy, lo, hi).
    /// @param sums pointer to one word each
    /// @param row pointer to the first row's head: int64 bias, uint32 bits of the scale
    /// @param stride bytes from a row to the next
    function requantize(
        uint256 sums,
        uint256 less,
        uint256 row,
        uint256 stride,
        uint256 count,
        uint256 target,
        uint256 zy,
        uint256 lo,
        uint256 hi
    ) internal pure {
        unchecked {
            uint256 base = (zy << 38) + HALF;
            (uint256 end, uint256 span) = (target + count, hi - lo);
            while (true) {
                // The short way, until one must go the exact way. Pointers move on before the jumps: cheaper to keep.
                assembly ("memory-safe") {
                    for {} lt(target, end) {} {
                        let head := mload(row)
                        // Sign and exponent. A negative scale's is too great, a small one's wraps.
                        let left := sub(and(shr(183, head), 0x1ff), LEAST_EXPONENT)
                        let y :=
                            mul(
                                add(sub(mload(sums), less), sar(192, head)),
                                or(0x800000, and(shr(160, head), 0x7fffff))
                            )
                        // Moved by the reach, so that next to a tie the bits below the point are from 0 to twice that.
                        y := add(shl(left, add(y, REACH)), base)
                        sums := add(sums, 0x20)
                        row := add(row, stride)
                        if iszero(gt(and(y, BELOW), not(shl(left, NEAR)))) { break }
                        y := sar(38, y)
                        if gt(sub(y, lo), span) { y := add(lo, mul(span, sgt(y, lo))) }
                        mstore8(target, y)
                        target := add(target, 1)
                    }
                }
                if (target == end) return;
                _exact(sums - 0x20, less, row - stride, target, zy, lo, hi);
                ++target;
            }
        }
    }

    /// @dev As requantize, of one row's sums at many places: `height` lines of `width` outputs, `line` bytes apart.
    function requantizePlaces(
        Step memory step,
        uint256 sums,
        uint256 less,
        uint256 row,
        uint256 target,
        uint256 width,
        uint256 height,
        uint256 line
    ) internal pure {
        unchecked {
            (uint256 zy, uint256 lo, uint256 hi, uint256 right) = (step.zy, step.lo, step.hi, step.outC);
            uint256 base = (zy << 38) + HALF;
            // Those that must go the exact way are listed, and computed again: two words each, sum and target.
            uint256 list = MemoryLib.take(width * height * 0x40);
            uint256 end;
            assembly ("memory-safe") {
                // Multiplier and addend are read back: the compiler would compute them from the row's head each time.
                function shortWay(listed, at_, place, bottom, line_, across, right_, near, lo_, span) -> end_ {
                    end_ := listed
                    for {} 1 {} {
                        // The compiler inlines no function that leaves: inlined, it would compute constants each time.
                        if iszero(lt(place, bottom)) { leave }
                        let target_ := place
                        for { let edge := add(place, across) } lt(target_, edge) { target_ := add(target_, right_) } {
                            let y := add(mul(mload(at_), mload(0x00)), mload(0x20))
                            if iszero(gt(and(y, BELOW), near)) {
                                mstore(end_, at_)
                                mstore(add(end_, 0x20), target_)
                                end_ := add(end_, 0x40)
                            }
                            at_ := add(at_, 0x20)
                            y := sar(38, y)
                            if gt(sub(y, lo_), span) { y := add(lo_, mul(span, sgt(y, lo_))) }
                            mstore8(target_, y)
                        }
                        place := add(place, line_)
                    }
                }
                let head := mload(row)
                // Sign and exponent, as in requantize.
                let left := sub(and(shr(183, head), 0x1ff), LEAST_EXPONENT)
                let multiplier := shl(left, or(0x800000, and(shr(160, head), 0x7fffff)))
                mstore(0x00, multiplier)
                mstore(0x20, add(add(mul(sub(sar(192, head), less), multiplier), shl(left, REACH)), base))
                let bottom := add(target, mul(height, line))
                let near := not(shl(left, NEAR))
                end := shortWay(list, sums, target, bottom, line, mul(width, right), right, near, lo, sub(hi, lo))
            }
            for (uint256 listed = list; listed < end; listed += 0x40) {
                assembly ("memory-safe") {
                    sums := mload(listed)
                    target := mload(add(listed, 0x20))
                }
                _exact(sums, less, row, target, zy, lo, hi);
            }
            MemoryLib.giveBack(list);
        }
    }

    /// @dev Requantizes one sum the exact way.
    function _exact(uint256 sums, uint256 less, uint256 row, uint256 target, uint256 zy, uint256 lo, uint256 hi)
        private
        pure
    {
        int256 accumulator;
        uint256 scale;
        assembly ("memory-safe") {
            let head := mload(row)
            accumulator := add(sub(mload(sums), less), sar(192, head))
            scale := and(shr(160, head), 0xffffffff)
        }
        require(scale >= 0x00800000 && scale < 0x7f800000, IReplay.ScaleInvalid(scale));
        // 2^23 <= significand < 2^24, and an accumulator is below 2^64.
        unchecked {
            (uint256 m, int256 exponent) = _narrowed(SignedMath.abs(accumulator), int256(scale >> 23) - 150);
            (m, exponent) = _narrowed(m * (0x800000 | scale & 0x7fffff), exponent);
            if (exponent >= 0) m <<= uint256(exponent);
            else m = exponent < -60 ? 0 : _rounded(m, uint256(-exponent));
            int256 y = (accumulator < 0 ? -int256(m) : int256(m)) + int256(zy);
            y = SignedMath.min(SignedMath.max(y, int256(lo)), int256(hi));
            assembly ("memory-safe") {
                mstore8(target, y)
            }
        }
    }

    /// @dev The 24 highest bits, rounded, and what the others were worth.
    function _narrowed(uint256 m, int256 exponent) private pure returns (uint256, int256) {
        unchecked {
            if (m < 1 << 24) return (m, exponent);
            uint256 spare = Math.log2(m) - 23;
            return (_rounded(m, spare), exponent + int256(spare));
        }
    }

    /// @dev x / 2^s, rounded half to even; s from 1 to 255.
    function _rounded(uint256 x, uint256 s) private pure returns (uint256 quotient) {
        unchecked {
            quotient = x >> s;
            uint256 rest = x - (quotient << s);
            uint256 half = 1 << (s - 1);
            if (rest > half || (rest == half && quotient & 1 == 1)) ++quotient;
        }
    }
}
