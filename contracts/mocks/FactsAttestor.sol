// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestor} from "../interfaces/IAttestor.sol";
import {BatchFacts} from "../interfaces/Types.sol";

/// @dev Accepts facts of the batch that is named, at the times and the block of the evidence.
contract FactsAttestor is IAttestor {
    function attest(bytes32 batchId, BatchFacts calldata facts, bytes calldata evidence) external pure returns (bool) {
        bytes memory times = abi.encode(facts.committedAt, facts.committedBlock, facts.closesAt);
        return keccak256(abi.encode(facts.batch)) == batchId && keccak256(times) == keccak256(evidence);
    }
}
