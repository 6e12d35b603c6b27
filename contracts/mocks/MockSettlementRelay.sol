// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Emits what OpenGradient's InferenceSettlementRelay emits, and checks nothing: any lie can be told.
contract MockSettlementRelay {
    event BatchSettlement(bytes32 indexed merkleRoot, uint256 batchSize, bytes walrusBlobId);
    event IndividualSettlement(
        bytes32 indexed teeId,
        address indexed ethAddress,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        bytes walrusBlobId,
        bytes signature
    );
    /// @dev As the relay's access control emits it: not every log is a settlement.
    event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender);

    constructor() {
        emit RoleGranted(0, msg.sender, msg.sender);
    }

    function batchSettle(bytes32 merkleRoot, uint256 batchSize, bytes calldata walrusBlobId) external {
        emit BatchSettlement(merkleRoot, batchSize, walrusBlobId);
    }

    function settleIndividual(
        bytes32 teeId,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        address ethAddress,
        bytes calldata walrusBlobId,
        bytes calldata signature
    ) external {
        emit IndividualSettlement(teeId, ethAddress, inputHash, outputHash, timestamp, walrusBlobId, signature);
    }
}
