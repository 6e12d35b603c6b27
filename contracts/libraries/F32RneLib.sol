// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {IReplay} from "../interfaces/IReplay.sol";

/// @dev F32RNE: from an accumulator to a byte, as float32 arithmetic that rounds half to even does it: conversion,
/// product, nearest integer. The exact way rounds three times. The short way rounds once, and differs only next to a
/// tie: the two roundings before the last move a product below 2^48 by at most 2^23, so the short way is taken only
/// where that much cannot reach a tie. About one output in a hundred goes the exact way, which therefore needs no
/// opcode that counts leading zeros.
///
/// A row's scaling lies in memory as seven words, made once for all of its outputs:
///   0x00 significand of the scale, 24 bits
///   0x20 what is added to sum * significand: bias, output's zero point, half, and the reach of the early roundings
///   0x40 how far the result is shifted right then
///   0x60 mask of the bits shifted out; zero where the short way is barred
///   0x80 bias
///   0xa0 bits of the scale
///   0xc0 output's zero point
library F32RneLib {
    /// @dev Bytes of a row's scaling.
    uint256 internal constant SCALING_SIZE = 0xe0;

    /// @dev How far the early roundings reach, twice: to a tie from either side.
    uint256 private constant REACH = 1 << 24;

    /// @dev Reads a row's head (int64 bias, uint32 scale) at `row` and writes its scaling to `scaling`, for
    /// accumulators of `k` products.
    function prepare(uint256 row, uint256 k, uint256 zy, uint256 scaling) internal pure {
        int256 bias;
        uint256 scale;
        assembly ("memory-safe") {
            let head := mload(row)
            bias := sar(192, head)
            scale := and(shr(160, head), 0xffffffff)
        }
        require(scale >= 0x00800000 && scale < 0x7f800000, IReplay.ScaleInvalid(scale));
        uint256 shift = _shortShift(bias, scale, k);
        assembly ("memory-safe") {
            let significand := or(0x800000, and(scale, 0x7fffff))
            mstore(scaling, significand)
            // No overflow: |bias| < 2^63, shift < 150, zy < 2^8.
            mstore(
                add(scaling, 0x20),
                add(add(mul(bias, significand), shl(shift, zy)), add(shr(1, shl(shift, 1)), shr(1, REACH)))
            )
            mstore(add(scaling, 0x40), shift)
            mstore(add(scaling, 0x60), sub(shl(shift, 1), 1))
            mstore(add(scaling, 0x80), bias)
            mstore(add(scaling, 0xa0), scale)
            mstore(add(scaling, 0xc0), zy)
        }
    }

    /// @dev Requantises `count` sums to bytes, one after another, each by its own scaling: clamp(F32RNE(sum - less +
    /// bias, scale) + zy, lo, hi).
    function requantize(
        uint256 sums,
        uint256 less,
        uint256 scaling,
        uint256 count,
        uint256 target,
        uint256 lo,
        uint256 hi
    ) internal pure {
        unchecked {
            for (uint256 end = target + count; target < end; ++target) {
                int256 y;
                bool near;
                // scaled's bits below the point are at most REACH from the tie that they would have to pass.
                assembly ("memory-safe") {
                    let scaled := add(mul(sub(mload(sums), less), mload(scaling)), mload(add(scaling, 0x20)))
                    near := iszero(gt(and(scaled, mload(add(scaling, 0x60))), REACH))
                    y := sar(mload(add(scaling, 0x40)), scaled)
                }
                if (near) y = _exact(sums, less, scaling);
                assembly ("memory-safe") {
                    if gt(sub(y, lo), sub(hi, lo)) {
                        switch slt(y, lo)
                        case 0 { y := hi }
                        default { y := lo }
                    }
                    mstore8(target, y)
                    sums := add(sums, 0x20)
                    scaling := add(scaling, SCALING_SIZE)
                }
            }
        }
    }

    /// @dev F32RNE(accumulator, scale) by its definition; `scale` holds the bits of a positive normal float32.
    function exact(int256 accumulator, uint256 scale) internal pure returns (int256 value) {
        // 2^23 <= significand < 2^24, and an accumulator is below 2^64.
        unchecked {
            (uint256 m, int256 exponent) = _narrowed(SignedMath.abs(accumulator), int256(scale >> 23) - 150);
            (m, exponent) = _narrowed(m * (0x800000 | scale & 0x7fffff), exponent);
            if (exponent >= 0) m <<= uint256(exponent);
            else m = exponent < -60 ? 0 : _rounded(m, uint256(-exponent));
            value = accumulator < 0 ? -int256(m) : int256(m);
        }
    }

    function _exact(uint256 sums, uint256 less, uint256 scaling) private pure returns (int256) {
        int256 accumulator;
        uint256 scale;
        int256 zy;
        assembly ("memory-safe") {
            accumulator := add(sub(mload(sums), less), mload(add(scaling, 0x80)))
            scale := mload(add(scaling, 0xa0))
            zy := mload(add(scaling, 0xc0))
        }
        return exact(accumulator, scale) + zy;
    }

    /// @dev Bits below the point on the short way; zero where it is barred. A scale of 2^-2 or more leaves too few to
    /// tell ties. An accumulator of 2^24 or more is rounded by the conversion, too: with a scale of at least 2^-14 the
    /// output is beyond any clamp either way; with a smaller one no accumulator of the row may get there.
    function _shortShift(int256 bias, uint256 scale, uint256 k) private pure returns (uint256 shift) {
        unchecked {
            uint256 exponent = scale >> 23;
            if (exponent > 124) return 0;
            shift = 150 - exponent;
            if (shift > 37 && k * 255 * 255 + SignedMath.abs(bias) >= 1 << 24) return 0;
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
