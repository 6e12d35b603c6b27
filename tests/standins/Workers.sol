// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev The network of docs/adapters.md.
contract Workers {
    event WorkDone(bytes32 indexed job, address indexed worker, uint64 tokens);
    event WorkDisputed(bytes32 indexed job, bool upheld);

    function done(bytes32 job) external {
        emit WorkDone(job, msg.sender, 100);
    }

    function dispute(bytes32 job, bool upheld) external {
        emit WorkDisputed(job, upheld);
    }
}
