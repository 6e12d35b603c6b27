// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

struct TEESettlementData {
    address user;
    address provider;
    uint256 totalFee;
    bytes32 requestsHash;
    uint256 nonce;
    bytes signature;
}

/// @dev Emits what 0G's InferenceServing emits and checks nothing: any lie can be told.
contract ZeroG {
    enum SettlementStatus {
        SUCCESS,
        PARTIAL,
        PROVIDER_MISMATCH,
        NO_TEE_SIGNER,
        INVALID_NONCE,
        INVALID_SIGNATURE
    }

    event TEESettlementResult(address indexed user, SettlementStatus status, uint256 unsettledAmount);
    event ProviderTEESignerAcknowledged(address indexed provider, address indexed teeSignerAddress, bool acknowledged);

    /// @dev Rulings to come, by nonce; settled whole unless told otherwise.
    mapping(uint256 nonce => SettlementStatus) public ruling;
    mapping(uint256 nonce => uint256) public unsettled;

    function acknowledge(address provider, address signer, bool acknowledged) external {
        emit ProviderTEESignerAcknowledged(provider, signer, acknowledged);
    }

    function rule(uint256 nonce, SettlementStatus status, uint256 unsettledAmount) external {
        ruling[nonce] = status;
        unsettled[nonce] = unsettledAmount;
    }

    function settleFeesWithTEE(TEESettlementData[] calldata settlements) external {
        for (uint256 i = 0; i < settlements.length; ++i) {
            uint256 nonce = settlements[i].nonce;
            emit TEESettlementResult(settlements[i].user, ruling[nonce], unsettled[nonce]);
        }
    }
}
