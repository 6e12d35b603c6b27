// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batch, Commitment, DisputeKind, ModelTerms, State, Totals} from "../../../contracts/interfaces/Types.sol";
import {StampLib} from "../../../contracts/libraries/StampLib.sol";
import {Ledger} from "./Ledger.sol";
import {vm} from "./Vm.sol";

/// @dev Commits to a free slot, and over the slot of a finalizable batch.
contract Commits is Ledger {
    uint256 private constant MOST_COMMITTED = (1 << 51) - 1;
    uint256 private constant MOST_OPEN = (1 << 48) - 1;

    /// @notice commit to a slot that is unused, final or rejected: counts the batch, locks its stake, keeps committed
    /// <= 2^51 - 1, open <= 2^48 - 1, index < 2^44; any commitment.
    function check_commitToFreeSlot(Scene memory scene, Probe memory probe, Commitment memory c) public {
        _setRules(scene.rules);
        _setTime(scene);
        scene.batch.operator = scene.sender;
        uint256 state = uint256(_word(scene)) & 7;
        vm.assume(state != uint256(State.Open)); // see below
        Books memory old = _before(scene, probe);
        Change memory change;
        _commit(scene, probe, old, change, c, 0);
        assert(state != uint256(State.Disputed));
    }

    /// @notice commit over an open batch, an hour after its closesAt: finalizes that one and counts the new one; bounds
    /// as above; any commitment.
    function check_commitOverBatch(Scene memory scene, Probe memory probe, Commitment memory c) public {
        _enter(scene, DisputeKind.None);
        vm.assume(scene.sender == scene.batch.operator);
        vm.assume(_isIn(scene, State.Open));
        c.replacedId = keccak256(abi.encode(scene.batch));
        c.replacedStamp = scene.stamp;
        Books memory old = _before(scene, probe);
        Change memory change;
        vm.assume(old.lane.openInferences >= scene.batch.count);
        change.closed = scene.batch.count;
        _count(change.counted, scene.stateByte, scene.batch.count);
        _commit(scene, probe, old, change, c, scene.batch.count);
        assert(scene.time >= uint256(scene.stamp.closesAt()) + 1 hours);
    }

    function _commit(
        Scene memory scene,
        Probe memory probe,
        Books memory old,
        Change memory change,
        Commitment memory c,
        uint256 finalized
    ) private {
        (c.networkId, c.slot) = (NETWORK, scene.stamp.slot());
        ModelTerms memory terms = registry.modelTerms(NETWORK, c.modelId);
        vm.assume(
            terms.stakePerInference == scene.rules.stakePerInference
                && terms.challengeWindow == scene.rules.challengeWindow
        );
        change.counted.committed = change.opened = c.count;
        change.batches = 1;
        Batch memory batch =
            Batch(NETWORK, scene.sender, old.lane.nextIndex, c.modelId, c.root, c.count, c.commitDeadline);
        change.word = _sealed(
            batch,
            StampLib.pack(c.slot, c.count, scene.time, scene.number, scene.time + scene.rules.challengeWindow),
            uint256(State.Open)
        );
        vm.prank(scene.sender);
        registry.commit(c);
        unchecked {
            assert(c.count > 0 && c.count <= 1 << 20 && scene.time <= c.commitDeadline);
            assert(old.totals.committed + c.count <= MOST_COMMITTED);
            assert(uint256(old.lane.openInferences) + c.count - finalized <= MOST_OPEN);
            assert(c.index == old.lane.nextIndex && c.index < 1 << 44);
        }
        _after(scene, probe, old, change);
    }
}

contract CommitsReached is Commits {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}
