// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeKind, PreImage, State} from "../../../contracts/interfaces/Types.sol";
import {Stamp} from "../../../contracts/libraries/StampLib.sol";
import {AnyResolver} from "./AnyResolver.sol";
import {Leaves} from "./Leaves.sol";
import {Ledger} from "./Ledger.sol";
import {Logic} from "./Logic.sol";
import {vm} from "./Vm.sol";

/// @dev How a dispute ends for the batch: the window, the mark of a batch whose disputes outlast its life, the bond.
contract Reopenings is Ledger {
    using Leaves for Leaves.Held;

    address private _resolver;

    function setUp() public override {
        super.setUp();
        _resolver = address(new AnyResolver());
        vm.setArbitraryStorage(_resolver);
    }

    /// @notice reveal of an unsigned leaf: the bond to the operator, the window as the rules say, lapsed past its life;
    /// any rules and times; leaf 1 of two.
    function check_revealUnsolicited(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        held.leaf.requester = address(0);
        _reveal(scene, probe, held, "", "", "");
        assert(!scene.rules.solicited && held.leaf.nonce == uint256(scene.batch.index) << 20 | 1);
    }

    /// @notice reveal of a signed leaf with bytes: as above, and the bytes hash to the leaf; 65 bytes of signature, 32
    /// of input and of output.
    function check_revealWithBytes(
        Scene memory scene,
        Probe memory probe,
        Leaves.Held memory held,
        bytes32[3] memory signature,
        bytes32 input,
        bytes32 output
    ) public {
        vm.assume(held.leaf.requester != address(0));
        scene.dispute.withBytes = true;
        bytes memory signed = abi.encodePacked(signature[0], signature[1], bytes1(signature[2]));
        _reveal(scene, probe, held, signed, abi.encode(input), abi.encode(output));
        assert(held.leaf.inputHash == keccak256(abi.encode(input)));
        assert(held.leaf.outputHash == keccak256(abi.encode(output)));
    }

    /// @notice resolve Upheld: half the bond to the operator, the rest burned, the window as the rules say, lapsed past
    /// its life; any rules and times.
    function check_uphold(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        scene.rules.arbiter = _resolver;
        PreImage memory preImage = _enter(scene, DisputeKind.Challenge);
        Books memory old = _before(scene, probe);
        Change memory change = _reopening(scene, scene.rules.rulingWindow, false);
        _splitBond(scene, change, scene.batch.operator);
        (, bytes memory answer) = _resolver.staticcall("");
        vm.assume(abi.decode(answer, (uint256)) == 1);
        vm.prank(scene.sender);
        registry.resolve(preImage, held.leaf, "");
        assert(_isIn(scene, State.Disputed) && scene.time <= scene.dispute.due);
        _after(scene, probe, old, change);
    }

    /// @notice lapse: half the bond to the challenger, the rest burned, the batch lapsed; any rules and times.
    function check_lapse(Scene memory scene, Probe memory probe) public {
        PreImage memory preImage = _enter(scene, DisputeKind.Challenge);
        Books memory old = _before(scene, probe);
        Change memory change = _reopening(scene, scene.rules.rulingWindow, true);
        _splitBond(scene, change, scene.dispute.party);
        vm.prank(scene.sender);
        registry.lapse(preImage);
        assert(_isIn(scene, State.Disputed) && scene.time > scene.dispute.due);
        _after(scene, probe, old, change);
    }

    function _reveal(
        Scene memory scene,
        Probe memory probe,
        Leaves.Held memory held,
        bytes memory signature,
        bytes memory input,
        bytes memory output
    ) private {
        PreImage memory preImage = _enter(scene, DisputeKind.Demand);
        Books memory old = _before(scene, probe);
        Change memory change = _reopening(scene, scene.rules.responseWindow, false);
        change.bondBefore = change.reward = scene.rules.demandBond;
        change.payee = scene.batch.operator;
        vm.prank(scene.sender);
        registry.reveal(preImage, held.opening(1), signature, input, output);
        assert(_isIn(scene, State.Disputed) && scene.time <= scene.dispute.due);
        assert(1 == scene.dispute.leafIndex);
        _after(scene, probe, old, change);
    }

    /// @dev The word after: max(time left when the dispute began, responseWindow) on the clock, lapsed if that passes
    /// committedAt + challengeWindow + 16 responseWindow + 4 rulingWindow, or already.
    function _reopening(Scene memory scene, uint256 window, bool lapsed) private pure returns (Change memory c) {
        (uint256 due, uint256 until) = (scene.dispute.due, scene.stamp.closesAt());
        // A dispute begins between commit and closesAt, and ends for the batch later.
        vm.assume(due >= window + scene.stamp.committedAt());
        vm.assume(due < window + until && due <= scene.time + window);
        unchecked {
            uint256 left = until + window - due;
            uint256 closesAt = scene.time + Logic.max(left, scene.rules.responseWindow);
            uint256 last = uint256(scene.stamp.committedAt()) + scene.rules.challengeWindow + 16
                * uint256(scene.rules.responseWindow) + 4 * uint256(scene.rules.rulingWindow);
            Stamp stamp = Stamp.wrap(bytes32(uint256(Stamp.unwrap(scene.stamp)) >> 40 << 40 | closesAt));
            uint256 stateByte = _byte(scene.stateByte, State.Open, Logic.or(lapsed, closesAt > last));
            c.word = _sealed(scene.batch, stamp, stateByte);
        }
    }

    function _splitBond(Scene memory scene, Change memory c, address payee) private pure {
        c.bondBefore = scene.rules.challengeBond;
        (c.payee, c.reward) = (payee, c.bondBefore / 2);
        c.burned = c.bondBefore - c.reward;
    }
}

contract ReopeningsReached is Reopenings {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}
