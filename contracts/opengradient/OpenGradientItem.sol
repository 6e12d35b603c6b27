// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IOpenGradientItem} from "./IOpenGradientItem.sol";
import {EnclaveKeys} from "../enclave/EnclaveKeys.sol";
import {SignedItems} from "../enclave/SignedItems.sol";

/// @title OpenGradientItem
/// @notice Attests batches of one, and upholds leaves, whose inference an OpenGradient enclave signed.
contract OpenGradientItem is IOpenGradientItem, SignedItems {
    uint256 public immutable MAX_AGE;

    /// @param endorsers the endorsers' keys, 1 to 16
    /// @param threshold_ how many of them must sign, 1 to their number
    /// @param maxAge seconds that an item may be old: at the commit to attest, at the leaf's deadline to rule
    constructor(bytes[] memory endorsers, uint256 threshold_, uint256 maxAge) EnclaveKeys(endorsers, threshold_) {
        MAX_AGE = maxAge;
    }

    /// @dev A key of the operator signed the item, not after the commit and at most MAX_AGE before.
    function _checkItem(
        bytes32,
        address operator,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 committedAt,
        bytes calldata evidence
    ) internal view override returns (bytes32 item) {
        (uint256 timestamp, bytes memory key, bytes memory signature) = abi.decode(evidence, (uint256, bytes, bytes));
        require(
            timestamp <= committedAt && committedAt - timestamp <= MAX_AGE,
            ItemOutOfTime(timestamp, committedAt, MAX_AGE)
        );
        item = keccak256(abi.encode(inputHash, outputHash, timestamp));
        _checkSigned(key, item, signature, operator, timestamp);
    }
}
