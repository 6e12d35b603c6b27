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

    /// @dev How many steps there are.
    function count(bytes memory steps) internal pure returns (uint256) {
        require(
            steps.length > 0 && steps.length % PACKED_SIZE == 0, IReplay.StepsMalformed(steps.length)
        );
        return steps.length / PACKED_SIZE;
    }

    /// @dev Reads a step into memory of the caller.
    function load(bytes memory steps, uint256 index, Step memory step) internal pure {
        assembly ("memory-safe") {
            let from := add(add(steps, 0x20), mul(index, PACKED_SIZE))
            let end := add(step, 0x280)
            for { let to := step } lt(to, end) { to := add(to, 0x20) } {
                mstore(to, shr(240, mload(from)))
                from := add(from, 2)
            }
        }
    }

    /// @dev keccak256(abi.encode(specId, hashes of the steps, keccak256(rows))).
    function contentHash(bytes memory steps, bytes memory rows, bytes32 specId) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](count(steps));
        Step memory step;
        for (uint256 i = 0; i < hashes.length; ++i) {
            load(steps, i, step);
            bytes32 hash;
            assembly ("memory-safe") {
                hash := keccak256(step, 0x280)
            }
            hashes[i] = hash;
        }
        return keccak256(abi.encode(specId, hashes, keccak256(rows)));
    }

    function inSize(Step memory step) internal pure returns (uint256) {
        return step.inH * step.inW * step.inC;
    }

    function outSize(Step memory step) internal pure returns (uint256) {
        return step.outH * step.outW * step.outC;
    }

    /// @dev Bytes that the step takes of the rows.
    function rowsSize(Step memory step) internal pure returns (uint256) {
        if (step.kind == DENSE || step.kind == CONVOLUTION) return step.outC * (ROW_HEAD + step.k);
        if (step.kind == AVERAGE_POOL) return ROW_HEAD;
        return step.kind == LOOKUP ? TABLE_SIZE : 0;
    }

    /// @dev Whether QI8-1 allows the step. No field exceeds 16 bits, so nothing here overflows.
    function isValid(Step memory step) internal pure returns (bool) {
        if (step.za > 255 || step.zw > 255 || step.zy > 255 || step.hi > 255 || step.lo > step.hi) return false;
        if (inSize(step) == 0 || outSize(step) == 0) return false;
        if (step.kind == DENSE) {
            return inSize(step) == step.inC && outSize(step) == step.outC && step.k == step.inC && step.k <= MAX_K
                && step.kH == 1 && step.kW == 1 && step.groups == 1;
        }
        if (step.kind == LOOKUP) {
            return step.inH == step.outH && step.inW == step.outW && step.inC == step.outC;
        }
        if (!_coversInput(step)) return false;
        if (step.kind == CONVOLUTION) {
            return step.groups > 0 && step.inC % step.groups == 0 && step.outC % step.groups == 0
                && step.k == step.kH * step.kW * (step.inC / step.groups) && step.k <= MAX_K;
        }
        if (step.kind == AVERAGE_POOL) {
            return step.inC == step.outC && step.k == step.kH * step.kW && step.k <= MAX_K;
        }
        return step.kind == MAX_POOL && step.inC == step.outC;
    }

    /// @dev Whether the step takes what `before` gives: the same shape, or the same bytes flattened for a dense step.
    function follows(Step memory step, Step memory before) internal pure returns (bool) {
        if (step.kind == DENSE) return inSize(step) == outSize(before);
        return step.inH == before.outH && step.inW == before.outW && step.inC == before.outC;
    }

    /// @dev Whether every window has an element of the input in it.
    function _coversInput(Step memory step) private pure returns (bool) {
        return step.strideH > 0 && step.strideW > 0 && step.padTop < step.kH && step.padLeft < step.kW
            && (step.outH - 1) * step.strideH < step.inH + step.padTop
            && (step.outW - 1) * step.strideW < step.inW + step.padLeft;
    }
}
