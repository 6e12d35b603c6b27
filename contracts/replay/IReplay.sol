// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArbiter} from "../interfaces/IArbiter.sol";

/// @dev What opens a QI8-1 model and an inference's input.
/// modelId = keccak256(abi.encode(networkId, registrant, contentHash, keccak256("QI8-1"), parent)).
struct ReplayEvidence {
    bytes32 networkId; // the model's network
    address registrant; // sender of the model's registration
    bytes32 parent; // the model it is a new version of, or zero
    bytes steps; // 40 bytes a step: its 20 fields, 2 bytes each, big-endian
    bytes rows; // the rows of all steps, one after another
    bytes input; // the canonical input bytes
}

/// @title Rules on a leaf by running the whole inference again, in one transaction
/// @notice Upheld if the output computed here is the leaf's, Rejected if not. Needs nobody's signature or action.
/// @dev Evidence is abi.encode(ReplayEvidence); everything in it is checked against the leaf's modelId and inputHash,
/// which the registry opened, so that one leaf gets one ruling whoever brings the evidence. Only models whose specHash
/// is keccak256("QI8-1") can be ruled on.
/// Of an input whose length isn't the model's, no output is right: such a leaf is Rejected. A model that QI8-1 does
/// not allow reverts instead: the fault is its registrant's. The leaf's traceRoot is not read.
/// A step's fields are kind (1 dense, 2 convolution, 3 max pool, 4 average pool, 5 lookup, 6 sum, 7 concat, 8 recall),
/// height, width and channels in, the same out, kernel height and width, stride down and right, padding above and left,
/// groups, K, zero points of input, weights and output, least and greatest output. A sum, a concat and a recall name a
/// tensor instead of groups: 0 is the input, i + 1 the output of step i.
/// contentHash = keccak256(abi.encode(keccak256("QI8-1"), hashes of the steps, keccak256(rows))), where a step is hashed
/// as 20 words.
interface IReplay is IArbiter {
    /// @notice Thrown when the input's hash is not the leaf's.
    error InputMismatch(bytes32 inputHash, bytes32 needed);
    /// @notice Thrown when the id of the opened model is not the leaf's.
    error ModelMismatch(bytes32 modelId, bytes32 needed);
    /// @notice Thrown when the steps' length is not 40 bytes each, one or more.
    error StepsMalformed(uint256 length);
    /// @notice Thrown when QI8-1 does not allow a step, or not on the tensors before it.
    error StepInvalid(uint256 index);
    /// @notice Thrown when rows end too early or too late.
    error RowsMismatch(uint256 length, uint256 needed);
    /// @notice Thrown when a row's scale is not a positive normal float32.
    error ScaleInvalid(uint256 bits);
    /// @notice Thrown when the input's length is not the model's.
    error InputLengthMismatch(uint256 length, uint256 needed);

    /// @notice Runs a model. For calls from outside of the chain: what does this contract make of an input?
    /// @dev Reverts with StepsMalformed, StepInvalid, RowsMismatch, ScaleInvalid, InputLengthMismatch.
    /// @param steps as in ReplayEvidence, 40 bytes each
    /// @param rows as in ReplayEvidence, as many bytes as the steps need
    /// @param input the canonical input bytes, as many as the first step takes
    /// @return output the canonical output bytes
    function run(bytes calldata steps, bytes calldata rows, bytes calldata input)
        external
        pure
        returns (bytes memory output);

    /// @notice The id of the model that steps and rows are the content of.
    /// @dev Reverts with StepsMalformed.
    /// @param evidence see ReplayEvidence; its input is not read
    function modelIdOf(ReplayEvidence calldata evidence) external pure returns (bytes32 modelId);
}
