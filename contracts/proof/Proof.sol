// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

import {IAttestor} from "../interfaces/IAttestor.sol";
import {BatchFacts, Leaf} from "../interfaces/Types.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {MemoryLib} from "../replay/MemoryLib.sol";
import {EncodingLib} from "./EncodingLib.sol";
import {IProof, IProofVerifier, LeafProof, ProofEvidence} from "./IProof.sol";

/// @title Proof
/// @notice Attests batches each of whose leaves has a zk proof.
contract Proof is IProof {
    using EncodingLib for uint256;
    using LeafLib for Leaf;

    bytes32 private constant SPEC_ID = keccak256("ZK-1");

    /// @inheritdoc IAttestor
    function attest(bytes32, BatchFacts calldata facts, bytes calldata evidence) external view returns (bool) {
        ProofEvidence calldata shown = _shown(evidence);
        uint256 count = facts.batch.count;
        require(shown.leaves.length == count, ProofsMissing(shown.leaves.length, count));
        _checkModel(facts, shown);
        bytes32[] memory hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = shown.leaves[i].leaf.hash(facts.batch.modelId, facts.batch.operator);
        }
        // Before any proof is looked at: hashing is cheap.
        bytes32 root = _rootOf(hashes);
        require(root == facts.batch.root, LeavesMismatch(root, facts.batch.root));
        for (uint256 i = 0; i < count; ++i) {
            // Each call's memory is used again by the next one.
            uint256 mark = MemoryLib.mark();
            _checkLeaf(shown, i);
            MemoryLib.giveBack(mark);
        }
        return true;
    }

    /// @inheritdoc IProof
    function contentHashOf(bytes32 codeHash, bytes32 keyHash, uint256 inputEncoding, uint256 outputEncoding)
        public
        pure
        returns (bytes32)
    {
        inputEncoding.check();
        outputEncoding.check();
        return keccak256(abi.encode(SPEC_ID, codeHash, keyHash, inputEncoding, outputEncoding));
    }

    /// @inheritdoc IProof
    function instancesOf(bytes calldata input, bytes calldata output, uint256 inputEncoding, uint256 outputEncoding)
        external
        pure
        returns (uint256[] memory)
    {
        inputEncoding.check();
        outputEncoding.check();
        return _instances(0, input, output, inputEncoding, outputEncoding);
    }

    function _checkModel(BatchFacts calldata facts, ProofEvidence calldata shown) private view {
        bytes32 content =
            contentHashOf(shown.verifier.codehash, shown.keyHash, shown.inputEncoding, shown.outputEncoding);
        bytes32 modelId = keccak256(abi.encode(facts.batch.networkId, shown.registrant, content, SPEC_ID, shown.parent));
        require(modelId == facts.batch.modelId, ModelMismatch(modelId, facts.batch.modelId));
    }

    /// @dev The leaf's input and output are the bytes shown, and the verifier takes its proof of them.
    function _checkLeaf(ProofEvidence calldata shown, uint256 index) private view {
        LeafProof calldata one = shown.leaves[index];
        bytes32 inputHash = keccak256(one.input);
        require(inputHash == one.leaf.inputHash, InputMismatch(index, inputHash, one.leaf.inputHash));
        bytes32 outputHash = keccak256(one.output);
        require(outputHash == one.leaf.outputHash, OutputMismatch(index, outputHash, one.leaf.outputHash));
        uint256[] memory instances = _instances(index, one.input, one.output, shown.inputEncoding, shown.outputEncoding);
        require(_accepts(shown.verifier, one.proof, instances), ProofRefused(index, shown.verifier));
    }

    function _instances(
        uint256 index,
        bytes calldata input,
        bytes calldata output,
        uint256 inputEncoding,
        uint256 outputEncoding
    ) private pure returns (uint256[] memory instances) {
        uint256 inputs = inputEncoding.count();
        instances = new uint256[](inputs + outputEncoding.count());
        inputEncoding.read(index, input, instances, 0);
        outputEncoding.read(index, output, instances, inputs);
    }

    /// @dev Whether the verifier answers one word, true. At most one word is copied, so that strangers' code cannot
    /// make the caller pay for memory.
    function _accepts(address verifier, bytes calldata proof, uint256[] memory instances) private view returns (bool) {
        bytes memory call_ = abi.encodeCall(IProofVerifier.verifyProof, (proof, instances));
        bool success;
        uint256 size;
        uint256 answer;
        assembly ("memory-safe") {
            success := staticcall(gas(), verifier, add(call_, 0x20), mload(call_), 0x00, 0x20)
            size := returndatasize()
            answer := mload(0x00)
        }
        return success && size == 0x20 && answer == 1;
    }

    /// @dev The root over all leaves, missing ones on the right zero; the array is overwritten.
    function _rootOf(bytes32[] memory nodes) private pure returns (bytes32) {
        uint256 left = nodes.length;
        // What stands beside the last node of a level where its number is odd: a tree of zeros is not zero.
        bytes32 empty = bytes32(0);
        while (left > 1) {
            uint256 half = (left + 1) / 2;
            for (uint256 i = 0; i < half; ++i) {
                bytes32 right = 2 * i + 1 < left ? nodes[2 * i + 1] : empty;
                nodes[i] = Hashes.efficientKeccak256(nodes[2 * i], right);
            }
            empty = Hashes.efficientKeccak256(empty, empty);
            left = half;
        }
        return nodes[0];
    }

    function _shown(bytes calldata evidence) private pure returns (ProofEvidence calldata shown) {
        // abi.encode of one dynamic struct: a word with its offset, then the struct.
        assembly ("memory-safe") {
            shown := add(evidence.offset, calldataload(evidence.offset))
        }
    }
}
