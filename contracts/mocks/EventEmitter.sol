// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITallystickEvents} from "../interfaces/ITallystickEvents.sol";
import {Outcome} from "../interfaces/Types.sol";
import {Stamp} from "../libraries/StampLib.sol";

/// @dev Emits the registry's most frequent event many times a transaction, for measuring what reads it.
contract EventEmitter is ITallystickEvents {
    function emitCommits(uint256 first, uint256 count) external {
        for (uint256 i = first; i < first + count; ++i) {
            bytes32 hashed = keccak256(abi.encode(i));
            emit BatchCommitted(
                bytes32(i % 20),
                address(uint160(i % 300)),
                hashed,
                bytes32(i % 50),
                ~hashed,
                i,
                block.timestamp,
                Stamp.wrap(bytes32((i % 8) << 144 | 1 << 120 | block.timestamp << 80 | block.number << 40)),
                i % 2 == 0 ? bytes32(0) : bytes32(uint256(hashed) + 1),
                Outcome(i % 5),
                i % 2
            );
        }
    }
}
