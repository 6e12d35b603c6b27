// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Escrow, PoolMember, Standing} from "../../../contracts/pool/IPool.sol";
import {BatchFacts, Inference, Ruling} from "../../../contracts/interfaces/Types.sol";
import {PoolBooks} from "./PoolBooks.sol";
import {PoolStorage} from "./PoolStorage.sol";
import {vm} from "./Vm.sol";

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

    /// @notice creditOf, recordOf, escrowOf and memberOf answer what storage holds, by the layout from which the other
    /// properties of a pool read it; any storage, account, key, batch.
    function check_pool_views(address account, address key, bytes32 batchId) public {
        assert(pool.creditOf(account) == PoolStorage.credit(pool, account));
        assert(uint256(pool.recordOf(batchId)) == PoolStorage.record(pool, batchId));
        uint256 word = PoolStorage.escrow(pool, account);
        Escrow memory escrow = pool.escrowOf(account);
        assert(escrow.balance == uint128(word) && escrow.noticeAt == uint40(word >> 128));
        word = PoolStorage.member(pool, key);
        vm.assume((word >> 88 & 0xff) <= uint8(Standing.Convicted));
        PoolMember memory member = pool.memberOf(key);
        assert(member.seats == uint24(word) && member.lastEpoch == uint24(word >> 24));
        assert(member.heldUntil == uint40(word >> 48) && member.earned == uint128(word >> 96));
        assert(uint8(member.standing) == uint8(word >> 88) && member.account == PoolStorage.account(pool, key));
        _end();
    }

    function _end() internal virtual {}
}

contract PoolRulingsReached is PoolRulings {
    function _end() internal pure override {
        assert(false);
    }
}
