// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPool} from "../../../contracts/pool/IPool.sol";
import {vm} from "./Vm.sol";

/// @dev The pool's storage, read without a jump; see Storage.sol. PoolRulings proves that views answer the same.
library PoolStorage {
    uint256 private constant HEADERS = 2;
    uint256 private constant LISTS = 3;
    uint256 private constant MEMBERS = 4;
    uint256 private constant RECORDS = 5;
    uint256 private constant CASES = 6;
    uint256 private constant ESCROWS = 7;
    uint256 private constant CREDITS = 8;
    uint256 private constant BURNED = 9;
    uint256 private constant RING = 4;

    function header(IPool pool, uint256 epoch) internal view returns (uint256) {
        return _load(pool, keccak256(abi.encode(epoch, HEADERS)));
    }

    function entry(IPool pool, uint256 epoch, uint256 number) internal view returns (uint256) {
        return _load(pool, keccak256(abi.encode(number, keccak256(abi.encode(epoch % RING, LISTS)))));
    }

    /// @dev seats 24 | lastEpoch 24 | heldUntil 40 | standing 8 | earned 128
    function member(IPool pool, address key) internal view returns (uint256) {
        return _load(pool, keccak256(abi.encode(key, MEMBERS)));
    }

    /// @dev Makes a member's last epoch a number, and leaves the rest of its word.
    function setLastEpoch(IPool pool, address key, uint256 epoch) internal {
        uint256 word = member(pool, key) & ~(uint256(0xffffff) << 24) | epoch << 24;
        vm.store(address(pool), keccak256(abi.encode(key, MEMBERS)), bytes32(word));
    }

    function account(IPool pool, address key) internal view returns (address) {
        unchecked {
            return address(uint160(_load(pool, bytes32(uint256(keccak256(abi.encode(key, MEMBERS))) + 1))));
        }
    }

    function record(IPool pool, bytes32 batchId) internal view returns (uint256) {
        return _load(pool, keccak256(abi.encode(batchId, RECORDS)));
    }

    /// @dev payer 160 | seedBlock 40 | epoch 24 | challenged 8
    function opened(IPool pool, bytes32 caseId) internal view returns (uint256) {
        return _load(pool, keccak256(abi.encode(caseId, CASES)));
    }

    /// @dev balance 128 | noticeAt 40
    function escrow(IPool pool, address operator) internal view returns (uint256) {
        return _load(pool, keccak256(abi.encode(operator, ESCROWS)));
    }

    function credit(IPool pool, address owner) internal view returns (uint256) {
        return _load(pool, keccak256(abi.encode(owner, CREDITS)));
    }

    function burned(IPool pool) internal view returns (uint256) {
        return _load(pool, bytes32(BURNED));
    }

    function _load(IPool pool, bytes32 slot) private view returns (uint256) {
        return uint256(vm.load(address(pool), slot));
    }
}
