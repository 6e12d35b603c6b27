// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestor} from "../interfaces/IAttestor.sol";
import {Batch, BatchFacts} from "../interfaces/Types.sol";
import {EnclaveKeys} from "./EnclaveKeys.sol";

/// @title Enclave
/// @notice Attests a batch that an enclave signed: the enclave ran every inference and built the tree itself.
/// @dev Evidence: abi.encode(bytes key, bytes signature), over the batch by EIP-712, domain "Tallystick" version "1",
/// this contract: Batch(bytes32 networkId,address operator,uint48 index,bytes32 modelId,bytes32 root,uint32 count,
/// uint64 commitDeadline). The network's id binds chain, registry and rules, so the signature fits one batchId only.
/// The key must be valid when the batch was committed and not revoked when it is attested; what is graded stays.
contract Enclave is IAttestor, EnclaveKeys {
    bytes32 private constant BATCH_TYPEHASH = keccak256(
        "Batch(bytes32 networkId,address operator,uint48 index,bytes32 modelId,bytes32 root,uint32 count,uint64 commitDeadline)"
    );

    /// @param endorsers the endorsers' keys, 1 to 16
    /// @param threshold_ how many of them must sign, 1 to their number
    constructor(bytes[] memory endorsers, uint256 threshold_) EnclaveKeys(endorsers, threshold_) {}

    /// @inheritdoc IAttestor
    function attest(bytes32, BatchFacts calldata facts, bytes calldata evidence) external view returns (bool) {
        (bytes memory key, bytes memory signature) = abi.decode(evidence, (bytes, bytes));
        _checkSigned(key, batchDigest(facts.batch), signature, facts.batch.operator, facts.committedAt);
        return true;
    }

    /// @notice What an enclave signs.
    /// @param batch as it is, or will be, committed
    function batchDigest(Batch calldata batch) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(BATCH_TYPEHASH, batch)));
    }
}
