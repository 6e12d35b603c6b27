// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAttestor} from "../interfaces/IAttestor.sol";
import {Leaf} from "../interfaces/Types.sol";

/// @dev One leaf with the zk proof that its output is the model's for its input.
struct LeafProof {
    Leaf leaf;
    bytes input; // canonical input bytes, by the model's input encoding
    bytes output; // canonical output bytes, by the output encoding
    bytes proof; // as the verifier takes it
}

/// @dev What to show of a batch: its model, and every leaf with its proof, in the order of the leaves.
struct ProofEvidence {
    address verifier; // whose code the model names
    address registrant; // sender of registerModel
    bytes32 parent; // of the model
    bytes32 keyHash; // keccak256 of the verifying key
    uint256 inputEncoding;
    uint256 outputEncoding;
    LeafProof[] leaves;
}

/// @title What a proof resolver asks: EZKL's entry point; another shape stands behind a wrapper
interface IProofVerifier {
    /// @notice Whether the proof shows that these are the circuit's public values.
    /// @param proof in the system's own form
    /// @param instances public values, each below the field's modulus
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool);
}

/// @title Attests batches each of whose leaves has a zk proof
/// @dev One deployment serves every network and every zk model: no storage, no owner, nothing to choose.
/// A zk model has the spec keccak256("ZK-1"), and as its content
/// contentHash = keccak256(abi.encode(keccak256("ZK-1"), code hash of the verifier, keyHash, inputEncoding, outputEncoding)),
/// so whoever registers a model chooses the code that says yes: a verifier that says it to everything makes a model of
/// which anything is proven, under that code's hash. keyHash is not compared with anything on chain, for the key lies in
/// the verifier's code: it names the file by which a proof is checked, and the verifier made again, elsewhere.
/// An encoding says how bytes are numbers, and the numbers the proof's public values: count << 24 | width << 16 |
/// signed << 8 | scale, with count at most 2^16, width 1 to 32 bytes, little-endian, signed 0 or 1 (two's complement; a negative value v
/// is modulus + v); a number stands for itself over 2^scale, which is said to readers, and nothing here depends on.
/// Width 32 is a field element, unsigned and below the modulus of BN254's scalar field. The public values are the
/// input's, then the output's. Each sequence of bytes has one sequence of public values, and each of these one of bytes.
/// A proof says that the output is right, not that somebody asked for it: it serves any leaf with the same input and output.
/// Evidence: abi.encode(ProofEvidence). Nothing is known by the evidence's hash.
interface IProof is IAttestor {
    /// @notice Thrown when bytes have not as many as their encoding says.
    error EncodedLengthMismatch(uint256 leafIndex, uint256 length, uint256 needed);
    /// @notice Thrown when the encoding is none.
    error EncodingInvalid(uint256 encoding);
    /// @notice Thrown when a field element is not below the field's modulus.
    error InstanceNotCanonical(uint256 leafIndex, uint256 instance);
    /// @notice Thrown when the input shown is not the leaf's.
    error InputMismatch(uint256 leafIndex, bytes32 inputHash, bytes32 needed);
    /// @notice Thrown when the leaves shown are not the batch's.
    error LeavesMismatch(bytes32 root, bytes32 needed);
    /// @notice Thrown when verifier, key, encodings, registrant and parent do not make the batch's model.
    error ModelMismatch(bytes32 modelId, bytes32 needed);
    /// @notice Thrown when the output shown is not the leaf's.
    error OutputMismatch(uint256 leafIndex, bytes32 outputHash, bytes32 needed);
    /// @notice Thrown when there are fewer or more proofs than leaves.
    error ProofsMissing(uint256 proofs, uint256 needed);
    /// @notice Thrown when the verifier reverts, or answers anything but true.
    error ProofRefused(uint256 leafIndex, address verifier);

    /// @notice The content hash of a zk model. Reverts with EncodingInvalid.
    /// @param codeHash of the verifier, as EXTCODEHASH gives it
    /// @param keyHash keccak256 of the verifying key
    /// @param inputEncoding of the leaves' input bytes
    /// @param outputEncoding of the leaves' output bytes
    function contentHashOf(bytes32 codeHash, bytes32 keyHash, uint256 inputEncoding, uint256 outputEncoding)
        external
        pure
        returns (bytes32 contentHash);

    /// @notice The public values of one leaf. Reverts with EncodingInvalid, EncodedLengthMismatch, InstanceNotCanonical.
    /// @param input bytes by the input encoding
    /// @param output bytes by the output encoding
    /// @param inputEncoding of the input bytes
    /// @param outputEncoding of the output bytes
    function instancesOf(bytes calldata input, bytes calldata output, uint256 inputEncoding, uint256 outputEncoding)
        external
        pure
        returns (uint256[] memory instances);
}
