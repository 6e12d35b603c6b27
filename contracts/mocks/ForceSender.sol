// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Sends coins that the receiver cannot refuse.
contract ForceSender {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}
