// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {ITallystickErrors} from "../interfaces/ITallystickErrors.sol";
import {Batch, BatchFacts, Leaf, Ruling} from "../interfaces/Types.sol";

/// @dev STATICCALLs to resolvers, which strangers wrote. A revert is passed on; an answer of another shape than the
/// interface's, or of no contract at all, is named.
library Resolvers {
    function attests(address attestor, bytes32 batchId, BatchFacts memory facts, bytes calldata evidence)
        internal
        view
        returns (bool)
    {
        return _ask(attestor, abi.encodeCall(IAttestor.attest, (batchId, facts, evidence)), 1) == 1;
    }

    /// @dev Asks for a ruling on a leaf of the batch.
    function ruling(
        address arbiter,
        bytes32 batchId,
        Batch calldata batch,
        Leaf calldata leaf,
        uint256 leafIndex,
        bytes calldata evidence
    ) internal view returns (Ruling) {
        // IArbiter.rule(batchId, inference, leafIndex, evidence): the inference's fields lie in line, as of a static struct.
        bytes memory call_ = abi.encodeWithSelector(
            IArbiter.rule.selector,
            batchId,
            batch.modelId,
            batch.operator,
            leaf.requester,
            leaf.nonce,
            leaf.deadline,
            leaf.inputHash,
            leaf.outputHash,
            leaf.traceRoot,
            leafIndex,
            evidence
        );
        return Ruling(_ask(arbiter, call_, uint256(type(Ruling).max)));
    }

    function _ask(address resolver, bytes memory call_, uint256 highest) private view returns (uint256 answer) {
        bool success;
        uint256 size;
        // At most one word of the answer is copied, so that a resolver cannot make the registry pay for memory.
        assembly ("memory-safe") {
            success := staticcall(gas(), resolver, add(call_, 0x20), mload(call_), 0x00, 0x20)
            size := returndatasize()
            answer := mload(0x00)
        }
        if (!success) {
            assembly ("memory-safe") {
                let pointer := mload(0x40)
                returndatacopy(pointer, 0, size)
                revert(pointer, size)
            }
        }
        require(size == 0x20 && answer <= highest, ITallystickErrors.MalformedAnswer(resolver));
    }
}
