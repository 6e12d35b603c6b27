// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Inference, Ruling} from "./Types.sol";

/// @title Rules on one leaf of a batch
interface IArbiter {
    /// @notice Rules whether the operator's answer in `leaf` is right.
    /// @dev Called by STATICCALL, for a challenged leaf and for a disproof alike. A revert reverts the call.
    /// @param batchId keccak256(abi.encode(Batch))
    /// @param leaf the inference in question, already opened against the batch's root
    /// @param leafIndex the leaf's index in the batch
    /// @param evidence in the arbiter's own encoding
    /// @return ruling Upheld: the operator was right; Rejected: wrong; Undecided changes nothing
    function rule(bytes32 batchId, Inference calldata leaf, uint256 leafIndex, bytes calldata evidence)
        external
        view
        returns (Ruling ruling);
}
