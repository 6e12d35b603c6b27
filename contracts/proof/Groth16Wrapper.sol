// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {IProofVerifier} from "./IProof.sol";

/// @title Groth16Wrapper
/// @notice Puts a Groth16 verifier, as snarkjs writes it, behind the entry point that Proof asks.
/// @dev The target and its code's hash are immutables: they lie in this contract's code, so in its code hash, which a
/// zk model is registered under. snarkjs's function has the number of public values in its type:
/// verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[N]), and circom has the outputs before the inputs.
/// The proof is its eight words: A, B, C.
contract Groth16Wrapper is IProofVerifier {
    uint256 private constant PROOF_SIZE = 0x100;

    address public immutable TARGET;
    bytes32 public immutable TARGET_CODE_HASH;
    uint256 public immutable VALUES;
    uint256 public immutable OUTPUTS;
    bytes4 private immutable SELECTOR;

    /// @notice Thrown when the target has no code, or no longer the code that it had.
    error TargetChanged(address target, bytes32 codeHash);
    /// @notice Thrown when there are more outputs than public values.
    error OutputsOutOfRange(uint256 outputs, uint256 values);

    /// @param target a verifier that snarkjs wrote
    /// @param values its number of public values
    /// @param outputs how many of them are the circuit's outputs
    constructor(address target, uint256 values, uint256 outputs) {
        require(target.code.length > 0, TargetChanged(target, target.codehash));
        require(outputs <= values, OutputsOutOfRange(outputs, values));
        (TARGET, TARGET_CODE_HASH, VALUES, OUTPUTS) = (target, target.codehash, values, outputs);
        string memory types = "verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[";
        SELECTOR = bytes4(keccak256(abi.encodePacked(types, Strings.toString(values), "])")));
    }

    /// @inheritdoc IProofVerifier
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool) {
        require(TARGET.codehash == TARGET_CODE_HASH, TargetChanged(TARGET, TARGET.codehash));
        if (proof.length != PROOF_SIZE || instances.length != VALUES) return false;
        uint256 inputs = VALUES - OUTPUTS;
        // All four have fixed lengths by now.
        // slither-disable-next-line encode-packed-collision
        bytes memory call_ = abi.encodePacked(SELECTOR, proof, instances[inputs:], instances[:inputs]);
        return _answer(TARGET, call_) == 1;
    }

    function _answer(address target, bytes memory call_) private view returns (uint256 answer) {
        assembly ("memory-safe") {
            let success := staticcall(gas(), target, add(call_, 0x20), mload(call_), 0x00, 0x20)
            answer := mul(mload(0x00), and(success, eq(returndatasize(), 0x20)))
        }
    }
}
