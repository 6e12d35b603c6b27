// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Emits the claims of networks of which only claims are public.
contract Claims {
    event SessionOpened(address indexed user, bytes32 indexed sessionId, address indexed providerId);
    event AICallbackResult(address indexed account, uint256 indexed requestId, address invoker, bytes output);
    event SolutionSubmission(address indexed miner, uint256 indexed inferId);
    event Response(uint256 indexed taskId, address indexed responder);
    event UsageCheckpoint(
        address indexed validator,
        bytes32 merkleRoot,
        uint32 userCount,
        uint256 totalConsumedWei,
        uint256 totalConsumedUsdMicros,
        uint256 timestamp
    );
    event RequestFulfilled(uint256 indexed requestId, address indexed prover, bytes32 requestDigest);
    event TaskFinalize(bytes32 indexed taskid, bytes results);
    event JobPhaseUpdated(uint256 indexed jobId, uint8 oldPhase, uint8 phase);

    /// @dev One claim of each network, by number.
    function claim(uint256 number) external {
        bytes32 id = bytes32(number);
        emit SessionOpened(msg.sender, id, address(2));
        emit AICallbackResult(address(1), number, msg.sender, "output");
        emit SolutionSubmission(msg.sender, number);
        emit Response(number, msg.sender);
        emit UsageCheckpoint(msg.sender, id, 3, 4, 5, block.timestamp);
        emit RequestFulfilled(number, msg.sender, id);
        emit TaskFinalize(id, "results");
        emit JobPhaseUpdated(number, 0, 1);
    }
}
