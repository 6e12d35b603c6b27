// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Checks a proof of one inference, as the draft of ERC-8274 has it
/// @dev Draft: read second hand, not checked against the text. Its event VerificationCompleted is for whoever acts on an
/// answer; a view emits none.
interface IProofVerifier {
    /// @notice Tells whether `proof` shows that the input gave the output.
    /// @param inputHash keccak256 of the input
    /// @param outputHash keccak256 of the output
    /// @param metadata in the verifier's own encoding
    /// @param proof in the verifier's own encoding
    /// @return valid true when it does
    function verify(bytes32 inputHash, bytes32 outputHash, bytes calldata metadata, bytes calldata proof)
        external
        view
        returns (bool valid);

    /// @notice The kind of proof: zk, op, tee or attestation, a slash, and which variant.
    function proofSystem() external view returns (string memory);
}
