// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Put in a registry's place, does what it does, and emits any log it is told to: events that no registry emits,
/// for testing what reads them.
contract LooseCore {
    /// @dev Where the address of the registry's own code is kept, far from what the registry stores.
    bytes32 private constant CODE_SLOT = keccak256("LooseCore.code");

    /// @dev Any call but emitLog is the registry's.
    fallback() external payable {
        bytes32 slot = CODE_SLOT;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }

    /// @dev Topics: 1 to 4, the event's own first.
    function emitLog(bytes32[] memory topics, bytes memory data) external {
        assembly {
            let at := add(data, 0x20)
            let size := mload(data)
            let first := mload(add(topics, 0x20))
            let second := mload(add(topics, 0x40))
            let third := mload(add(topics, 0x60))
            switch mload(topics)
            case 1 { log1(at, size, first) }
            case 2 { log2(at, size, first, second) }
            case 3 { log3(at, size, first, second, third) }
            default { log4(at, size, first, second, third, mload(add(topics, 0x80))) }
        }
    }
}
