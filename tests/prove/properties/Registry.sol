// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";

import {ITallystick} from "../../../contracts/interfaces/ITallystick.sol";
import {Batch, Dispute, DisputeKind, PreImage, Rules, State} from "../../../contracts/interfaces/Types.sol";
import {Stamp} from "../../../contracts/libraries/StampLib.sol";
import {Logic} from "./Logic.sol";
import {Storage} from "./Storage.sol";
import {vm} from "./Vm.sol";

/// @dev The registry as it is deployed, every word of its storage symbolic, with one network whose rules are symbolic too.
abstract contract Registry {
    bytes32 internal constant NETWORK = keccak256("network");
    uint256 internal constant LAST_SECOND = 1 << 39;

    ITallystick internal registry;

    /// @dev What an action meets: rules, a batch of the network with its slot's word, who acts, and when.
    struct Scene {
        Rules rules;
        Batch batch;
        Stamp stamp;
        Dispute dispute;
        uint256 stateByte;
        address sender;
        uint256 time;
        uint256 number;
        uint128 slash; // of a rejection
        uint128 reward; // of a rejection
        uint96 held; // coins of the registry
    }

    function setUp() public virtual {
        bytes memory code = vm.getCode(".cache/prove/Tallystick.json");
        address account;
        assembly ("memory-safe") {
            account := create(0, add(code, 0x20), mload(code))
        }
        registry = ITallystick(account);
        vm.setArbitraryStorage(account);
    }

    /// @dev Rules as registerNetwork lets them pass, at the address where the registry looks for them.
    function _setRules(Rules memory rules) internal {
        vm.assume(
            rules.responseWindow > 0 && rules.rulingWindow > 0 && rules.challengeWindow <= 365 days
                && rules.rulingWindow <= 365 days && rules.responseWindow <= rules.challengeWindow / 2
        );
        vm.assume(rules.maxBytes <= 90_000);
        vm.assume(Logic.or(rules.arbiter == address(0), rules.challengeBond > 0));
        vm.etch(Create3.computeAddress(NETWORK, address(registry)), abi.encodePacked(bytes1(0), abi.encode(rules)));
        vm.assume(registry.ownerOf(NETWORK) != address(0));
    }

    function _setTime(Scene memory scene) internal {
        vm.assume(scene.time < LAST_SECOND && scene.number < LAST_SECOND);
        vm.assume(scene.sender != address(0));
        vm.warp(scene.time);
        vm.roll(scene.number);
    }

    /// @dev The batch, as the registry seals it, is what the slot's word opens; the state byte is what it may be.
    function _setBatch(Scene memory scene, DisputeKind kind) internal view returns (PreImage memory preImage) {
        (Batch memory batch, Stamp stamp, Dispute memory dispute) = (scene.batch, scene.stamp, scene.dispute);
        batch.networkId = NETWORK;
        dispute.kind = kind;
        if (kind == DisputeKind.None) scene.dispute = dispute = Dispute(kind, false, address(0), 0, 0, 0);
        vm.assume(batch.count > 0 && batch.count <= 1 << 20 && batch.count == stamp.count());
        vm.assume(stamp.committedAt() <= scene.time && stamp.committedAt() < stamp.closesAt());
        vm.assume(stamp.closesAt() < 2 * LAST_SECOND - 365 days);
        vm.assume(uint256(Stamp.unwrap(stamp)) >> 176 == 0);
        vm.assume(scene.stateByte < 0x40);
        vm.assume(
            _word(scene)
                == (kind == DisputeKind.None
                        ? _sealed(batch, stamp, scene.stateByte)
                        : _sealed(batch, stamp, dispute, scene.stateByte))
        );
        preImage = PreImage(batch, stamp, dispute);
    }

    /// @dev Rules, time, and a batch with its word: what an action on a batch starts from.
    function _enter(Scene memory scene, DisputeKind kind) internal returns (PreImage memory) {
        _setRules(scene.rules);
        _setTime(scene);
        return _setBatch(scene, kind);
    }

    /// @dev The state byte with another state, and marked as lapsed or not.
    function _byte(uint256 stateByte, State state, bool lapsed) internal pure returns (uint256) {
        return stateByte & 0x38 | uint256(state) | Logic.times(lapsed, 8);
    }

    function _isIn(Scene memory scene, State state) internal pure returns (bool) {
        return scene.stateByte & 7 == uint256(state);
    }

    function _word(Scene memory scene) internal view returns (bytes32) {
        return Storage.word(registry, NETWORK, scene.batch.operator, scene.stamp.slot());
    }

    /// @dev The storage word by its definition: keccak256 of the pre-image, with the state byte as its lowest.
    function _sealed(Batch memory batch, Stamp stamp, uint256 stateByte) internal pure returns (bytes32) {
        bytes32 batchId = keccak256(abi.encode(batch));
        return bytes32(uint256(keccak256(abi.encode(batchId, stamp))) >> 8 << 8 | stateByte);
    }

    /// @dev The word of a disputed batch.
    function _sealed(Batch memory batch, Stamp stamp, Dispute memory dispute, uint256 stateByte)
        internal
        pure
        returns (bytes32)
    {
        bytes32 batchId = keccak256(abi.encode(batch));
        return bytes32(uint256(keccak256(abi.encode(batchId, stamp, dispute))) >> 8 << 8 | stateByte);
    }
}
