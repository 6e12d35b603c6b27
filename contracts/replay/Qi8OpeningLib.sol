// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IReplayGame} from "./IReplayGame.sol";

/// @dev Bytes under a root, of which parts are opened: nodes and chunks are taken from a list in the order in which they
/// are first needed, each once as long as the next reads follow one another.
struct Opened {
    bytes32 root;
    uint256 size; // bytes under the root
    uint256 top; // level of the root: chunks are level 0, nodes of their hashes level 1
    bytes[] nodes; // pre-images
    uint256 next; // index of the next one to take
    uint256[12] counts; // items by level
    uint256[12] held; // by level: index of the item at hand, plus one
    uint256[12] pointers; // by level: memory pointer of the item at hand
}

/// @dev Trees of chunks of 1,024 bytes, with 8 hashes to a node: all of them are calldata where one is opened. The length
/// of each pre-image follows from the size, and is checked: so a node never passes for a chunk.
library Qi8OpeningLib {
    /// @dev Bytes of a chunk that is not the last.
    uint256 internal constant CHUNK = 1024;
    /// @dev Hashes of a node that is not the last of its level.
    uint256 private constant ARITY = 8;

    /// @dev Chunks that hold `size` bytes.
    function chunksOf(uint256 size) internal pure returns (uint256) {
        unchecked {
            return (size + CHUNK - 1) / CHUNK;
        }
    }

    /// @dev Bytes of a chunk by its index.
    function chunkSize(uint256 size, uint256 index) internal pure returns (uint256) {
        unchecked {
            return _least(CHUNK, size - index * CHUNK);
        }
    }

    /// @dev What is opened under a root, of one byte to 2^43.
    function opened(bytes32 root, uint256 size, bytes[] memory nodes) internal pure returns (Opened memory tree) {
        (tree.root, tree.size, tree.nodes) = (root, size, nodes);
        unchecked {
            uint256 count = chunksOf(size);
            uint256 level = 0;
            for (tree.counts[0] = count; count > 1; tree.counts[level] = count) {
                count = (count + ARITY - 1) / ARITY;
                ++level;
            }
            tree.top = level;
        }
    }

    /// @dev Copies bytes of what is opened to memory.
    function copy(Opened memory tree, uint256 from, uint256 length, uint256 to) internal pure {
        unchecked {
            while (length > 0) {
                uint256 start = from % CHUNK;
                uint256 part = _least(length, CHUNK - start);
                uint256 chunk = _item(tree, 0, from / CHUNK) + start;
                assembly ("memory-safe") {
                    mcopy(to, chunk, part)
                }
                from += part;
                to += part;
                length -= part;
            }
        }
    }

    /// @dev One byte of what is opened.
    function byteAt(Opened memory tree, uint256 place) internal pure returns (uint256 value) {
        uint256 chunk = _item(tree, 0, place / CHUNK) + place % CHUNK;
        assembly ("memory-safe") {
            value := shr(248, mload(chunk))
        }
    }

    /// @dev The hash of a chunk, by its nodes without the chunk itself.
    function hashOf(Opened memory tree, uint256 index) internal pure returns (bytes32) {
        require(index < tree.counts[0], IReplayGame.ChunkOutOfRange(index, tree.counts[0]));
        return _hashOf(tree, 0, index);
    }

    /// @dev Reverts unless every pre-image was taken.
    function end(Opened memory tree) internal pure {
        require(tree.next == tree.nodes.length, IReplayGame.NodesLeft(tree.nodes.length, tree.next));
    }

    /// @dev The root over bytes, one or more.
    function rootOf(bytes memory data) internal pure returns (bytes32) {
        uint256 count = chunksOf(data.length);
        bytes32[] memory hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 length = chunkSize(data.length, i);
            bytes32 hash;
            assembly ("memory-safe") {
                hash := keccak256(add(add(data, 0x20), shl(10, i)), length)
            }
            hashes[i] = hash;
        }
        return _fold(hashes);
    }

    /// @dev The root over chunks' hashes that lie side by side, one or more; the length is a multiple of 32.
    function rootOfHashes(bytes calldata side) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](side.length / 32);
        assembly ("memory-safe") {
            calldatacopy(add(hashes, 0x20), side.offset, side.length)
        }
        return _fold(hashes);
    }

    /// @dev Overwrites the hashes, level by level.
    function _fold(bytes32[] memory hashes) private pure returns (bytes32) {
        uint256 count = hashes.length;
        while (count > 1) {
            uint256 nodes = (count + ARITY - 1) / ARITY;
            for (uint256 i = 0; i < nodes; ++i) {
                uint256 width = _least(ARITY, count - i * ARITY);
                bytes32 hash;
                assembly ("memory-safe") {
                    hash := keccak256(add(add(hashes, 0x20), shl(8, i)), shl(5, width))
                }
                hashes[i] = hash;
            }
            count = nodes;
        }
        return hashes[0];
    }

    /// @dev Memory pointer of an item of a level; takes what is not at hand, its parent first.
    function _item(Opened memory tree, uint256 level, uint256 index) private pure returns (uint256 pointer) {
        unchecked {
            if (tree.held[level] == index + 1) return tree.pointers[level];
            bytes32 needed = _hashOf(tree, level, index);
            require(tree.next < tree.nodes.length, IReplayGame.NodeMissing(level, index));
            bytes memory node = tree.nodes[tree.next++];
            uint256 length =
                level == 0 ? chunkSize(tree.size, index) : 32 * _least(ARITY, tree.counts[level - 1] - index * ARITY);
            require(node.length == length && keccak256(node) == needed, IReplayGame.NodeMismatch(level, index));
            assembly ("memory-safe") {
                pointer := add(node, 0x20)
            }
            (tree.held[level], tree.pointers[level]) = (index + 1, pointer);
        }
    }

    function _hashOf(Opened memory tree, uint256 level, uint256 index) private pure returns (bytes32 hash) {
        if (level == tree.top) return tree.root;
        uint256 place = _item(tree, level + 1, index / ARITY) + 32 * (index % ARITY);
        assembly ("memory-safe") {
            hash := mload(place)
        }
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
