// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Dot products of bytes, ten to a multiplication.
///
/// Thirty bytes are three words of ten lanes, 24 bits each: lane i of word j holds byte j + 3i. One operand has its
/// lanes in reverse (lane i of word j holds byte j + 3(9 - i)), so that in the product of two words lane 9 is the sum
/// of the ten products of bytes with equal index; lanes below hold partial sums, those above fall off the word's top.
/// The bytes' side is masked where it lies, 16 bits higher, which puts lane 9 at the very top: the sum is the word
/// shifted right by 232.
/// A lane takes 25 such sums (25 * 10 * 255 * 255 < 2^24); we add up 24, which is eight blocks of thirty bytes.
///
/// Lanes are made ("spread") of the operand that is used again: of weights in a convolution, of activations in a dense
/// step. Past the end of the operand they are zero, so that whatever lies behind the other operand's bytes counts for
/// nothing. All loops are assembly: at five gas a product, Solidity's checks and memory accesses would cost the most.
library Qi8DotLib {
    /// @dev The bytes in lanes: the lowest of each three among the highest thirty of a word.
    uint256 private constant BYTES = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000;
    /// @dev A one in each lane.
    uint256 private constant ONES = 0x000001000001000001000001000001000001000001000001000001000001;
    /// @dev Bytes of a block's lanes: three words.
    uint256 internal constant LANES = 0x60;

    /// @dev Blocks of thirty bytes that hold `k`.
    function blocksOf(uint256 k) internal pure returns (uint256) {
        unchecked {
            return (k + 29) / 30;
        }
    }

    /// @dev Writes the lanes of the `k` bytes at `from`, a block's three words every `step` bytes from `to` on.
    function spread(uint256 from, uint256 k, uint256 to, uint256 step) internal pure {
        assembly ("memory-safe") {
            let lanes := shr(16, BYTES)
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
                mstore(to, and(word, lanes))
                mstore(add(to, 0x20), and(shr(8, word), lanes))
                mstore(add(to, 0x40), and(shr(16, word), lanes))
                from := add(from, 30)
                to := add(to, step)
            }
        }
    }

    /// @dev Sum of the bytes that were spread into lanes up to `end`, at most 65,793 of them.
    function sumOfLanes(uint256 lanes, uint256 end) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            for {} lt(lanes, end) {} {
                sum := add(add(sum, mload(lanes)), add(mload(add(lanes, 0x20)), mload(add(lanes, 0x40))))
                lanes := add(lanes, 0x60)
            }
            // Times ones: lane 9 gets the sum of all ten.
            sum := and(shr(216, mul(sum, ONES)), 0xffffff)
        }
    }

    /// @dev Sum of the bytes of `blocks` blocks at `from`, at most 65,793 of them that are not zero.
    function sumOfBytes(uint256 from, uint256 blocks) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let mask := BYTES
            for {} blocks { blocks := sub(blocks, 1) } {
                let word := mload(from)
                from := add(from, 30)
                sum := add(add(sum, and(word, mask)), add(and(shr(8, word), mask), and(shr(16, word), mask)))
            }
            sum := shr(232, mul(sum, ONES))
        }
    }

    /// @dev Dot product of `blocks` blocks of lanes with as many of bytes.
    function dot(uint256 lanes, uint256 from, uint256 blocks) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let mask := BYTES
            let last := add(from, mul(blocks, 30))
            for {} lt(from, last) {} {
                let end := add(from, 240)
                if gt(end, last) { end := last }
                let acc := 0
                for {} lt(from, end) {} {
                    let word := mload(from)
                    acc := add(acc, mul(and(shr(16, word), mask), mload(lanes)))
                    acc := add(acc, mul(and(shr(8, word), mask), mload(add(lanes, 0x20))))
                    acc := add(acc, mul(and(word, mask), mload(add(lanes, 0x40))))
                    from := add(from, 30)
                    lanes := add(lanes, 0x60)
                }
                sum := add(sum, shr(232, acc))
            }
        }
    }

    /// @dev Dot products of bytes with four operands' lanes, a block of each in turn; four words to `sums`.
    function dotFourLanes(uint256 lanes, uint256 from, uint256 blocks, uint256 sums) internal pure {
        assembly ("memory-safe") {
            function part(at_, lanes_, end) -> a, b, c, d {
                let mask := mload(0x00)
                for {} lt(at_, end) {} {
                    let word := mload(at_)
                    let ten := and(shr(16, word), mask)
                    a := add(a, mul(ten, mload(lanes_)))
                    b := add(b, mul(ten, mload(add(lanes_, 0x60))))
                    c := add(c, mul(ten, mload(add(lanes_, 0xc0))))
                    d := add(d, mul(ten, mload(add(lanes_, 0x120))))
                    ten := and(shr(8, word), mask)
                    a := add(a, mul(ten, mload(add(lanes_, 0x20))))
                    b := add(b, mul(ten, mload(add(lanes_, 0x80))))
                    c := add(c, mul(ten, mload(add(lanes_, 0xe0))))
                    d := add(d, mul(ten, mload(add(lanes_, 0x140))))
                    ten := and(word, mask)
                    a := add(a, mul(ten, mload(add(lanes_, 0x40))))
                    b := add(b, mul(ten, mload(add(lanes_, 0xa0))))
                    c := add(c, mul(ten, mload(add(lanes_, 0x100))))
                    d := add(d, mul(ten, mload(add(lanes_, 0x160))))
                    at_ := add(at_, 30)
                    lanes_ := add(lanes_, 0x180)
                }
            }
            // Read back where it is needed: as a constant, the compiler would fetch it from the code each time.
            mstore(0x00, BYTES)
            let last := add(from, mul(blocks, 30))
            let end := add(from, 240)
            if gt(end, last) { end := last }
            let a, b, c, d := part(from, lanes, end)
            mstore(sums, shr(232, a))
            mstore(add(sums, 0x20), shr(232, b))
            mstore(add(sums, 0x40), shr(232, c))
            mstore(add(sums, 0x60), shr(232, d))
            for {} lt(end, last) {} {
                from := end
                lanes := add(lanes, 0xc00)
                end := add(from, 240)
                if gt(end, last) { end := last }
                a, b, c, d := part(from, lanes, end)
                mstore(sums, add(mload(sums), shr(232, a)))
                mstore(add(sums, 0x20), add(mload(add(sums, 0x20)), shr(232, b)))
                mstore(add(sums, 0x40), add(mload(add(sums, 0x40)), shr(232, c)))
                mstore(add(sums, 0x60), add(mload(add(sums, 0x60)), shr(232, d)))
            }
        }
    }

    /// @dev Dot products of one operand's lanes, up to `last`, with four rows of bytes, `stride` apart; added to the four
    /// words at `sums`.
    function dotFourRows(uint256 lanes, uint256 row, uint256 stride, uint256 last, uint256 sums) internal pure {
        assembly ("memory-safe") {
            let mask := BYTES
            for {} lt(lanes, last) {} {
                let end := add(lanes, 0x300)
                if gt(end, last) { end := last }
                let a := 0
                let b := 0
                let c := 0
                let d := 0
                for {} lt(lanes, end) {} {
                    let first := mload(lanes)
                    let second := mload(add(lanes, 0x20))
                    let third := mload(add(lanes, 0x40))
                    let word := mload(row)
                    a := add(a, mul(and(shr(16, word), mask), first))
                    a := add(a, mul(and(shr(8, word), mask), second))
                    a := add(a, mul(and(word, mask), third))
                    word := mload(add(row, stride))
                    b := add(b, mul(and(shr(16, word), mask), first))
                    b := add(b, mul(and(shr(8, word), mask), second))
                    b := add(b, mul(and(word, mask), third))
                    word := mload(add(row, shl(1, stride)))
                    c := add(c, mul(and(shr(16, word), mask), first))
                    c := add(c, mul(and(shr(8, word), mask), second))
                    c := add(c, mul(and(word, mask), third))
                    word := mload(add(row, mul(3, stride)))
                    d := add(d, mul(and(shr(16, word), mask), first))
                    d := add(d, mul(and(shr(8, word), mask), second))
                    d := add(d, mul(and(word, mask), third))
                    row := add(row, 30)
                    lanes := add(lanes, 0x60)
                }
                mstore(sums, add(mload(sums), shr(232, a)))
                mstore(add(sums, 0x20), add(mload(add(sums, 0x20)), shr(232, b)))
                mstore(add(sums, 0x40), add(mload(add(sums, 0x40)), shr(232, c)))
                mstore(add(sums, 0x60), add(mload(add(sums, 0x60)), shr(232, d)))
            }
        }
    }
}
