// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev An ERC-8004 validation registry, as the draft's interface has it; whose agent it is, it does not ask.
contract ValidationRegistry {
    struct Asked {
        address validator;
        uint256 agentId;
        uint8 response;
        bytes32 responseHash;
        string tag;
        uint256 lastUpdate;
    }

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

    mapping(bytes32 requestHash => Asked) private _asked;
    mapping(uint256 agentId => bytes32[]) private _ofAgent;
    mapping(address validator => bytes32[]) private _ofValidator;

    function validationRequest(address validatorAddress, uint256 agentId, string calldata requestURI, bytes32 requestHash)
        external
    {
        require(validatorAddress != address(0), "bad validator");
        require(_asked[requestHash].validator == address(0), "exists");
        _asked[requestHash] = Asked(validatorAddress, agentId, 0, 0, "", block.timestamp);
        _ofAgent[agentId].push(requestHash);
        _ofValidator[validatorAddress].push(requestHash);
        emit ValidationRequest(validatorAddress, agentId, requestURI, requestHash);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Asked storage asked = _asked[requestHash];
        require(asked.validator != address(0), "unknown");
        require(msg.sender == asked.validator, "not validator");
        require(response <= 100, "resp>100");
        (asked.response, asked.responseHash, asked.tag, asked.lastUpdate) = (response, responseHash, tag, block.timestamp);
        emit ValidationResponse(asked.validator, asked.agentId, requestHash, response, responseURI, responseHash, tag);
    }

    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (address, uint256, uint8, bytes32, string memory, uint256)
    {
        Asked storage asked = _asked[requestHash];
        require(asked.validator != address(0), "unknown");
        return (asked.validator, asked.agentId, asked.response, asked.responseHash, asked.tag, asked.lastUpdate);
    }

    function getSummary(uint256 agentId, address[] calldata validators, string calldata tag)
        external
        view
        returns (uint64 count, uint8 average)
    {
        uint256 sum;
        for (uint256 i = 0; i < _ofAgent[agentId].length; i++) {
            Asked storage asked = _asked[_ofAgent[agentId][i]];
            bool wanted = validators.length == 0;
            for (uint256 j = 0; j < validators.length; j++) wanted = wanted || validators[j] == asked.validator;
            bool tagged = bytes(tag).length == 0 || keccak256(bytes(tag)) == keccak256(bytes(asked.tag));
            if (!wanted || !tagged || asked.responseHash == 0) continue;
            sum += asked.response;
            count++;
        }
        average = count == 0 ? 0 : uint8(sum / count);
    }

    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory) {
        return _ofAgent[agentId];
    }

    function getValidatorRequests(address validatorAddress) external view returns (bytes32[] memory) {
        return _ofValidator[validatorAddress];
    }
}
