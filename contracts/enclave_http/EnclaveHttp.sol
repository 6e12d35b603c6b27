// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IEnclaveHttp} from "./IEnclaveHttp.sol";
import {EnclaveKeys} from "../enclave/EnclaveKeys.sol";
import {SignedItems} from "../enclave/SignedItems.sol";
import {MAX_BYTES} from "../libraries/Constants.sol";

/// @title EnclaveHttp
/// @notice Attests batches of one, and upholds leaves, whose HTTP bodies an enclave signed.
contract EnclaveHttp is IEnclaveHttp, SignedItems {
    bytes32 private constant SPEC_HASH = keccak256("ENCLAVE-HTTP");

    // Where a part of the evidence ends; the name begins at HEAD.
    uint256 private constant SIGNER = 20;
    uint256 private constant SIGNATURE = SIGNER + 65;
    uint256 private constant NETWORK = SIGNATURE + 32;
    uint256 private constant REGISTRANT = NETWORK + 20;
    uint256 private constant PARENT = REGISTRANT + 32;
    uint256 private constant NAME_LENGTH = PARENT + 1;
    uint256 private constant HEAD = NAME_LENGTH + 4;

    /// @inheritdoc IEnclaveHttp
    bool public immutable NAMED;

    /// @param endorsers the endorsers' keys, 1 to 16
    /// @param threshold_ how many of them must sign, 1 to their number
    /// @param named whether the text that enclaves sign begins with the model's name
    constructor(bytes[] memory endorsers, uint256 threshold_, bool named) EnclaveKeys(endorsers, threshold_) {
        NAMED = named;
    }

    /// @dev A key of the operator, valid at the commit, signed the bodies that the evidence shows.
    function _checkItem(
        bytes32 modelId,
        address operator,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 committedAt,
        bytes calldata evidence
    ) internal view override returns (bytes32 item) {
        uint256 bodies = HEAD + uint8(evidence[PARENT]);
        uint256 answer = bodies + uint32(bytes4(evidence[NAME_LENGTH:HEAD]));
        require(evidence.length <= bodies + MAX_BYTES, BodiesTooLong(evidence.length - bodies, MAX_BYTES));
        bytes calldata name = evidence[HEAD:bodies];
        bytes calldata request = evidence[bodies:answer];
        bytes calldata response = evidence[answer:];

        _checkModel(modelId, name, evidence);
        item = keccak256(abi.encode(inputHash, outputHash));
        bytes32 shown = keccak256(abi.encode(keccak256(request), keccak256(response)));
        require(shown == item, BodiesMismatch(shown, item));
        bytes32 digest = MessageHashUtils.toEthSignedMessageHash(_textOf(name, request, response));
        _checkSigned(evidence[:SIGNER], digest, evidence[SIGNER:SIGNATURE], operator, committedAt);
    }

    /// @dev The model is registered under this name, with the spec whose leaves are HTTP bodies.
    function _checkModel(bytes32 modelId, bytes calldata name, bytes calldata evidence) private pure {
        bytes32 networkId = bytes32(evidence[SIGNATURE:NETWORK]);
        address registrant = address(bytes20(evidence[NETWORK:REGISTRANT]));
        bytes32 parent = bytes32(evidence[REGISTRANT:PARENT]);
        bytes32 shown = keccak256(abi.encode(networkId, registrant, keccak256(name), SPEC_HASH, parent));
        require(shown == modelId, ModelMismatch(shown, modelId));
    }

    /// @dev What the enclave signs by EIP-191. The two hashes are its last 129 bytes, so it reads in one way.
    function _textOf(bytes calldata name, bytes calldata request, bytes calldata response)
        private
        view
        returns (bytes memory)
    {
        bytes memory hashes = bytes.concat(_hex(sha256(request)), ":", _hex(sha256(response)));
        return NAMED ? bytes.concat(name, ":", hashes) : hashes;
    }

    /// @dev 64 lower-case digits, without 0x.
    function _hex(bytes32 word) private pure returns (bytes memory) {
        return Bytes.splice(bytes(Strings.toHexString(uint256(word), 32)), 2);
    }
}
