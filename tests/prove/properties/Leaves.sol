// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batch, Leaf, Opening} from "../../../contracts/interfaces/Types.sol";
import {LeafLib} from "../../../contracts/libraries/LeafLib.sol";

/// @dev Leaves of batches of two, and their hashes by definition.
library Leaves {
    struct Held {
        Leaf leaf;
        bytes32 sibling;
    }

    /// @param leafIndex a number: the prover knows no address in memory that is not
    function opening(Held memory held, uint256 leafIndex) internal pure returns (Opening memory) {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = held.sibling;
        return Opening(held.leaf, leafIndex, proof);
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
