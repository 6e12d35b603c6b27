// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IReplay} from "../interfaces/IReplay.sol";

uint256 constant DENSE = 1;
uint256 constant CONVOLUTION = 2;
uint256 constant MAX_POOL = 3;
uint256 constant AVERAGE_POOL = 4;
uint256 constant LOOKUP = 5;

/// @dev Bytes of a lookup's table.
uint256 constant TABLE_SIZE = 256;

/// @dev Bytes of a row before its weights: bias (8) and scale (4).
uint256 constant ROW_HEAD = 12;

/// @dev Most products in one dot product.
uint256 constant MAX_K = 32_768;

/// @dev One step of a program. In memory, the record that its hash is of.
struct Step {
    uint256 kind;
    uint256 inH;
    uint256 inW;
    uint256 inC;
    uint256 outH;
    uint256 outW;
    uint256 outC;
    uint256 kH;
    uint256 kW;
    uint256 strideH;
    uint256 strideW;
    uint256 padTop;
    uint256 padLeft;
    uint256 groups;
    uint256 k; // products, or of an average pool summands, per output element
    uint256 za; // zero point of the input as stored; what a window finds in the padding
    uint256 zw; // zero point of the weights as stored
    uint256 zy; // zero point of the output as stored
    uint256 lo; // least output
    uint256 hi; // greatest output
}

/// @dev Steps as evidence brings them, 20 fields of 2 bytes: no step that QI8-1 allows has a greater one, and 640 bytes
/// of calldata would cost more than what a small step computes.
library Qi8StepLib {
    uint256 private constant PACKED_SIZE = 40;

    /// @dev The steps, unpacked.
    function unpack(bytes memory packed) internal pure returns (Step[] memory program) {
        uint256 length = packed.length;
        require(length > 0 && length % PACKED_SIZE == 0, IReplay.StepsMalformed(length));
        uint256 count = length / PACKED_SIZE;
        // An array of references, then the records side by side. Nothing is zeroed first.
        assembly ("memory-safe") {
            program := mload(0x40)
            mstore(program, count)
            let reference := add(program, 0x20)
            let field := add(reference, shl(5, count))
            let from := add(packed, 0x20)
            for { let end := field } lt(reference, end) { reference := add(reference, 0x20) } {
                mstore(reference, field)
                for { let last := add(from, PACKED_SIZE) } lt(from, last) { from := add(from, 8) } {
                    let four := mload(from)
                    mstore(field, shr(240, four))
                    mstore(add(field, 0x20), and(shr(224, four), 0xffff))
                    mstore(add(field, 0x40), and(shr(208, four), 0xffff))
                    mstore(add(field, 0x60), and(shr(192, four), 0xffff))
                    field := add(field, 0x80)
                }
            }
            mstore(0x40, field)
        }
    }

    /// @dev keccak256(abi.encode(specId, hashes of the steps, keccak256(rows))).
    function contentHash(Step[] memory program, bytes memory rows, bytes32 specId) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](program.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            Step memory step = program[i];
            bytes32 hash;
            assembly ("memory-safe") {
                hash := keccak256(step, 0x280)
            }
            hashes[i] = hash;
        }
        return keccak256(abi.encode(specId, hashes, keccak256(rows)));
    }

    // No field exceeds 16 bits, so nothing below overflows.

    function inSize(Step memory step) internal pure returns (uint256) {
        unchecked {
            return step.inH * step.inW * step.inC;
        }
    }

    function outSize(Step memory step) internal pure returns (uint256) {
        unchecked {
            return step.outH * step.outW * step.outC;
        }
    }

    /// @dev Bytes that the step takes of the rows.
    function rowsSize(Step memory step) internal pure returns (uint256) {
        unchecked {
            if (step.kind == DENSE || step.kind == CONVOLUTION) return step.outC * (ROW_HEAD + step.k);
        }
        if (step.kind == AVERAGE_POOL) return ROW_HEAD;
        return step.kind == LOOKUP ? TABLE_SIZE : 0;
    }

    /// @dev Whether QI8-1 allows the step.
    function isValid(Step memory step) internal pure returns (bool) {
        if (step.za | step.zw | step.zy | step.hi > 255 || step.lo > step.hi) return false;
        if (inSize(step) == 0 || outSize(step) == 0 || step.k > MAX_K) return false;
        uint256 kind = step.kind;
        if (kind == DENSE) return _isOnePixel(step);
        if (kind == CONVOLUTION) return _coversInput(step) && _isGrouped(step);
        if (kind == LOOKUP) return step.inH == step.outH && step.inW == step.outW && step.inC == step.outC;
        if (step.inC != step.outC || !_coversInput(step)) return false;
        unchecked {
            return kind == MAX_POOL || (kind == AVERAGE_POOL && step.k == step.kH * step.kW);
        }
    }

    /// @dev Whether the step takes what `before` gives: the same shape, or the same bytes flattened for a dense step.
    function follows(Step memory step, Step memory before) internal pure returns (bool) {
        if (step.kind == DENSE) return inSize(step) == outSize(before);
        return step.inH == before.outH && step.inW == before.outW && step.inC == before.outC;
    }

    /// @dev Whether a dense step has no more than one pixel anywhere.
    function _isOnePixel(Step memory step) private pure returns (bool) {
        return step.inH | step.inW | step.outH | step.outW | step.kH | step.kW | step.groups == 1
            && step.k == step.inC;
    }

    /// @dev Whether groups divide the channels, and a row has the weights of its group's.
    function _isGrouped(Step memory step) private pure returns (bool) {
        unchecked {
            return step.groups > 0 && step.inC % step.groups == 0 && step.outC % step.groups == 0
                && step.k == step.kH * step.kW * (step.inC / step.groups);
        }
    }

    /// @dev Whether every window has an element of the input in it.
    function _coversInput(Step memory step) private pure returns (bool) {
        unchecked {
            return step.strideH > 0 && step.strideW > 0 && step.padTop < step.kH && step.padLeft < step.kW
                && (step.outH - 1) * step.strideH < step.inH + step.padTop
                && (step.outW - 1) * step.strideW < step.inW + step.padLeft;
        }
    }
}
