// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Passes a call on: what it calls finds no calldata of its own in the transaction.
contract Relay {
    function pass(address to, bytes calldata data) external {
        (bool done,) = to.call(data);
        require(done);
    }
}

/// @dev An ERC-1967 proxy that anybody upgrades.
contract Proxy {
    event Upgraded(address indexed implementation);

    bytes32 private constant SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);

    constructor(address implementation) {
        upgradeTo(implementation);
    }

    function upgradeTo(address implementation) public {
        bytes32 slot = SLOT;
        assembly {
            sstore(slot, implementation)
        }
        emit Upgraded(implementation);
    }

    fallback() external {
        bytes32 slot = SLOT;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
