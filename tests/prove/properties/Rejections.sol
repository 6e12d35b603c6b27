// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeKind, PreImage, State} from "../../../contracts/interfaces/Types.sol";
import {AnyResolver} from "./AnyResolver.sol";
import {Leaves} from "./Leaves.sol";
import {Ledger} from "./Ledger.sol";
import {Logic} from "./Logic.sol";
import {vm} from "./Vm.sol";

/// @dev Every way to reject a batch.
contract Rejections is Ledger {
    using Logic for bool;
    using Leaves for Leaves.Held;

    address private _resolver;

    function setUp() public override {
        super.setUp();
        _resolver = address(new AnyResolver());
        vm.setArbitraryStorage(_resolver);
    }

    /// @notice timeout of a demand: slash, reward, bond and burn add up; only a disputed batch past its due second is
    /// rejected; any rules, count, times.
    function check_timeout(Scene memory scene, Probe memory probe) public {
        PreImage memory preImage = _enter(scene, DisputeKind.Demand);
        Books memory old = _before(scene, probe);
        Change memory change = _rejection(scene, old, scene.dispute.party);
        vm.prank(scene.sender);
        registry.timeout(preImage);
        assert(_isIn(scene, State.Disputed) && scene.time > scene.dispute.due);
        _after(scene, probe, old, change);
    }

    /// @notice resolve Rejected: slash, reward, bond and burn add up; only a disputed batch within its due second is
    /// rejected; any rules, count, times.
    function check_resolve(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        scene.rules.arbiter = _resolver;
        PreImage memory preImage = _enter(scene, DisputeKind.Challenge);
        Books memory old = _before(scene, probe);
        Change memory change = _rejection(scene, old, scene.dispute.party);
        _answer(2);
        vm.prank(scene.sender);
        registry.resolve(preImage, held.leaf, "");
        assert(_isIn(scene, State.Disputed) && scene.time <= scene.dispute.due);
        _after(scene, probe, old, change);
    }

    /// @notice disprove of an open batch: slash, reward and burn add up; leaf 1 of two, any rules.
    function check_disproveUndisputed(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        _disprove(scene, probe, held, DisputeKind.None, scene.sender);
    }

    /// @notice disprove of the challenged leaf: the reward is the challenger's; slash, reward, bond and burn add up;
    /// leaf 1 of two, any rules.
    function check_disproveChallengedLeaf(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        vm.assume(1 == scene.dispute.leafIndex);
        _disprove(scene, probe, held, DisputeKind.Challenge, scene.dispute.party);
    }

    /// @notice disprove of another leaf than the challenged: the reward is the sender's, the bond the challenger's;
    /// they add up with slash and burn; leaf 1 of two, any rules.
    function check_disproveOtherLeaf(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        vm.assume(1 != scene.dispute.leafIndex);
        _disprove(scene, probe, held, DisputeKind.Challenge, scene.sender);
    }

    /// @notice faultOrder of an open batch: slash, reward and burn add up; both leaves of two, any rules.
    function check_faultOrder(Scene memory scene, Probe memory probe, Leaves.Held memory held, Leaves.Held memory other)
        public
    {
        PreImage memory preImage = _enter(scene, DisputeKind.None);
        Books memory old = _before(scene, probe);
        Change memory change = _rejection(scene, old, scene.sender);
        vm.prank(scene.sender);
        registry.faultOrder(preImage, held.opening(0), other.opening(1));
        _afterFault(scene, probe, old, change);
    }

    /// @notice faultDeadline of a demanded batch: the reward is the sender's, the bond the demander's; they add up with
    /// slash and burn; leaf 1 of two, any rules.
    function check_faultDeadline(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        PreImage memory preImage = _enter(scene, DisputeKind.Demand);
        Books memory old = _before(scene, probe);
        Change memory change = _rejection(scene, old, scene.sender);
        vm.prank(scene.sender);
        registry.faultDeadline(preImage, held.opening(1));
        _afterFault(scene, probe, old, change);
    }

    /// @notice faultRepeat of an open batch: slash, reward and burn add up; two batches of two leaves, any rules.
    function check_faultRepeat(
        Scene memory scene,
        Probe memory probe,
        Leaves.Held memory held,
        Leaves.Held memory other,
        PreImage memory earlier
    ) public {
        PreImage memory preImage = _enter(scene, DisputeKind.None);
        earlier.batch.networkId = NETWORK;
        earlier.batch.operator = scene.batch.operator;
        earlier.dispute = scene.dispute;
        Books memory old = _before(scene, probe);
        Change memory change = _rejection(scene, old, scene.sender);
        vm.prank(scene.sender);
        registry.faultRepeat(preImage, held.opening(0), earlier, other.opening(1));
        _afterFault(scene, probe, old, change);
    }

    function _disprove(Scene memory scene, Probe memory probe, Leaves.Held memory held, DisputeKind kind, address payee)
        private
    {
        scene.rules.arbiter = _resolver;
        PreImage memory preImage = _enter(scene, kind);
        Books memory old = _before(scene, probe);
        Change memory change = _rejection(scene, old, payee);
        _answer(2);
        vm.prank(scene.sender);
        registry.disprove(preImage, held.opening(1), "");
        _afterFault(scene, probe, old, change);
    }

    function _answer(uint256 word) private view {
        (, bytes memory answer) = _resolver.staticcall("");
        vm.assume(abi.decode(answer, (uint256)) == word);
    }

    function _afterFault(Scene memory scene, Probe memory probe, Books memory old, Change memory change) private view {
        assert(_isIn(scene, State.Open).or(_isIn(scene, State.Disputed)));
        _after(scene, probe, old, change);
    }

    /// @dev What a rejection does: the stake slashed, a bounded reward to the payee, the rest burned, the bond back.
    function _rejection(Scene memory scene, Books memory old, address payee) private pure returns (Change memory c) {
        (uint256 open, uint256 count) = (old.lane.openInferences, scene.batch.count);
        // An open or disputed batch is counted in its lane.
        vm.assume(open >= count);
        _splitLocked(scene, open, count);
        unchecked {
            // By a name each: sums of names are easier to prove than sums of products.
            vm.assume(scene.slash == uint256(scene.rules.stakePerInference) * count);
            vm.assume(scene.reward == Logic.min(scene.slash / 2, 16 * uint256(scene.rules.challengeBond)));
            (c.slashed, c.burned) = (scene.slash, uint256(scene.slash) - scene.reward);
        }
        if (scene.dispute.kind == DisputeKind.Demand) c.bondBefore = scene.rules.demandBond;
        if (scene.dispute.kind == DisputeKind.Challenge) c.bondBefore = scene.rules.challengeBond;
        (c.payee, c.reward) = (payee, scene.reward);
        if (payee == scene.dispute.party) c.reward += c.bondBefore;
        else (c.party, c.refund) = (scene.dispute.party, c.bondBefore);
        c.closed = c.counted.rejected = count;
        c.word = _sealed(scene.batch, scene.stamp, uint256(State.Rejected));
    }
}

contract RejectionsReached is Rejections {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}
