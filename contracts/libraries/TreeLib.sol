// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Positional Merkle tree: leaf 0 leftmost, node = keccak256(left || right), missing leaves on the right zero.
library TreeLib {
    /// @dev Whether depth == ceil(log2(count)), for count >= 1.
    function isDepthOf(uint256 depth, uint256 count) internal pure returns (bool) {
        // (count - 1) >> depth is zero from the depth on; one level less it must not be.
        unchecked {
            return (count - 1) >> depth == 0 && (depth == 0 || (count - 1) >> (depth - 1) > 0);
        }
    }

    /// @dev The root that `leaf` at `leafIndex` leads to. The caller checks leafIndex < count and proof.length == depth:
    /// together they keep inner nodes and padding from passing as leaves.
    function rootOf(bytes32 leaf, uint256 leafIndex, bytes32[] calldata proof) internal pure returns (bytes32 node) {
        node = leaf;
        // In scratch space: the node goes right of its sibling where the index has a one. About 60 gas a level less
        // than the same loop in Solidity.
        assembly ("memory-safe") {
            let end := add(proof.offset, shl(5, proof.length))
            leafIndex := shl(5, leafIndex)
            for { let at := proof.offset } lt(at, end) { at := add(at, 0x20) } {
                let side := and(leafIndex, 0x20)
                mstore(side, node)
                mstore(xor(side, 0x20), calldataload(at))
                node := keccak256(0x00, 0x40)
                leafIndex := shr(1, leafIndex)
            }
        }
    }
}
