// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {KeyLib} from "../keys/KeyLib.sol";

/// @dev The library of keys, to be called.
contract KeyChecker {
    function check(bytes calldata key) external pure {
        KeyLib.check(key);
    }

    function signed(bytes calldata key, bytes32 digest, bytes calldata signature) external view returns (bool) {
        return KeyLib.signed(key, digest, signature);
    }
}
