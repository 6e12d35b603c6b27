// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev A wallet that has signed everything; as an account's code by EIP-7702, for as long as the account likes.
contract YesWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }
}
