// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {MultiSignerERC7913} from "@openzeppelin/contracts/utils/cryptography/signers/MultiSignerERC7913.sol";

import {Approval, Endorsement, IEnclaveKeys} from "./IEnclaveKeys.sol";

/// @title EnclaveKeys
/// @notice What the resolvers that trust enclaves share: which keys their endorsers stand for.
abstract contract EnclaveKeys is IEnclaveKeys, EIP712, MultiSignerERC7913 {
    bytes32 private constant APPROVAL_TYPEHASH = keccak256("Approval(bytes32 measurement)");
    bytes32 private constant ENDORSEMENT_TYPEHASH = keccak256(
        "Endorsement(bytes signer,bytes32 measurement,address operator,uint40 notBefore,uint40 notAfter)"
    );
    bytes32 private constant KEY_REVOCATION_TYPEHASH = keccak256("KeyRevocation(bytes32 keyId)");
    bytes32 private constant MEASUREMENT_REVOCATION_TYPEHASH = keccak256("MeasurementRevocation(bytes32 measurement)");

    /// @inheritdoc IEnclaveKeys
    mapping(bytes32 measurement => Approval approval) public approvalOf;
    mapping(bytes32 keyId => Endorsement endorsement) private _endorsements;

    /// @param endorsers ERC-7913 signers; one EOA or wallet, or several keys
    /// @param threshold_ how many of them must sign
    constructor(bytes[] memory endorsers, uint64 threshold_)
        EIP712("Tallystick", "1")
        MultiSignerERC7913(endorsers, threshold_)
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
        bytes calldata signer,
        bytes32 measurement,
        address operator,
        uint40 notBefore,
        uint40 notAfter,
        bytes calldata signatures
    ) external {
        bytes32 keyId = keccak256(signer);
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
        emit KeyEndorsed(keyId, measurement, operator, notBefore, notAfter, signer);
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

    // SIGNATURES

    /// @dev The key is endorsed for an approved measurement and the operator, is valid at `timestamp` and not revoked
    /// now, and signed the digest.
    function _checkSigned(
        bytes memory signer,
        bytes32 digest,
        bytes memory signature,
        address operator,
        uint256 timestamp
    ) internal view {
        bytes32 keyId = keccak256(signer);
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
        require(SignatureChecker.isValidSignatureNow(signer, digest, signature), KeySignatureInvalid(keyId));
    }

    function _checkEndorsers(bytes32 structHash, bytes calldata signatures) private view {
        bytes32 digest = _hashTypedDataV4(structHash);
        require(_rawSignatureValidation(digest, signatures), EndorsersMissing(digest));
    }
}
