// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPool, PoolTerms} from "../../../contracts/pool/IPool.sol";
import {AnyResolver} from "./AnyResolver.sol";
import {Logic} from "./Logic.sol";
import {PoolStorage} from "./PoolStorage.sol";
import {vm} from "./Vm.sol";

/// @dev The pool as it is deployed, in coins, every word of its storage symbolic; its terms are numbers. What each move
/// keeps: what the pool owes moves as its balance does, nobody else's books are touched, lists that have begun stay.
abstract contract PoolBooks {
    uint256 internal constant EPOCH = 7 days;
    uint256 internal constant SEAT_STAKE = 1 << 10;
    uint256 internal constant EXIT_DELAY = 30 days;
    uint256 internal constant RULE_FEE = 7;
    uint256 internal constant PANEL = 15;
    uint256 internal constant MOST = 1 << 120;
    uint256 internal constant LAST_SECOND = 1 << 38;
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    IPool internal pool;

    /// @dev Who moves, and whose books they are.
    struct Scene {
        address sender;
        address key; // a member
        uint64 time;
        uint64 number; // of the block
        uint96 held; // coins of the pool
    }

    /// @dev Any account, key, operator, list, record and case: what holds of these holds of all.
    struct Any {
        address account;
        address key;
        address operator;
        uint64 epoch; // whose list has begun, in a slot of the ring that is its own still
        uint32 entry;
        bytes32 batchId;
        bytes32 caseId;
    }

    struct Books {
        uint256 owed; // to those whom the move is about
        uint256 balance; // of the pool
        uint256 member; // of the scene's key
        address account; // of the scene's key
        uint256 credit; // from here on: what the probe names
        uint256 anyMember;
        address anyAccount;
        uint256 escrow;
        uint256 header;
        uint256 entry;
        uint256 record;
        uint256 opened;
    }

    function setUp() public virtual {
        address core = address(new AnyResolver());
        vm.etch(HISTORY, core.code);
        PoolTerms memory terms;
        terms.seatStake = uint96(SEAT_STAKE);
        terms.minSeats = uint40(8 * PANEL);
        terms.panel = uint8(PANEL);
        terms.minDrawn = 32;
        terms.seedDelay = 8;
        terms.exitDelay = uint32(EXIT_DELAY);
        terms.feePerLeaf = 3;
        terms.ruleFee = uint96(RULE_FEE);
        bytes memory code = bytes.concat(vm.getCode(".cache/prove/Pool.json"), abi.encode(core, terms));
        address account;
        assembly ("memory-safe") {
            account := create(0, add(code, 0x20), mload(code))
        }
        pool = IPool(account);
        vm.setArbitraryStorage(account);
    }

    /// @dev `payee` is whose credit may grow, beside the sender's.
    function _before(Scene memory scene, Any memory any, address payee) internal returns (Books memory old) {
        vm.assume(scene.time > 4 * EPOCH && scene.time < LAST_SECOND && scene.number < LAST_SECOND);
        vm.assume(scene.sender != address(0) && scene.sender != address(pool) && scene.sender.code.length == 0);
        vm.warp(scene.time);
        vm.roll(scene.number);
        uint256 member = PoolStorage.member(pool, scene.key);
        vm.assume(member >> 96 < MOST && (member >> 88 & 0xff) <= 3 && member >> 224 == 0);
        vm.assume(PoolStorage.credit(pool, scene.sender) < MOST && PoolStorage.credit(pool, payee) < MOST);
        uint256 escrow = PoolStorage.escrow(pool, scene.sender);
        vm.assume(escrow >> 168 == 0 && uint128(escrow) < MOST && PoolStorage.burned(pool) < MOST);
        vm.deal(address(pool), scene.held);
        old = _books(scene, any, payee);
    }

    /// @dev What the move must have kept.
    function _after(Scene memory scene, Any memory any, address payee, Books memory old) internal virtual {
        Books memory now_ = _books(scene, any, payee);
        _owes(old, now_);
        _keeps(scene, any, payee, old, now_);
    }

    /// @dev The part of _after on what stays.
    function _afterKeeps(Scene memory scene, Any memory any, address payee, Books memory old) internal virtual {
        _keeps(scene, any, payee, old, _books(scene, any, payee));
    }

    function _owes(Books memory old, Books memory now_) private pure {
        unchecked {
            // Modulo 2^256; every part is below 2^128.
            assert(now_.owed - old.owed == now_.balance - old.balance);
        }
    }

    function _keeps(Scene memory scene, Any memory any, address payee, Books memory old, Books memory now_)
        private
        pure
    {
        assert(Logic.or(Logic.or(any.account == scene.sender, any.account == payee), now_.credit == old.credit));
        assert(Logic.or(any.key == scene.key, now_.anyMember == old.anyMember && now_.anyAccount == old.anyAccount));
        assert(Logic.or(any.operator == scene.sender, now_.escrow == old.escrow));
        assert(now_.header == old.header && now_.entry == old.entry);
        assert(now_.record == old.record);
        assert(now_.opened == old.opened);
        // Seats fall for whoever has waited, and for nobody else.
        assert(Logic.or(now_.member & 0xffffff >= old.member & 0xffffff, _mayLeave(scene, old)));
        assert(Logic.or(old.member >> 88 & 0xff == 0, now_.account == old.account));
    }

    function _books(Scene memory scene, Any memory any, address payee) private view returns (Books memory books) {
        uint256 member = PoolStorage.member(pool, scene.key);
        unchecked {
            books.owed = PoolStorage.credit(pool, scene.sender)
                + Logic.times(payee != scene.sender, PoolStorage.credit(pool, payee)) + (member & 0xffffff) * SEAT_STAKE
                + (member >> 96) + uint128(PoolStorage.escrow(pool, scene.sender)) + PoolStorage.burned(pool);
        }
        books.balance = address(pool).balance;
        books.member = member;
        books.account = PoolStorage.account(pool, scene.key);
        books.credit = PoolStorage.credit(pool, any.account);
        books.anyMember = PoolStorage.member(pool, any.key);
        books.anyAccount = PoolStorage.account(pool, any.key);
        books.escrow = PoolStorage.escrow(pool, any.operator);
        books.header = PoolStorage.header(pool, any.epoch);
        books.entry = PoolStorage.entry(pool, any.epoch, any.entry);
        books.record = PoolStorage.record(pool, any.batchId);
        books.opened = PoolStorage.opened(pool, any.caseId);
    }

    function _mayLeave(Scene memory scene, Books memory old) internal pure returns (bool) {
        unchecked {
            uint256 until = (_lastEpoch(old.member) + 1) * EPOCH + EXIT_DELAY;
            bool waited = Logic.and(scene.time >= until, scene.time >= _heldUntil(old.member));
            return Logic.and(waited, Logic.equal(scene.sender, old.account));
        }
    }

    function _lastEpoch(uint256 member) internal pure returns (uint256) {
        return member >> 24 & 0xffffff;
    }

    function _heldUntil(uint256 member) internal pure returns (uint256) {
        return member >> 48 & 0xffffffffff;
    }
}
