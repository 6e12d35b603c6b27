// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batch, Leaf, Opening} from "../../../contracts/interfaces/Types.sol";
import {LeafLib} from "../../../contracts/libraries/LeafLib.sol";

/// @dev Leaves of batches of two, and their hashes by definition.
library Leaves {
    struct Held {
        Leaf leaf;
        uint256 leafIndex;
        bytes32 sibling;
    }

    function opening(Held memory held) internal pure returns (Opening memory) {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = held.sibling;
        return Opening(held.leaf, held.leafIndex, proof);
    }

    function hash(Batch memory batch, Leaf memory leaf) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                LeafLib.INFERENCE_TYPEHASH,
                batch.modelId,
                batch.operator,
                leaf.requester,
                leaf.nonce,
                leaf.deadline,
                leaf.inputHash,
                leaf.outputHash,
                leaf.traceRoot
            )
        );
    }
}
