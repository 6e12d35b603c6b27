// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeKind} from "../../../contracts/interfaces/Types.sol";
import {MockToken} from "../../../contracts/mocks/MockToken.sol";
import {Ledger} from "./Ledger.sol";
import {vm} from "./Vm.sol";

/// @dev Money in, out, and between credit and stake; in coins here, in a token below.
contract Coins is Ledger {
    address internal constant PAYEE = address(0xbeef);

    function _asset() internal view virtual returns (address) {
        return address(0);
    }

    /// @dev The registry holds what it must, and the sender has what it may send.
    function _open(Scene memory scene, Probe memory probe) internal virtual returns (Books memory old) {
        scene.rules.asset = _asset();
        scene.batch.operator = scene.sender;
        _setRules(scene.rules);
        vm.assume(scene.sender != address(registry) && scene.sender != PAYEE);
        vm.deal(address(registry), scene.held);
        vm.assume(_balance() < MOST_CREDIT);
        old = _before(scene, probe);
    }

    /// @notice deposit, of coins or of an ERC-20 token: credit of the sender grows by what the balance does; any amount below 2^96.
    function check_deposit(Scene memory scene, Probe memory probe, uint96 amount) public {
        Books memory old = _open(scene, probe);
        Change memory change;
        change.word = old.word;
        change.received = change.reward = amount;
        change.payee = scene.sender;
        _deposit(scene, amount);
        _after(scene, probe, old, change);
    }

    /// @notice withdraw, of coins or of an ERC-20 token: only the sender's credit pays, and the balance falls by as much; any amount below
    /// 2^96.
    function check_withdraw(Scene memory scene, Probe memory probe, uint96 amount) public {
        Books memory old = _open(scene, probe);
        Change memory change;
        change.word = old.word;
        change.sent = change.paid = amount;
        vm.prank(scene.sender);
        registry.withdraw(scene.rules.asset, PAYEE, amount);
        _after(scene, probe, old, change);
    }

    /// @notice sweep, of coins or of an ERC-20 token: swept becomes burned, and the balance falls by the difference; any burned amount below
    /// 2^153.
    function check_sweep(Scene memory scene, Probe memory probe) public {
        Books memory old = _open(scene, probe);
        Change memory change;
        change.word = old.word;
        change.sent = change.swept = old.totals.burned - old.swept;
        vm.prank(scene.sender);
        registry.sweep(NETWORK);
        assert(change.sent > 0);
        _after(scene, probe, old, change);
    }

    function _deposit(Scene memory scene, uint256 amount) internal virtual {
        vm.deal(scene.sender, amount);
        vm.prank(scene.sender);
        registry.deposit{value: amount}(address(0), amount);
    }
}

contract Stakes is Ledger {
    /// @notice stake: moves the sender's credit into its lane; any 128-bit amount, any asset.
    function check_stake(Scene memory scene, Probe memory probe, uint128 amount) public {
        Books memory old = _open(scene, probe);
        Change memory change;
        change.word = old.word;
        change.paid = change.staked = amount;
        vm.assume(uint256(old.lane.stake) + amount < 1 << 128); // else it reverts
        vm.prank(scene.sender);
        registry.stake(NETWORK, amount);
        _after(scene, probe, old, change);
    }

    /// @notice unstake: moves the lane's stake into the sender's credit and leaves what open inferences lock; any
    /// 128-bit amount, any asset.
    function check_unstake(Scene memory scene, Probe memory probe, uint128 amount) public {
        Books memory old = _open(scene, probe);
        Change memory change;
        change.word = old.word;
        change.slashed = change.reward = amount;
        change.payee = scene.sender;
        vm.prank(scene.sender);
        registry.unstake(NETWORK, amount);
        _after(scene, probe, old, change);
    }

    function _open(Scene memory scene, Probe memory probe) private returns (Books memory old) {
        scene.batch.operator = scene.sender;
        _setRules(scene.rules);
        old = _before(scene, probe);
        _splitLocked(scene, old.lane.openInferences, 0);
    }
}

contract Tokens is Coins {
    MockToken private _token;

    function setUp() public override {
        super.setUp();
        _token = new MockToken();
        vm.setArbitraryStorage(address(_token));
    }

    function _asset() internal view override returns (address) {
        return address(_token);
    }

    function _balance() internal view override returns (uint256) {
        return _token.balanceOf(address(registry));
    }

    function _deposit(Scene memory scene, uint256 amount) internal override {
        vm.prank(scene.sender);
        registry.deposit(address(_token), amount);
    }
}

contract CoinsReached is Coins {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}

contract StakesReached is Stakes {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}

contract TokensReached is Tokens {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}
