// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ISignedItems} from "../enclave/ISignedItems.sol";

/// @title Takes inferences that an OpenGradient enclave signed one by one
/// @dev Such an enclave signs item = keccak256(inputHash || outputHash || uint256 timestamp), RSASSA-PSS with SHA-256 and
/// a salt of 32 bytes over these 32 bytes; inputHash is keccak256 of the request's JSON with sorted keys, outputHash
/// of the answer. A leaf carries both as its own inputHash and outputHash.
/// The key is exponent (4 bytes) || modulus, as IEnclaveKeys takes it, and must be endorsed, valid at the item's
/// timestamp, and not revoked when it is used. The timestamp (Unix seconds) is not after the commit and at most maxAge
/// before it, so that a key that leaks when it has long expired signs for nothing. To rule, the leaf's deadline stands
/// for the commit, which an arbiter is not told; a deadline before the commit is a fault.
/// Evidence to rule: abi.encode(uint256 timestamp, bytes key, bytes signature).
interface IOpenGradientItem is ISignedItems {
    /// @notice Thrown when the item is later than `latest`, or more than maxAge before it.
    error ItemOutOfTime(uint256 timestamp, uint256 latest, uint256 maxAge);
}
