// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Memory taken for one piece of work and given back, so that it does not grow with the number of steps. What is
/// taken is not zeroed.
library MemoryLib {
    /// @dev Takes `size` bytes.
    function take(uint256 size) internal pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
            mstore(0x40, add(pointer, size))
        }
    }

    /// @dev Sets `size` bytes to zero.
    function zero(uint256 pointer, uint256 size) internal pure {
        assembly ("memory-safe") {
            calldatacopy(pointer, calldatasize(), size)
        }
    }

    /// @dev Where the next bytes would be taken.
    function mark() internal pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
        }
    }

    /// @dev Gives back everything taken since the mark.
    function giveBack(uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, pointer)
        }
    }

    /// @dev Where the content of a byte string begins.
    function contentOf(bytes memory data) internal pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := add(data, 0x20)
        }
    }
}
