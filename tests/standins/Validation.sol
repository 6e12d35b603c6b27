// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev An ERC-8004 validation registry that checks nobody's right to say anything.
contract Validation {
    event ValidationRequest(
        address indexed validatorAddress, uint256 indexed agentId, string requestURI, bytes32 indexed requestHash
    );
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseURI,
        bytes32 responseHash,
        string tag
    );

    function validationRequest(address validator, uint256 agentId, string calldata uri, bytes32 requestHash) external {
        emit ValidationRequest(validator, agentId, uri, requestHash);
    }

    function respond(address validator, uint256 agentId, bytes32 requestHash, uint8 response) external {
        emit ValidationResponse(validator, agentId, requestHash, response, "ipfs://answer", 0, "tag");
    }

    /// @dev The request's topic over data that are no string.
    function shout(address validator, uint256 agentId, bytes32 requestHash) external {
        bytes32 topic = ValidationRequest.selector;
        assembly {
            mstore(0, not(0))
            log4(0, 32, topic, validator, agentId, requestHash)
        }
    }
}
