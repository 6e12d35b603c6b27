// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Leaf} from "../interfaces/Types.sol";

/// @dev Hashes and order of leaves; EIP-712 types `Inference` and `Request`.
library LeafLib {
    bytes32 internal constant INFERENCE_TYPEHASH = keccak256(
        "Inference(bytes32 modelId,address operator,address requester,uint64 nonce,uint64 deadline,bytes32 inputHash,bytes32 outputHash,bytes32 traceRoot)"
    );
    bytes32 internal constant REQUEST_TYPEHASH = keccak256(
        "Request(bytes32 modelId,address operator,bytes32 inputHash,address requester,uint64 nonce,uint64 deadline)"
    );

    /// @dev EIP-712 hashStruct of the leaf's inference: 288 bytes, hashed straight from calldata.
    function hash(Leaf calldata leaf, bytes32 modelId, address operator) internal pure returns (bytes32 digest) {
        // Reading the narrow fields reverts on bits beyond their width: a leaf with such bits can never be opened.
        (leaf.requester, leaf.nonce, leaf.deadline);
        bytes32 typeHash = INFERENCE_TYPEHASH;
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            mstore(pointer, typeHash)
            mstore(add(pointer, 0x20), modelId)
            mstore(add(pointer, 0x40), operator)
            calldatacopy(add(pointer, 0x60), leaf, 0xc0)
            digest := keccak256(pointer, 0x120)
        }
    }

    /// @dev EIP-712 hashStruct of the Request that the requester signed.
    function requestHash(Leaf calldata leaf, bytes32 modelId, address operator) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(REQUEST_TYPEHASH, modelId, operator, leaf.inputHash, leaf.requester, leaf.nonce, leaf.deadline)
        );
    }

    /// @dev Sort key of leaves within a batch: requester first, then nonce.
    function key(Leaf calldata leaf) internal pure returns (uint256) {
        return uint256(uint160(leaf.requester)) << 64 | leaf.nonce;
    }
}
