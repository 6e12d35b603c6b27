// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Batch, PreImage} from "../interfaces/Types.sol";
import {Word, WordLib} from "./WordLib.sol";

/// @dev Hashes of pre-images, straight from calldata. Calldata with bits beyond a field's width hashes to something no
/// slot holds, because the registry sealed its words from clean fields.
library PreImageLib {
    /// @dev batchId = keccak256(abi.encode(batch)), 7 words.
    function id(Batch calldata batch) internal pure returns (bytes32 batchId) {
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            calldatacopy(pointer, batch, 0xe0)
            batchId := keccak256(pointer, 0xe0)
        }
    }

    /// @dev The word that the pre-image opens, with the state byte still zero. No word has a dispute that is neither
    /// all zero nor of a kind: what claims one opens nothing.
    function seal(PreImage calldata preImage, bytes32 batchId) internal pure returns (Word) {
        bytes32 digest;
        assembly ("memory-safe") {
            // keccak256(abi.encode(batchId, stamp)) where the six words of the dispute are zero, else
            // keccak256(abi.encode(batchId, stamp, dispute)); stamp and dispute lie side by side behind the batch.
            let pointer := mload(0x40)
            mstore(pointer, batchId)
            calldatacopy(add(pointer, 0x20), add(preImage, 0xe0), 0xe0)
            let some := or(or(mload(add(pointer, 0x40)), mload(add(pointer, 0x60))), mload(add(pointer, 0x80)))
            some := or(some, or(mload(add(pointer, 0xa0)), or(mload(add(pointer, 0xc0)), mload(add(pointer, 0xe0)))))
            digest := keccak256(pointer, add(0x40, mul(0xc0, iszero(iszero(some)))))
        }
        return WordLib.ofHash(digest);
    }
}
