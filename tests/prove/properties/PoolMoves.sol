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
    /// @notice enroll: the key's seats grow by what it asked for, and no list that has begun changes, nor anybody else's
    /// books; any number of seats, any account, one second of one epoch, the oldest list or the one that is.
    function check_pool_enroll(Scene memory scene, Any memory any, uint256 moreSeats, address account, bool oldest)
        public
    {
        Books memory old = _enroll(scene, any, moreSeats, account, oldest);
        uint256 member = PoolStorage.member(pool, scene.sender);
        assert(_lastEpoch(member) == 3001);
        assert(member & 0xffffff == (old.member & 0xffffff) + moreSeats && member & 0xffffff > 0);
        _afterKeeps(scene, any, scene.sender, old);
    }

    /// @notice enroll: the key's own credit pays each seat that it asked for, and what it has earned stays; as above.
    function check_pool_stake(Scene memory scene, Any memory any, uint256 moreSeats, address account) public {
        uint256 credit = PoolStorage.credit(pool, scene.sender);
        Books memory old = _enroll(scene, any, moreSeats, account, false);
        unchecked {
            assert(PoolStorage.credit(pool, scene.sender) == credit - moreSeats * SEAT_STAKE);
        }
        assert(moreSeats * SEAT_STAKE <= credit);
        assert(PoolStorage.member(pool, scene.sender) >> 96 == old.member >> 96);
        _end();
    }

    function _enroll(Scene memory scene, Any memory any, uint256 moreSeats, address account, bool oldest)
        private
        returns (Books memory old)
    {
        // As numbers: the ring's slot of an epoch hangs on a division.
        scene.time = uint64(3000 * EPOCH + 12_345);
        if (oldest) any.epoch = 2998;
        else any.epoch = 3000;
        scene.key = scene.sender;
        old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.enroll(moreSeats, account);
    }

    /// @notice close: the account's key enrols no more, and keeps its seats.
    function check_pool_close(Scene memory scene, Any memory any) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.close(scene.key);
        assert(old.account == scene.sender);
        _after(scene, any, scene.sender, old);
    }

    /// @notice leave: a key's account alone, once its last epoch, exitDelay and any hold are over, to the second;
    /// nobody else's books change; one last epoch.
    function check_pool_leave(Scene memory scene, Any memory any) public {
        Books memory old = _leave(scene, any);
        assert(_mayLeave(scene, old));
        assert(PoolStorage.member(pool, scene.key) & 0xffffff == 0);
        _afterKeeps(scene, any, scene.sender, old);
    }

    /// @notice leave: what goes to the account's credit is stake and fees, no more and no less; one last epoch.
    function check_pool_exit(Scene memory scene, Any memory any) public {
        uint256 credit = PoolStorage.credit(pool, PoolStorage.account(pool, scene.key));
        Books memory old = _leave(scene, any);
        uint256 member = PoolStorage.member(pool, scene.key);
        assert(member & 0xffffff == 0 && member >> 96 == 0);
        unchecked {
            uint256 owed = (old.member & 0xffffff) * SEAT_STAKE + (old.member >> 96);
            assert(PoolStorage.credit(pool, scene.sender) == credit + owed);
        }
        _end();
    }

    /// @notice leave by anybody but the key's account reverts; any storage, key and sender.
    function check_pool_leave_of_others(Scene memory scene, Any memory any) public {
        Books memory old = _before(scene, any, scene.sender);
        vm.assume(old.account != scene.sender);
        vm.prank(scene.sender);
        (bool left,) = address(pool).call(abi.encodeCall(pool.leave, (scene.key)));
        assert(!left);
        _afterKeeps(scene, any, scene.sender, old);
    }

    function _end() internal virtual {}

    function _leave(Scene memory scene, Any memory any) private returns (Books memory old) {
        // As a number: a checked product with a constant is a division. Of other senders it reverts.
        PoolStorage.setLastEpoch(pool, scene.key, 2990);
        scene.sender = PoolStorage.account(pool, scene.key);
        old = _before(scene, any, scene.sender);
        vm.prank(scene.sender);
        pool.leave(scene.key);
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

    function _end() internal pure override {
        assert(false);
    }

    function _afterKeeps(Scene memory, Any memory, address, Books memory) internal pure override {
        assert(false);
    }
}
