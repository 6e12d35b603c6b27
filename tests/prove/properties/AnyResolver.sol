// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Answers any word; its storage is symbolic.
contract AnyResolver {
    uint256 private _answer;

    fallback() external {
        uint256 answer = _answer;
        assembly ("memory-safe") {
            mstore(0x00, answer)
            return(0x00, 0x20)
        }
    }
}
