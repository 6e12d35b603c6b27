// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Logic without jumps: each jump would double the paths that the prover takes.
library Logic {
    function and(bool a, bool b) internal pure returns (bool c) {
        assembly ("memory-safe") {
            c := and(a, b)
        }
    }

    function or(bool a, bool b) internal pure returns (bool c) {
        assembly ("memory-safe") {
            c := or(a, b)
        }
    }

    function not(bool a) internal pure returns (bool b) {
        assembly ("memory-safe") {
            b := iszero(a)
        }
    }

    function equal(address a, address b) internal pure returns (bool c) {
        assembly ("memory-safe") {
            c := eq(a, b)
        }
    }

    /// @dev `amount` where the condition holds, else zero.
    function times(bool condition, uint256 amount) internal pure returns (uint256 product) {
        assembly ("memory-safe") {
            product := mul(condition, amount)
        }
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256 c) {
        assembly ("memory-safe") {
            c := xor(a, mul(xor(a, b), lt(b, a)))
        }
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256 c) {
        assembly ("memory-safe") {
            c := xor(a, mul(xor(a, b), gt(b, a)))
        }
    }
}
