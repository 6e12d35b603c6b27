// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Dispute, Grade, Outcome, State} from "../interfaces/Types.sol";
import {Stamp} from "./StampLib.sol";

/// @dev A slot's storage word: upper 248 bits of the pre-image's hash, and a state byte.
/// State byte: bits 0-2 state, bit 3 lapsed, bits 4-5 grade. Zero: a slot never used.
type Word is uint256;

using WordLib for Word global;

library WordLib {
    /// @dev A lane's 2^32 words, one storage slot each, side by side.
    struct Words {
        Word first;
    }

    uint256 private constant STATE_BYTE = 0xff;
    uint256 private constant STATE_BITS = 0x07;
    uint256 private constant LAPSED_BIT = 0x08;
    uint256 private constant GRADE_SHIFT = 4;

    // Assembly spares the bounds check and the masked write of a storage array of a value type: 120 gas an access.
    // `slot` has 32 bits, and a lane lies at a hash, so that no other variable is in reach.

    function load(Words storage words, uint32 slot) internal view returns (Word word) {
        assembly ("memory-safe") {
            word := sload(add(words.slot, slot))
        }
    }

    function store(Words storage words, uint32 slot, Word word) internal {
        assembly ("memory-safe") {
            sstore(add(words.slot, slot), word)
        }
    }

    /// @dev Word of a pre-image's hash, with the state byte still zero.
    function ofHash(bytes32 digest) internal pure returns (Word) {
        return Word.wrap(uint256(digest) & ~STATE_BYTE);
    }

    /// @dev Word of an undisputed batch, with the state byte still zero.
    function seal(bytes32 batchId, Stamp stamp) internal pure returns (Word) {
        bytes32 digest;
        // keccak256(abi.encode(batchId, stamp)), in scratch space.
        assembly ("memory-safe") {
            mstore(0x00, batchId)
            mstore(0x20, stamp)
            digest := keccak256(0x00, 0x40)
        }
        return ofHash(digest);
    }

    /// @dev Word of a disputed batch, with the state byte still zero.
    function seal(bytes32 batchId, Stamp stamp, Dispute memory dispute) internal pure returns (Word) {
        bytes32 digest;
        // keccak256(abi.encode(batchId, stamp, dispute)); a struct in memory is its six clean words.
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            mstore(pointer, batchId)
            mstore(add(pointer, 0x20), stamp)
            mcopy(add(pointer, 0x40), dispute, 0xc0)
            digest := keccak256(pointer, 0x100)
        }
        return ofHash(digest);
    }

    /// @dev Whether both words have the same pre-image, whatever their state bytes.
    function matches(Word word, Word other) internal pure returns (bool) {
        return (Word.unwrap(word) ^ Word.unwrap(other)) <= STATE_BYTE;
    }

    function state(Word word) internal pure returns (State) {
        return State(Word.unwrap(word) & STATE_BITS);
    }

    /// @dev Whether the word is of an open batch with this pre-image: matches and isIn(Open) in one comparison.
    function isOpen(Word word, Word seal_) internal pure returns (bool) {
        return (Word.unwrap(word) ^ Word.unwrap(seal_)) & ~(STATE_BYTE ^ STATE_BITS) == uint256(State.Open);
    }

    function isIn(Word word, State state_) internal pure returns (bool) {
        return Word.unwrap(word) & STATE_BITS == uint256(state_);
    }

    function grade(Word word) internal pure returns (Grade) {
        return Grade((Word.unwrap(word) & STATE_BYTE) >> GRADE_SHIFT);
    }

    function lapsed(Word word) internal pure returns (bool) {
        return Word.unwrap(word) & LAPSED_BIT != 0;
    }

    /// @dev The counter that the batch moves at finality.
    function outcome(Word word) internal pure returns (Outcome) {
        return word.lapsed() ? Outcome.Unresolved : Outcome((Word.unwrap(word) & STATE_BYTE) >> GRADE_SHIFT);
    }

    function withState(Word word, State state_) internal pure returns (Word) {
        return Word.wrap(Word.unwrap(word) & ~STATE_BITS | uint256(state_));
    }

    function withGrade(Word word, Grade grade_) internal pure returns (Word) {
        return Word.wrap(Word.unwrap(word) & ~(STATE_BITS << GRADE_SHIFT) | uint256(grade_) << GRADE_SHIFT);
    }

    function withLapse(Word word) internal pure returns (Word) {
        return Word.wrap(Word.unwrap(word) | LAPSED_BIT);
    }

    /// @dev This word's state byte under another pre-image.
    function resealed(Word word, Word seal_) internal pure returns (Word) {
        return Word.wrap(Word.unwrap(seal_) | Word.unwrap(word) & STATE_BYTE);
    }
}
