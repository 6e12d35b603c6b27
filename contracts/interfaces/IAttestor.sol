// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BatchFacts} from "./Types.sol";

/// @title Checks positive evidence for a batch
interface IAttestor {
    /// @notice Tells whether `evidence` supports the batch.
    /// @dev Called by STATICCALL. The grade follows from the attestor's place in the network's rules, never from this
    /// answer. Evidence must bind `batchId`, not only the root: a root may be committed twice. A revert reverts the call.
    /// @param batchId keccak256(abi.encode(Batch))
    /// @param facts what the registry knows of the batch
    /// @param evidence in the attestor's own encoding
    /// @return accepted true when the evidence supports the batch; anything else refuses it
    function attest(bytes32 batchId, BatchFacts calldata facts, bytes calldata evidence)
        external
        view
        returns (bool accepted);
}
