// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Emits what Ritual's AsyncJobTracker emits.
contract Ritual {
    event JobAdded(
        address indexed executor,
        bytes32 indexed jobId,
        address indexed precompileAddress,
        uint256 commitBlock,
        bytes precompileInput,
        address senderAddress,
        bytes32 previousBlockHash,
        uint256 previousBlockNumber,
        uint256 previousBlockTimestamp,
        uint256 ttl,
        uint256 createdAt
    );
    event JobAdded(
        address indexed executor,
        bytes32 indexed jobId,
        address indexed precompileAddress,
        uint256 commitBlock,
        bytes precompileInput,
        bytes32 previousBlockHash,
        uint256 previousBlockNumber,
        uint256 previousBlockTimestamp,
        uint256 ttl,
        uint256 createdAt
    );
    event JobRemoved(address indexed executor, bytes32 indexed jobId, bool indexed completed);

    function add(bytes32 jobId, address precompile) external {
        emit JobAdded(
            address(1),
            jobId,
            precompile,
            block.number,
            bytes.concat(jobId),
            msg.sender,
            blockhash(block.number - 1),
            block.number - 1,
            block.timestamp - 1,
            30,
            block.timestamp
        );
    }

    /// @dev As of October 2025: without the sender.
    function addBefore(bytes32 jobId, address precompile) external {
        emit JobAdded(
            address(1),
            jobId,
            precompile,
            block.number,
            bytes.concat(jobId),
            blockhash(block.number - 1),
            block.number - 1,
            block.timestamp - 1,
            30,
            block.timestamp
        );
    }

    function remove(bytes32 jobId, bool completed) external {
        emit JobRemoved(address(1), jobId, completed);
    }
}
