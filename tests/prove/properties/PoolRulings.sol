// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPool} from "../../../contracts/pool/IPool.sol";
import {BatchFacts, Inference, Ruling} from "../../../contracts/interfaces/Types.sol";
import {PoolBooks} from "./PoolBooks.sol";
import {PoolStorage} from "./PoolStorage.sol";

/// @dev What a pool answers to the registry.
contract PoolRulings is PoolBooks {
    /// @notice rule outside ruled is Undecided: any storage, batch, leaf, inference; evidence of 32 bytes.
    function check_pool_rule(bytes32 batchId, Inference calldata inference, uint256 leafIndex, bytes32 evidence)
        public
    {
        assert(pool.rule(batchId, inference, leafIndex, abi.encode(evidence)) == Ruling.Undecided);
        _end();
    }

    /// @notice attest says whether the batch has a record: any storage, batch and facts; evidence of 32 bytes.
    function check_pool_attest(bytes32 batchId, BatchFacts calldata facts, bytes32 evidence) public {
        bool answer = pool.attest(batchId, facts, abi.encode(evidence));
        assert(answer == (PoolStorage.record(pool, batchId) != 0));
        _end();
    }

    function _end() internal virtual {}
}

contract PoolRulingsReached is PoolRulings {
    function _end() internal pure override {
        assert(false);
    }
}
