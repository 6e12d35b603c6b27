// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IReplay} from "./IReplay.sol";

uint256 constant DENSE = 1;
uint256 constant CONVOLUTION = 2;
uint256 constant MAX_POOL = 3;
uint256 constant AVERAGE_POOL = 4;
uint256 constant LOOKUP = 5;
uint256 constant SUM = 6;
uint256 constant CONCAT = 7;
uint256 constant RECALL = 8;

/// @dev Bytes of a lookup's table.
uint256 constant TABLE_SIZE = 256;

/// @dev Bytes of a sum's row: a multiplier for each of the two tensors.
uint256 constant SUM_ROW = 8;

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
    uint256 groups; // of a sum, concat or recall: number of the tensor that it names
    uint256 k; // products, or of an average pool summands, per output element
    uint256 za; // zero point of the input as stored; what a window finds in the padding
    uint256 zw; // zero point of the weights as stored; of a sum, of the tensor that it names
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
            let entry := add(program, 0x20)
            let record := add(entry, shl(5, count))
            let source := add(packed, 0x20)
            for { let end := record } lt(entry, end) { entry := add(entry, 0x20) } {
                mstore(entry, record)
                let first := mload(source)
                let last := mload(add(source, 0x20))
                mstore(record, shr(240, first))
                mstore(add(record, 0x20), and(shr(224, first), 0xffff))
                mstore(add(record, 0x40), and(shr(208, first), 0xffff))
                mstore(add(record, 0x60), and(shr(192, first), 0xffff))
                mstore(add(record, 0x80), and(shr(176, first), 0xffff))
                mstore(add(record, 0xa0), and(shr(160, first), 0xffff))
                mstore(add(record, 0xc0), and(shr(144, first), 0xffff))
                mstore(add(record, 0xe0), and(shr(128, first), 0xffff))
                mstore(add(record, 0x100), and(shr(112, first), 0xffff))
                mstore(add(record, 0x120), and(shr(96, first), 0xffff))
                mstore(add(record, 0x140), and(shr(80, first), 0xffff))
                mstore(add(record, 0x160), and(shr(64, first), 0xffff))
                mstore(add(record, 0x180), and(shr(48, first), 0xffff))
                mstore(add(record, 0x1a0), and(shr(32, first), 0xffff))
                mstore(add(record, 0x1c0), and(shr(16, first), 0xffff))
                mstore(add(record, 0x1e0), and(first, 0xffff))
                mstore(add(record, 0x200), shr(240, last))
                mstore(add(record, 0x220), and(shr(224, last), 0xffff))
                mstore(add(record, 0x240), and(shr(208, last), 0xffff))
                mstore(add(record, 0x260), and(shr(192, last), 0xffff))
                record := add(record, 0x280)
                source := add(source, PACKED_SIZE)
            }
            mstore(0x40, record)
        }
    }

    /// @dev keccak256(abi.encode(specId, hashes of the steps, keccak256(rows))).
    function contentHash(Step[] memory program, bytes memory rows, bytes32 specId)
        internal
        pure
        returns (bytes32 hash)
    {
        // Written where the next memory would be taken, and not taken.
        assembly ("memory-safe") {
            let encoded := mload(0x40)
            let count := mload(program)
            mstore(encoded, specId)
            mstore(add(encoded, 0x20), 0x60)
            mstore(add(encoded, 0x40), keccak256(add(rows, 0x20), mload(rows)))
            mstore(add(encoded, 0x60), count)
            let end := add(encoded, 0x80)
            for {} count { count := sub(count, 1) } {
                program := add(program, 0x20)
                mstore(end, keccak256(mload(program), 0x280))
                end := add(end, 0x20)
            }
            hash := keccak256(encoded, sub(end, encoded))
        }
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

    /// @dev Output channels of a group; a dense step is one.
    function groupSize(Step memory step) internal pure returns (uint256) {
        unchecked {
            return step.outC / step.groups;
        }
    }

    /// @dev Bytes that the step takes of the rows.
    function rowsSize(Step memory step) internal pure returns (uint256) {
        unchecked {
            if (step.kind == DENSE || step.kind == CONVOLUTION) return step.outC * (ROW_HEAD + step.k);
        }
        if (step.kind == AVERAGE_POOL) return ROW_HEAD;
        if (step.kind == SUM) return SUM_ROW;
        return step.kind == LOOKUP ? TABLE_SIZE : 0;
    }

    /// @dev Whether QI8-1 allows the step.
    function isValid(Step memory step) internal pure returns (bool) {
        if (step.za | step.zw | step.zy | step.hi > 255 || step.lo > step.hi) return false;
        if (inSize(step) == 0 || outSize(step) == 0 || step.k > MAX_K) return false;
        uint256 kind = step.kind;
        if (kind == DENSE) return _isOnePixel(step);
        if (kind == CONVOLUTION) return _coversInput(step) && _isGrouped(step);
        if (kind == LOOKUP || kind >= SUM) {
            if (step.inH != step.outH || step.inW != step.outW || kind > RECALL) return false;
            return kind == CONCAT ? step.inC < step.outC : step.inC == step.outC;
        }
        if (step.inC != step.outC || !_coversInput(step)) return false;
        unchecked {
            return kind == MAX_POOL || (kind == AVERAGE_POOL && step.k == step.kH * step.kW);
        }
    }

    /// @dev Whether a step finds the tensors that it takes: the one before it, unless it recalls another, and the one
    /// that it names.
    function findsTensors(Step[] memory program, uint256 index) internal pure returns (bool) {
        Step memory step = program[index];
        uint256 kind = step.kind;
        bool flattens = kind == DENSE || (kind == CONCAT && step.inH == 1 && step.inW == 1);
        if (kind != RECALL && index > 0 && !_isTensor(program, index, step, step.inC, flattens)) return false;
        if (kind < SUM) return true;
        unchecked {
            // A concat has more channels than come from the tensor before it.
            uint256 channels = kind == CONCAT ? step.outC - step.inC : step.inC;
            return step.groups <= index && _isTensor(program, step.groups, step, channels, flattens);
        }
    }

    /// @dev Whether a tensor, by its number, has a step's pixels and some channels, or as many bytes flattened. Tensor 0
    /// is the input of the first step, and the output of step i is tensor i + 1.
    function _isTensor(Step[] memory program, uint256 number, Step memory step, uint256 channels, bool flattens)
        private
        pure
        returns (bool)
    {
        unchecked {
            Step memory maker = program[number == 0 ? 0 : number - 1];
            (uint256 h, uint256 w, uint256 c) =
                number == 0 ? (maker.inH, maker.inW, maker.inC) : (maker.outH, maker.outW, maker.outC);
            if (flattens) return h * w * c == step.inH * step.inW * channels;
            return h == step.inH && w == step.inW && c == channels;
        }
    }

    /// @dev Whether a dense step has no more than one pixel anywhere.
    function _isOnePixel(Step memory step) private pure returns (bool) {
        return step.inH | step.inW | step.outH | step.outW | step.kH | step.kW | step.groups == 1 && step.k == step.inC;
    }

    /// @dev Whether groups divide the channels, and a row has the weights of its group's.
    function _isGrouped(Step memory step) private pure returns (bool) {
        unchecked {
            // The groups divide the channels, or it is false before.
            // slither-disable-next-line divide-before-multiply
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
