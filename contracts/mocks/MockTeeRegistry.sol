// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Emits what OpenGradient's TEERegistry emits, by anyone's word, without any attestation.
contract MockTeeRegistry {
    event TEERegistered(bytes32 indexed teeId, address indexed owner, uint8 teeType);
    event TEEEnabled(bytes32 indexed teeId);
    event TEEDisabled(bytes32 indexed teeId);
    event PCRApproved(bytes32 indexed pcrHash, uint8 indexed teeType, string version);
    event PCRRevoked(bytes32 indexed pcrHash, uint8 indexed teeType);
    event HeartbeatReceived(bytes32 indexed teeId, uint256 timestamp);

    mapping(bytes32 teeId => bytes publicKey) public getTEEPublicKey;

    function registerTEE(bytes calldata publicKey, uint8 teeType) external {
        bytes32 teeId = keccak256(publicKey);
        getTEEPublicKey[teeId] = publicKey;
        emit TEERegistered(teeId, msg.sender, teeType);
    }

    /// @dev An id whose key is another's, as a lying node would show it.
    function swapKey(bytes32 teeId, bytes calldata publicKey) external {
        getTEEPublicKey[teeId] = publicKey;
    }

    function enableTEE(bytes32 teeId) external {
        emit TEEEnabled(teeId);
    }

    function disableTEE(bytes32 teeId) external {
        emit TEEDisabled(teeId);
    }

    function heartbeat(bytes32 teeId, uint256 timestamp) external {
        emit HeartbeatReceived(teeId, timestamp);
    }

    function approvePCR(bytes32 pcrHash, uint8 teeType, string calldata version) external {
        emit PCRApproved(pcrHash, teeType, version);
    }

    function revokePCR(bytes32 pcrHash, uint8 teeType) external {
        emit PCRRevoked(pcrHash, teeType);
    }
}
