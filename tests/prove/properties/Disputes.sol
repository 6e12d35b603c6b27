// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Dispute, DisputeKind, Grade, PreImage, State} from "../../../contracts/interfaces/Types.sol";
import {Leaves} from "./Leaves.sol";
import {Ledger} from "./Ledger.sol";
import {vm} from "./Vm.sol";

/// @dev How a dispute begins.
contract Disputes is Ledger {
    using Leaves for Leaves.Held;

    /// @notice challenge: takes the bond from the sender's credit, and turns an open batch, before closesAt and not
    /// Proven, into a disputed one; any rules; leaf 1 of two.
    function check_challenge(Scene memory scene, Probe memory probe, Leaves.Held memory held) public {
        PreImage memory preImage = _enter(scene, DisputeKind.None);
        bytes32 leaf = Leaves.hash(scene.batch, held.leaf);
        Dispute memory dispute =
            Dispute(DisputeKind.Challenge, false, scene.sender, 1, uint40(scene.time + scene.rules.rulingWindow), leaf);
        Change memory change = _dispute(scene, dispute, scene.rules.challengeBond);
        Books memory old = _before(scene, probe);
        vm.prank(scene.sender);
        registry.challenge(preImage.batch, preImage.stamp, held.opening(1));
        assert(scene.rules.arbiter != address(0));
        assert((scene.stateByte >> 4) != uint256(Grade.Proven));
        _afterDispute(scene, probe, old, change);
    }

    /// @notice demand: takes the bond from the sender's credit, and turns an open batch, before closesAt, into a
    /// disputed one; any rules, count, leaf.
    function check_demand(Scene memory scene, Probe memory probe, uint32 leafIndex, bool withBytes) public {
        PreImage memory preImage = _enter(scene, DisputeKind.None);
        Dispute memory dispute = Dispute(
            DisputeKind.Demand, withBytes, scene.sender, leafIndex, uint40(scene.time + scene.rules.responseWindow), 0
        );
        Change memory change = _dispute(scene, dispute, scene.rules.demandBond);
        Books memory old = _before(scene, probe);
        vm.prank(scene.sender);
        registry.demand(preImage.batch, preImage.stamp, leafIndex, withBytes);
        assert(leafIndex < scene.batch.count);
        _afterDispute(scene, probe, old, change);
    }

    function _dispute(Scene memory scene, Dispute memory dispute, uint256 bond) private pure returns (Change memory c) {
        c.paid = c.bondAfter = bond;
        c.word = _sealed(scene.batch, scene.stamp, dispute, scene.stateByte & 0x38 | uint256(State.Disputed));
    }

    function _afterDispute(Scene memory scene, Probe memory probe, Books memory old, Change memory change)
        private
        view
    {
        assert(_isIn(scene, State.Open) && scene.time < scene.stamp.closesAt());
        _after(scene, probe, old, change);
    }
}

contract DisputesReached is Disputes {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}
