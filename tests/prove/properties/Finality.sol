// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BatchRef, DisputeKind, Grade, PreImage, State, Totals} from "../../../contracts/interfaces/Types.sol";
import {AnyResolver} from "./AnyResolver.sol";
import {Ledger} from "./Ledger.sol";
import {vm} from "./Vm.sol";

/// @dev What becomes of a batch that nobody rejects.
contract Finality is Ledger {
    address private _resolver;

    function setUp() public override {
        super.setUp();
        _resolver = address(new AnyResolver());
        vm.setArbitraryStorage(_resolver);
    }

    /// @notice finalize: an open batch, from closesAt on, becomes final and counts once, for the outcome that its word
    /// names; any count, grade, lapse.
    function check_finalize(Scene memory scene, Probe memory probe) public {
        PreImage memory preImage = _enter(scene, DisputeKind.None);
        Books memory old = _before(scene, probe);
        Change memory change;
        vm.assume(old.lane.openInferences >= scene.batch.count);
        _splitLocked(scene, old.lane.openInferences, scene.batch.count);
        change.closed = scene.batch.count;
        _count(change.counted, scene.stateByte, scene.batch.count);
        change.word = _sealed(scene.batch, scene.stamp, _byte(scene.stateByte, State.Final, false));
        BatchRef[] memory refs = new BatchRef[](1);
        refs[0] = BatchRef(keccak256(abi.encode(preImage.batch)), preImage.stamp);
        vm.prank(scene.sender);
        registry.finalize(refs, NETWORK, scene.batch.operator);
        assert(_isIn(scene, State.Open) && scene.time >= scene.stamp.closesAt());
        _after(scene, probe, old, change);
    }

    /// @notice archive: moves nothing but the archive, and only of a final batch.
    function check_archive(Scene memory scene, Probe memory probe) public {
        PreImage memory preImage = _enter(scene, DisputeKind.None);
        Books memory old = _before(scene, probe);
        Change memory change;
        change.word = old.word;
        vm.prank(scene.sender);
        registry.archive(NETWORK, scene.batch.operator, BatchRef(keccak256(abi.encode(preImage.batch)), preImage.stamp));
        assert(_isIn(scene, State.Final));
        _after(scene, probe, old, change);
    }

    /// @notice attest: raises the grade of an open batch before closesAt, and moves nothing else; any attestor that
    /// answers.
    function check_attest(Scene memory scene, Probe memory probe, uint8 grade) public {
        vm.assume(grade <= uint8(Grade.Proven));
        (scene.rules.attestors[0], scene.rules.attestors[1], scene.rules.attestors[2]) =
        (_resolver, _resolver, _resolver);
        PreImage memory preImage = _enter(scene, DisputeKind.None);
        Books memory old = _before(scene, probe);
        Change memory change;
        change.word = _sealed(scene.batch, scene.stamp, scene.stateByte & 0x0f | uint256(grade) << 4);
        vm.prank(scene.sender);
        registry.attest(preImage.batch, preImage.stamp, Grade(grade), "");
        assert(_isIn(scene, State.Open) && scene.time < scene.stamp.closesAt() && grade > scene.stateByte >> 4);
        _after(scene, probe, old, change);
    }
}

contract FinalityReached is Finality {
    function _after(Scene memory, Probe memory, Books memory, Change memory) internal pure override {
        assert(false);
    }
}
