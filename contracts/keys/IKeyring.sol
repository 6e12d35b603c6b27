// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A fixed list of keys, k of which have to sign
/// @notice How signatures of several keys travel, and how they are refused.
/// @dev A key is 20 bytes (an address, secp256k1), 64 bytes (P-256) or 260 to 516 bytes (RSA-PSS); see KeyLib. It is a
/// key that signs, never an account: code at the address is neither asked nor looked at.
/// Signatures stand one after another in ascending order of their keys' places: place (1 byte) || length (2 bytes,
/// big-endian) || signature. A key signs once at most.
interface IKeyring {
    /// @notice Thrown when the same key is given twice.
    error KeyRepeated(bytes key);
    /// @notice Thrown when keys are none or more than 16, or the threshold is not among 1 to their number.
    error KeysOutOfRange(uint256 keys, uint256 threshold);
    /// @notice Thrown when a key's signature is not good.
    error SignatureInvalid(uint256 place);
    /// @notice Thrown when the signatures end within one of them.
    error SignaturesCutShort(uint256 length, uint256 needed);
    /// @notice Thrown when signatures are not in the order of places, one each, or of a place beyond the keys.
    error SignersOutOfOrder(uint256 place);
    /// @notice Thrown when the signers are fewer than the threshold.
    error TooFewSigners(uint256 signers, uint256 threshold);
}
