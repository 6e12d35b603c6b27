// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Approval, Endorsement, IEnclaveKeys} from "./IEnclaveKeys.sol";
import {KeyLib} from "../keys/KeyLib.sol";
import {Keyring} from "../keys/Keyring.sol";

/// @title EnclaveKeys
/// @notice What the resolvers that trust enclaves share: which keys their endorsers stand for.
abstract contract EnclaveKeys is IEnclaveKeys, Keyring, EIP712 {
    bytes32 private constant APPROVAL_TYPEHASH = keccak256("Approval(bytes32 measurement)");
    bytes32 private constant ENDORSEMENT_TYPEHASH =
        keccak256("Endorsement(bytes key,bytes32 measurement,address operator,uint40 notBefore,uint40 notAfter)");
    bytes32 private constant KEY_REVOCATION_TYPEHASH = keccak256("KeyRevocation(bytes32 keyId)");
    bytes32 private constant MEASUREMENT_REVOCATION_TYPEHASH = keccak256("MeasurementRevocation(bytes32 measurement)");

    /// @inheritdoc IEnclaveKeys
    mapping(bytes32 measurement => Approval approval) public approvalOf;
    mapping(bytes32 keyId => Endorsement endorsement) private _endorsements;

    /// @param endorsers the endorsers' keys, 1 to 16
    /// @param threshold_ how many of them must sign, 1 to their number
    constructor(bytes[] memory endorsers, uint256 threshold_)
        EIP712("Tallystick", "1")
        Keyring(endorsers, threshold_)
    {}

    // BY THE ENDORSERS

    /// @inheritdoc IEnclaveKeys
    function approveMeasurement(bytes32 measurement, bytes calldata signatures) external {
        Approval approval = approvalOf[measurement];
        require(approval == Approval.None, MeasurementDecided(measurement, approval));
        _checkEndorsers(keccak256(abi.encode(APPROVAL_TYPEHASH, measurement)), signatures);
        approvalOf[measurement] = Approval.Approved;
        emit MeasurementApproved(measurement);
    }

    /// @inheritdoc IEnclaveKeys
    function revokeMeasurement(bytes32 measurement, bytes calldata signatures) external {
        Approval approval = approvalOf[measurement];
        require(approval != Approval.Revoked, MeasurementDecided(measurement, approval));
        _checkEndorsers(keccak256(abi.encode(MEASUREMENT_REVOCATION_TYPEHASH, measurement)), signatures);
        approvalOf[measurement] = Approval.Revoked;
        emit MeasurementRevoked(measurement);
    }

    /// @inheritdoc IEnclaveKeys
    function endorse(
        bytes calldata key,
        bytes32 measurement,
        address operator,
        uint40 notBefore,
        uint40 notAfter,
        bytes calldata signatures
    ) external {
        KeyLib.check(key);
        bytes32 keyId = keccak256(key);
        Endorsement storage endorsement = _endorsements[keyId];
        require(notAfter != 0 && notBefore <= notAfter, ValidityEmpty(notBefore, notAfter));
        require(!endorsement.revoked, KeyWithdrawn(keyId));
        require(endorsement.notAfter == 0, EndorsementExists(keyId));
        _checkEndorsers(
            keccak256(abi.encode(ENDORSEMENT_TYPEHASH, keyId, measurement, operator, notBefore, notAfter)), signatures
        );
        endorsement.measurement = measurement;
        endorsement.operator = operator;
        endorsement.notBefore = notBefore;
        endorsement.notAfter = notAfter;
        emit KeyEndorsed(keyId, measurement, operator, notBefore, notAfter, key);
    }

    /// @inheritdoc IEnclaveKeys
    function revokeKey(bytes32 keyId, bytes calldata signatures) external {
        require(!_endorsements[keyId].revoked, KeyWithdrawn(keyId));
        _checkEndorsers(keccak256(abi.encode(KEY_REVOCATION_TYPEHASH, keyId)), signatures);
        _endorsements[keyId].revoked = true;
        emit KeyRevoked(keyId);
    }

    // VIEWS

    /// @inheritdoc IEnclaveKeys
    function endorsementOf(bytes32 keyId) external view returns (Endorsement memory) {
        return _endorsements[keyId];
    }

    /// @inheritdoc IEnclaveKeys
    function endorserAt(uint256 place) external view returns (bytes memory) {
        return _keyAt(place);
    }

    /// @inheritdoc IEnclaveKeys
    function threshold() external view returns (uint256) {
        return THRESHOLD;
    }

    // SIGNATURES

    /// @dev The key is endorsed for an approved measurement and the operator, is valid at `timestamp` and not revoked
    /// now, and signed the digest.
    function _checkSigned(bytes memory key, bytes32 digest, bytes memory signature, address operator, uint256 timestamp)
        internal
        view
    {
        bytes32 keyId = keccak256(key);
        Endorsement memory endorsement = _endorsements[keyId];
        require(!endorsement.revoked, KeyWithdrawn(keyId));
        require(endorsement.notAfter != 0, KeyNotEndorsed(keyId));
        require(
            endorsement.notBefore <= timestamp && timestamp <= endorsement.notAfter,
            KeyNotValid(keyId, timestamp, endorsement.notBefore, endorsement.notAfter)
        );
        require(endorsement.operator == operator, KeyOfOtherOperator(keyId, endorsement.operator, operator));
        Approval approval = approvalOf[endorsement.measurement];
        require(approval == Approval.Approved, MeasurementNotApproved(endorsement.measurement, approval));
        require(KeyLib.signed(key, digest, signature), KeySignatureInvalid(keyId));
    }

    function _checkEndorsers(bytes32 structHash, bytes calldata signatures) private view {
        // slither-disable-next-line unused-return
        _checkEnough(_hashTypedDataV4(structHash), signatures);
    }
}
