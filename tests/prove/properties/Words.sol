// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Grade, Outcome, State} from "../../../contracts/interfaces/Types.sol";
import {Stamp, StampLib} from "../../../contracts/libraries/StampLib.sol";
import {Word, WordLib} from "../../../contracts/libraries/WordLib.sol";

/// @dev Stamps and words come back as they were packed.
contract Words {
    /// @notice a stamp gives back slot, count, committedAt, block and closesAt, and keeps the rest under another
    /// closesAt; all values of their widths.
    function check_stamp(uint32 slot, uint24 count, uint40 committedAt, uint40 number, uint40 closesAt, uint40 later)
        public
        pure
    {
        Stamp stamp = StampLib.pack(slot, count, committedAt, number, closesAt);
        Stamp moved = stamp.closingAt(later);
        assert(stamp.slot() == slot && moved.slot() == slot);
        assert(stamp.count() == count && moved.count() == count);
        assert(stamp.committedAt() == committedAt && moved.committedAt() == committedAt);
        assert(stamp.committedBlock() == number && moved.committedBlock() == number);
        assert(stamp.closesAt() == closesAt && moved.closesAt() == later);
        _end();
    }

    /// @notice a storage word gives back state, grade and lapse, matches its pre-image and no other 248 bits, and is
    /// open only in state Open; all hashes, states, grades.
    function check_word(uint256 digest, uint256 other, uint8 state, uint8 grade, uint8 next, uint8 raised) public pure {
        if (state > uint8(State.Rejected) || grade > uint8(Grade.Proven)) return;
        if (next > uint8(State.Rejected) || raised > uint8(Grade.Proven)) return;
        Word word = WordLib.ofHash(bytes32(digest)).withState(State(state)).withGrade(Grade(grade));
        Word seal = WordLib.ofHash(bytes32(other));
        Word moved = word.resealed(seal);
        assert(word.state() == State(state) && word.grade() == Grade(grade) && !word.lapsed());
        assert(moved.state() == State(state) && moved.grade() == Grade(grade) && !moved.lapsed());
        assert(word.matches(WordLib.ofHash(bytes32(digest))) && moved.matches(seal));
        assert(word.matches(seal) == (digest >> 8 == other >> 8));
        assert(word.outcome() == Outcome(grade) && word.withLapse().outcome() == Outcome.Unresolved);
        Word lapsed = word.withLapse();
        assert(lapsed.state() == State(state) && lapsed.grade() == Grade(grade) && lapsed.lapsed());
        assert(word.isOpen(seal) == (word.matches(seal) && state == uint8(State.Open)));
        assert(Word.unwrap(lapsed) >> 8 == digest >> 8);
        Word changed = lapsed.withState(State(next)).withGrade(Grade(raised));
        assert(changed.state() == State(next) && changed.grade() == Grade(raised) && changed.lapsed());
        assert(Word.unwrap(changed) >> 8 == digest >> 8);
        _end();
    }

    function _end() internal pure virtual {}
}

contract WordsReached is Words {
    function _end() internal pure override {
        assert(false);
    }
}
