// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev What the endorsers say of a measurement: the hash of an enclave's code and settings.
enum Approval {
    None, // nothing
    Approved, // keys endorsed for it count
    Revoked // for good: keys endorsed for it no longer count
}

/// @dev What the endorsers say of a key that an enclave made and keeps. Two storage words.
struct Endorsement {
    bytes32 measurement; // of the enclave, as the hardware's maker attested it to the endorsers
    address operator; // runs the enclave: the key speaks for this operator's batches only
    uint40 notBefore; // Unix seconds; the first at which the key is valid
    uint40 notAfter; // Unix seconds; the last
    bool revoked; // for good
}

/// @title Keys that enclaves hold, endorsed for a measurement by k of n endorsers
/// @notice Endorsers and threshold are fixed at deployment; they approve measurements, endorse keys, and revoke both.
/// @dev Trust: the endorsers check the hardware's attestation document off chain. Who holds the threshold of their keys
/// can endorse any key, so the Enclave grade is worth what the endorsers are, and the hardware.
/// A key is 20 bytes (an address, secp256k1), 64 bytes (P-256) or 260 to 516 bytes (RSA-PSS), see KeyLib, and is named
/// by its id, keccak256 of these bytes. Code at the address is neither asked nor looked at. It is endorsed at most
/// once, and revocation is for good, also before the endorsement or approval it answers: so no signed statement can be
/// used twice or out of turn, and none needs a nonce. Anyone may send one.
/// Signatures are EIP-712, domain "Tallystick" version "1", this contract:
/// Approval(bytes32 measurement), Endorsement(bytes key,bytes32 measurement,address operator,uint40 notBefore,
/// uint40 notAfter), KeyRevocation(bytes32 keyId), MeasurementRevocation(bytes32 measurement).
/// They travel as IKeyring says. Too few, or one that is not good, revert as IKeyring says.
interface IEnclaveKeys {
    /// @notice Thrown when the key is endorsed already.
    error EndorsementExists(bytes32 keyId);
    /// @notice Thrown when the endorsers have not endorsed the key.
    error KeyNotEndorsed(bytes32 keyId);
    /// @notice Thrown when the key is not valid at the time in question.
    error KeyNotValid(bytes32 keyId, uint256 timestamp, uint256 notBefore, uint256 notAfter);
    /// @notice Thrown when the key speaks for another operator.
    error KeyOfOtherOperator(bytes32 keyId, address operator, address needed);
    /// @notice Thrown when the key's signature is not good.
    error KeySignatureInvalid(bytes32 keyId);
    /// @notice Thrown when the key is revoked.
    error KeyWithdrawn(bytes32 keyId);
    /// @notice Thrown when the endorsers have said of the measurement what cannot be said again, or taken back.
    error MeasurementDecided(bytes32 measurement, Approval approval);
    /// @notice Thrown when the key's measurement is not approved, or no longer.
    error MeasurementNotApproved(bytes32 measurement, Approval approval);
    /// @notice Thrown when a key would be endorsed for no time at all.
    error ValidityEmpty(uint256 notBefore, uint256 notAfter);

    /// @notice The endorsers approved a measurement.
    event MeasurementApproved(bytes32 indexed measurement);
    /// @notice The endorsers revoked a measurement; what was graded by its keys stays.
    event MeasurementRevoked(bytes32 indexed measurement);
    /// @notice The endorsers endorsed a key.
    event KeyEndorsed(
        bytes32 indexed keyId,
        bytes32 indexed measurement,
        address indexed operator,
        uint40 notBefore,
        uint40 notAfter,
        bytes key
    );
    /// @notice The endorsers revoked a key; what was graded by it stays.
    event KeyRevoked(bytes32 indexed keyId);

    /// @notice Approves a measurement. By anyone with the endorsers' signatures. Emits MeasurementApproved.
    /// @dev Reverts with MeasurementDecided, and as IKeyring says.
    /// @param measurement hash of an enclave's code and settings, 32 bytes
    /// @param signatures of the endorsers over the Approval, packed as IKeyring says
    function approveMeasurement(bytes32 measurement, bytes calldata signatures) external;

    /// @notice Revokes a measurement for good. By anyone with the endorsers' signatures. Emits MeasurementRevoked.
    /// @dev Reverts with MeasurementDecided, and as IKeyring says.
    /// @param measurement hash of an enclave's code and settings, 32 bytes; approved or not
    /// @param signatures of the endorsers over the MeasurementRevocation, packed as IKeyring says
    function revokeMeasurement(bytes32 measurement, bytes calldata signatures) external;

    /// @notice Endorses a key. By anyone with the endorsers' signatures. Emits KeyEndorsed.
    /// @dev The measurement need not be approved yet. Reverts with KeyInvalid, ValidityEmpty, KeyWithdrawn,
    /// EndorsementExists, and as IKeyring says.
    /// @param key 20, 64 or 260 to 516 bytes, see KeyLib
    /// @param measurement of the enclave that holds the key, 32 bytes
    /// @param operator whose batches the key speaks for
    /// @param notBefore Unix seconds, 0 to 2^40 - 1
    /// @param notAfter Unix seconds, inclusive; not zero, not before notBefore
    /// @param signatures of the endorsers over the Endorsement, packed as IKeyring says
    function endorse(
        bytes calldata key,
        bytes32 measurement,
        address operator,
        uint40 notBefore,
        uint40 notAfter,
        bytes calldata signatures
    ) external;

    /// @notice Revokes a key for good. By anyone with the endorsers' signatures. Emits KeyRevoked.
    /// @dev Reverts with KeyWithdrawn, and as IKeyring says.
    /// @param keyId keccak256 of the key's bytes; endorsed or not
    /// @param signatures of the endorsers over the KeyRevocation, packed as IKeyring says
    function revokeKey(bytes32 keyId, bytes calldata signatures) external;

    /// @notice What the endorsers say of a measurement.
    /// @param measurement hash of an enclave's code and settings, 32 bytes
    function approvalOf(bytes32 measurement) external view returns (Approval);

    /// @notice What the endorsers say of a key; notAfter is zero when it is not endorsed.
    /// @param keyId keccak256 of the key's bytes
    function endorsementOf(bytes32 keyId) external view returns (Endorsement memory);

    /// @notice An endorser's key; no bytes beyond the last.
    /// @param place from zero
    function endorserAt(uint256 place) external view returns (bytes memory);

    /// @notice How many endorsers have to sign.
    function threshold() external view returns (uint256);
}
