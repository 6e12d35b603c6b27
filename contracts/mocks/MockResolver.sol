// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {BatchFacts, Inference, Ruling} from "../interfaces/Types.sol";

/// @dev Answers what the evidence says: its first word, for both interfaces. Second word, if any: the batch meant.
contract MockResolver is IAttestor, IArbiter {
    error OtherBatch(bytes32 batchId, bytes32 meant);

    function attest(bytes32 batchId, BatchFacts calldata, bytes calldata evidence) external pure returns (bool) {
        return _answer(batchId, evidence) == 1;
    }

    function rule(bytes32 batchId, Inference calldata, uint256, bytes calldata evidence)
        external
        pure
        returns (Ruling)
    {
        return Ruling(_answer(batchId, evidence));
    }

    function _answer(bytes32 batchId, bytes calldata evidence) private pure returns (uint256 answer) {
        answer = uint256(bytes32(evidence[:32]));
        if (evidence.length > 32) {
            bytes32 meant = bytes32(evidence[32:64]);
            require(meant == batchId, OtherBatch(batchId, meant));
        }
    }
}
