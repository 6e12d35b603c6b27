// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Dot products of bytes, ten to a multiplication.
///
/// A block of thirty bytes is the sum of three words of ten lanes, 24 bits each: high, middle and low have the first,
/// second and third of each three bytes, where they lie. The other operand's block lies in reverse, and its words h, m
/// and l too, so that high * h + middle * m + low * l has the sum of the thirty products of bytes with equal index 232
/// bits up; lanes below hold partial sums, those above fall off the word's top. That is the same as high * (h - l) +
/// middle * (m - l) + block * l, with two masks and no shift; lanes are kept as these differences, which may wrap. A
/// block is loaded with the two bytes before it at the word's top: l has nothing in its lowest 16 bits, so they fall
/// off as well.
/// A lane takes 258 products (258 * 255 * 255 < 2^24). A chunk that is summed in one go is eight blocks, 240 bytes; the
/// last one has up to 258, as only bytes that exist are more than zero.
///
/// Lanes are made ("spread") of the operand that is used again: of weights in a convolution, of activations in a dense
/// step. Past the end of the operand they are zero, so that whatever lies behind the other operand's bytes counts for
/// nothing. All loops are assembly: at four gas a product, Solidity's checks and memory accesses would cost the most.
library Qi8DotLib {
    /// @dev The first of each three bytes of a block at a word's bottom; of one in reverse, the third.
    uint256 private constant HIGH = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000;
    /// @dev The second of each three.
    uint256 private constant MIDDLE = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff00;
    /// @dev The third of each three; of a block in reverse, the first.
    uint256 private constant LOW = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff;
    /// @dev A one in each lane.
    uint256 private constant ONES = 0x000001000001000001000001000001000001000001000001000001000001;
    /// @dev Bytes of a chunk that is not the last.
    uint256 private constant CHUNK = 240;
    /// @dev Bytes of the longest last chunk.
    uint256 private constant LAST_CHUNK = 258;
    /// @dev Bytes of a block's lanes: three words.
    uint256 internal constant LANES = 0x60;

    /// @dev Blocks of thirty bytes that hold `k`.
    function blocksOf(uint256 k) internal pure returns (uint256) {
        unchecked {
            return (k + 29) / 30;
        }
    }

    /// @dev Writes the lanes of the `k` bytes at `from`, three words a block.
    function spread(uint256 from, uint256 k, uint256 to) internal pure {
        assembly ("memory-safe") {
            for {} k {} {
                let word := mload(from)
                switch lt(k, 30)
                case 0 { k := sub(k, 30) }
                default {
                    word := and(word, not(shr(shl(3, k), not(0))))
                    k := 0
                }
                // All 32 bytes in reverse: neighbours, pairs, fours, eights, halves.
                let mask := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
                word := or(and(shr(8, word), mask), shl(8, and(word, mask)))
                mask := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                word := or(and(shr(16, word), mask), shl(16, and(word, mask)))
                mask := 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
                word := or(and(shr(32, word), mask), shl(32, and(word, mask)))
                mask := 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
                word := or(and(shr(64, word), mask), shl(64, and(word, mask)))
                word := or(shr(128, word), shl(128, word))
                let third := and(word, HIGH)
                mstore(to, sub(and(word, LOW), third))
                mstore(add(to, 0x20), sub(and(word, MIDDLE), third))
                mstore(add(to, 0x40), third)
                from := add(from, 30)
                to := add(to, 0x60)
            }
        }
    }

    /// @dev Makes the lanes of `k` bytes those of the bytes less `zero`.
    function lower(uint256 lanes, uint256 k, uint256 zero) internal pure {
        assembly ("memory-safe") {
            let zeros := mul(zero, 0x0101010101010101010101010101010101010101010101010101010101010101)
            for {} k { k := sub(k, 30) } {
                if lt(k, 30) {
                    zeros := and(zeros, not(shl(shl(3, k), not(0))))
                    k := 30
                }
                let third := and(zeros, HIGH)
                mstore(lanes, add(mload(lanes), sub(third, and(zeros, LOW))))
                mstore(add(lanes, 0x20), add(mload(add(lanes, 0x20)), sub(third, and(zeros, MIDDLE))))
                mstore(add(lanes, 0x40), sub(mload(add(lanes, 0x40)), third))
                lanes := add(lanes, 0x60)
            }
        }
    }

    /// @dev Sum of the bytes that were spread into lanes up to `end`, at most 65,793 of them.
    function sumOfLanes(uint256 lanes, uint256 end) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let second := 0
            let third := 0
            for {} lt(lanes, end) { lanes := add(lanes, 0x60) } {
                let word := mload(add(lanes, 0x40))
                third := add(third, word)
                second := add(second, add(mload(add(lanes, 0x20)), word))
                sum := add(sum, add(mload(lanes), word))
            }
            sum := add(sum, add(shr(8, second), shr(16, third)))
            // Times ones: lane 9 gets the sum of all ten.
            sum := and(shr(216, mul(sum, ONES)), 0xffffff)
        }
    }

    /// @dev What every lane of a sum starts with, so that it is not negative with lanes of bytes less `zero`: as many
    /// such lanes, as far up as a sum's.
    function floorOf(uint256 zero) internal pure returns (uint256) {
        unchecked {
            return zero * (255 * LAST_CHUNK) * ONES << 16;
        }
    }

    /// @dev How much the sum of `k` products is too great when each chunk starts with the floor.
    function excessOf(uint256 k, uint256 zero) internal pure returns (uint256) {
        unchecked {
            uint256 chunks = k > LAST_CHUNK ? (k - LAST_CHUNK + CHUNK - 1) / CHUNK + 1 : 1;
            return chunks * zero * (255 * LAST_CHUNK);
        }
    }

    /// @dev Dot products of one operand's lanes with rows of `k` bytes, four at a time: `stride` apart within a four, and
    /// `next` from a four's first to that of the next. Added to the words from `sums` to `last`, each chunk from `floor`
    /// on.
    function dotRows(
        uint256 lanes,
        uint256 row,
        uint256 stride,
        uint256 next,
        uint256 k,
        uint256 sums,
        uint256 last,
        uint256 floor
    ) internal pure {
        assembly ("memory-safe") {
            function dotFour(end, stride_, row_, lanes_) -> a, b, c, d {
                let high := mload(0x00)
                for {} 1 {} {
                    // The compiler inlines no function that leaves: inlined, its stack would be too deep.
                    if iszero(lt(row_, end)) { leave }
                    let word := mload(row_)
                    let at_ := add(row_, stride_)
                    let third := mload(add(lanes_, 0x40))
                    let second := mload(add(lanes_, 0x20))
                    let first := mload(lanes_)
                    a := add(
                        add(add(mul(and(word, high), first), mul(and(word, mload(0x20)), second)), mul(word, third)),
                        a
                    )
                    word := mload(at_)
                    at_ := add(at_, stride_)
                    b := add(
                        add(add(mul(and(word, high), first), mul(and(word, mload(0x20)), second)), mul(word, third)),
                        b
                    )
                    word := mload(at_)
                    c := add(
                        add(add(mul(and(word, high), first), mul(and(word, mload(0x20)), second)), mul(word, third)),
                        c
                    )
                    word := mload(add(at_, stride_))
                    d := add(
                        add(add(mul(and(word, high), first), mul(and(word, mload(0x20)), second)), mul(word, third)),
                        d
                    )
                    row_ := add(row_, 30)
                    lanes_ := add(lanes_, 0x60)
                }
            }
            // Read back where they are needed: as constants, the compiler would fetch them from the code each time.
            mstore(0x00, HIGH)
            mstore(0x20, MIDDLE)
            row := sub(row, 2)
            for {} k {} {
                let length := k
                if gt(k, LAST_CHUNK) { length := CHUNK }
                let at := row
                for { let sum := sums } lt(sum, last) { sum := add(sum, 0x80) } {
                    let a, b, c, d := dotFour(add(at, length), stride, at, lanes)
                    mstore(sum, add(mload(sum), shr(232, add(a, floor))))
                    mstore(add(sum, 0x20), add(mload(add(sum, 0x20)), shr(232, add(b, floor))))
                    mstore(add(sum, 0x40), add(mload(add(sum, 0x40)), shr(232, add(c, floor))))
                    mstore(add(sum, 0x60), add(mload(add(sum, 0x60)), shr(232, add(d, floor))))
                    at := add(at, next)
                }
                row := add(row, length)
                lanes := add(lanes, 0x300)
                k := sub(k, length)
            }
        }
    }
}
