// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Slot, count and times of a batch in one word, lowest byte first:
/// closesAt (5 bytes) | committedBlock (5) | committedAt (5) | count (3) | slot (4); times in Unix seconds.
type Stamp is bytes32;

using StampLib for Stamp global;

/// @dev Packs and reads a Stamp.
library StampLib {
    function pack(uint256 slot_, uint256 count_, uint256 committedAt_, uint256 committedBlock_, uint256 closesAt_)
        internal
        pure
        returns (Stamp)
    {
        return
            Stamp.wrap(bytes32(slot_ << 144 | count_ << 120 | committedAt_ << 80 | committedBlock_ << 40 | closesAt_));
    }

    function closesAt(Stamp stamp) internal pure returns (uint40) {
        return uint40(uint256(Stamp.unwrap(stamp)));
    }

    function committedBlock(Stamp stamp) internal pure returns (uint40) {
        return uint40(uint256(Stamp.unwrap(stamp)) >> 40);
    }

    function committedAt(Stamp stamp) internal pure returns (uint40) {
        return uint40(uint256(Stamp.unwrap(stamp)) >> 80);
    }

    function count(Stamp stamp) internal pure returns (uint32) {
        return uint24(uint256(Stamp.unwrap(stamp)) >> 120);
    }

    function slot(Stamp stamp) internal pure returns (uint32) {
        return uint32(uint256(Stamp.unwrap(stamp)) >> 144);
    }

    /// @dev The same stamp with another end of the window.
    function closingAt(Stamp stamp, uint256 closesAt_) internal pure returns (Stamp) {
        return Stamp.wrap(bytes32(uint256(Stamp.unwrap(stamp)) >> 40 << 40 | closesAt_));
    }
}
