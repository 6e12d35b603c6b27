// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Leaves that an audit draws: with replacement, all where as many are drawn as there are.
library SamplingLib {
    /// @dev Whether `drawn` leaves of `count` hold one: some j < drawn has keccak256(abi.encode(seed, batchId, j)) mod
    /// count == leafIndex.
    function draws(bytes32 seed, bytes32 batchId, uint256 drawn, uint256 count, uint256 leafIndex)
        internal
        pure
        returns (bool)
    {
        if (drawn >= count) return leafIndex < count;
        for (uint256 j = 0; j < drawn; ++j) {
            if (uint256(keccak256(abi.encode(seed, batchId, j))) % count == leafIndex) return true;
        }
        return false;
    }
}
