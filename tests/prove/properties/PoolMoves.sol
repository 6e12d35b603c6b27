// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolBooks} from "./PoolBooks.sol";
import {PoolStorage} from "./PoolStorage.sol";
import {vm} from "./Vm.sol";

/// @dev Money of a pool in coins: in, out, into escrow and back.
contract PoolMoney is PoolBooks {
    /// @notice deposit into a pool: what it owes grows as its balance does; any amount below 2^96, any receiver.
    function check_pool_deposit(Scene memory scene, Any memory any, address to, uint96 amount) public {
        Books memory old = _before(scene, any, to);
        vm.deal(scene.sender, amount);
        vm.prank(scene.sender);
        pool.deposit{value: amount}(to, amount);
        _after(scene, any, to, old);
    }

    /// @notice withdraw from a pool: only the sender's credit pays; any amount.
    function check_pool_withdraw(Scene memory scene, Any memory any, uint256 amount) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.withdraw(amount);
        _after(scene, any, scene.sender, old);
    }

    /// @notice sweep of a pool: burned stake leaves, and nothing else.
    function check_pool_sweep(Scene memory scene, Any memory any) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.sweep();
        assert(PoolStorage.burned(pool) == 0);
        _after(scene, any, scene.sender, old);
    }

    /// @notice fund: the sender's credit moves into its own escrow, and the notice is withdrawn; any 128-bit amount.
    function check_pool_fund(Scene memory scene, Any memory any, uint128 amount) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.fund(amount);
        assert(PoolStorage.escrow(pool, scene.sender) >> 128 == 0);
        _after(scene, any, scene.sender, old);
    }

    /// @notice defund: an escrow goes back to its operator alone, an epoch after notice.
    function check_pool_defund(Scene memory scene, Any memory any) public {
        Books memory old = _before(scene, any, scene.sender);
        uint256 escrow = PoolStorage.escrow(pool, scene.sender);
        vm.prank(scene.sender);
        pool.defund();
        assert(escrow >> 128 > 0 && scene.time >= (escrow >> 128) + EPOCH);
        _after(scene, any, scene.sender, old);
    }

    /// @notice notice: no money moves.
    function check_pool_notice(Scene memory scene, Any memory any) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.notice();
        _after(scene, any, scene.sender, old);
    }
}

/// @dev Seats of a pool: bought, listed, closed, left.
contract PoolSeats is PoolBooks {
    /// @notice enroll: stake comes from the key's own credit, and no list that has begun changes; any number of
    /// seats, any account, one second of one epoch.
    function check_pool_enroll(Scene memory scene, Any memory any, uint256 moreSeats, address account) public {
        // As a number: the ring's slot of an epoch hangs on a division.
        scene.time = uint64(3000 * EPOCH + 12_345);
        vm.assume(any.epoch == 3000 || any.epoch == 2999 || any.epoch == 2998);
        scene.key = scene.sender;
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.enroll(moreSeats, account);
        uint256 member = PoolStorage.member(pool, scene.sender);
        assert(_lastEpoch(member) == 3001);
        assert(member & 0xffffff == (old.member & 0xffffff) + moreSeats && member & 0xffffff > 0);
        _after(scene, any, scene.sender, old);
    }

    /// @notice close: the account's key enrols no more, and keeps its seats.
    function check_pool_close(Scene memory scene, Any memory any) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.close(scene.key);
        assert(old.account == scene.sender);
        _after(scene, any, scene.sender, old);
    }

    /// @notice leave: stake and fees go to the key's account once its last epoch, exitDelay and any hold are over.
    function check_pool_leave(Scene memory scene, Any memory any) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.leave(scene.key);
        assert(old.account == scene.sender);
        assert(_mayLeave(scene, old));
        _after(scene, any, scene.sender, old);
    }

    /// @notice collect: fees alone go to the key's account, whoever asks for it.
    function check_pool_collect(Scene memory scene, Any memory any) public {
        address account = PoolStorage.account(pool, scene.key);
        Books memory old = _before(scene, any, account);
        vm.prank(scene.sender);
        pool.collect(scene.key);
        _after(scene, any, account, old);
    }
}

contract PoolMoneyReached is PoolMoney {
    function _after(Scene memory, Any memory, address, Books memory) internal pure override {
        assert(false);
    }
}

contract PoolSeatsReached is PoolSeats {
    function _after(Scene memory, Any memory, address, Books memory) internal pure override {
        assert(false);
    }
}
