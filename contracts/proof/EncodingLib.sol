// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProof} from "./IProof.sol";

/// @dev How bytes are a proof's public values: count << 24 | width << 16 | signed << 8 | scale.
library EncodingLib {
    /// @dev Of BN254's scalar field.
    uint256 internal constant MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant MAX_VALUES = 1 << 16;

    function check(uint256 encoding) internal pure {
        (uint256 values, uint256 width, uint256 sign) = _parts(encoding);
        bool valid = values > 0 && values <= MAX_VALUES && width > 0 && width <= 32 && sign <= 1;
        require(valid && (width < 32 || sign == 0), IProof.EncodingInvalid(encoding));
    }

    /// @dev How many values the bytes are; of a checked encoding, as all below.
    function count(uint256 encoding) internal pure returns (uint256) {
        return encoding >> 24;
    }

    /// @dev Writes the values of `data` to `instances` from place `start` on.
    function read(uint256 encoding, uint256 leafIndex, bytes calldata data, uint256[] memory instances, uint256 start)
        internal
        pure
    {
        (uint256 values, uint256 width, uint256 sign) = _parts(encoding);
        uint256 needed = values * width;
        require(data.length == needed, IProof.EncodedLengthMismatch(leafIndex, data.length, needed));
        uint256 half = sign << (8 * width - 1);
        // The length is checked, there are at most 2^21 bytes, and signed values have at most 248 bits.
        unchecked {
            for (uint256 i = 0; i < values; ++i) {
                uint256 value = _littleEndian(data, i * width, width);
                if (half > 0 && value >= half) value = MODULUS + value - (half << 1);
                require(value < MODULUS, IProof.InstanceNotCanonical(leafIndex, value));
                instances[start + i] = value;
            }
        }
    }

    /// @dev The `width` bytes at `offset`, which the caller has checked to be there.
    function _littleEndian(bytes calldata data, uint256 offset, uint256 width) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            let word := calldataload(add(data.offset, offset))
            for { let i := width } gt(i, 0) {} {
                i := sub(i, 1)
                value := or(shl(8, value), byte(i, word))
            }
        }
    }

    function _parts(uint256 encoding) private pure returns (uint256 values, uint256 width, uint256 sign) {
        return (encoding >> 24, uint8(encoding >> 16), uint8(encoding >> 8));
    }
}
