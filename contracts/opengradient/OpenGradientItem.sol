// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {IOpenGradientItem} from "./IOpenGradientItem.sol";
import {BatchFacts, Inference, Leaf, Ruling} from "../interfaces/Types.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {EnclaveKeys} from "../enclave/EnclaveKeys.sol";

/// @title OpenGradientItem
/// @notice Attests batches of one, and upholds leaves, whose inference an OpenGradient enclave signed.
contract OpenGradientItem is IOpenGradientItem, EnclaveKeys {
    using LeafLib for Leaf;

    uint256 private constant LEAF_SIZE = 0xc0;

    uint256 public immutable MAX_AGE;

    /// @inheritdoc IOpenGradientItem
    mapping(address operator => mapping(bytes32 item => bytes32 batchId)) public claimOf;

    /// @param endorsers the endorsers' keys, 1 to 16
    /// @param threshold_ how many of them must sign, 1 to their number
    /// @param maxAge seconds that an item may be old: at the commit to attest, at the leaf's deadline to rule
    constructor(bytes[] memory endorsers, uint256 threshold_, uint256 maxAge) EnclaveKeys(endorsers, threshold_) {
        MAX_AGE = maxAge;
    }

    /// @inheritdoc IOpenGradientItem
    function claim(bytes32 item, bytes32 batchId) external {
        bytes32 claimed = claimOf[msg.sender][item];
        require(claimed == 0, ItemTaken(item, claimed));
        claimOf[msg.sender][item] = batchId;
        emit ItemClaimed(msg.sender, item, batchId);
    }

    /// @inheritdoc IAttestor
    function attest(bytes32 batchId, BatchFacts calldata facts, bytes calldata evidence) external view returns (bool) {
        require(facts.batch.count == 1, BatchNotSingle(batchId, facts.batch.count));
        Leaf calldata leaf = _leafOf(evidence);
        address operator = facts.batch.operator;
        bytes32 leafHash = leaf.hash(facts.batch.modelId, operator);
        require(leafHash == facts.batch.root, LeafMismatch(leafHash, facts.batch.root));
        bytes32 item = _checkItem(operator, leaf.inputHash, leaf.outputHash, facts.committedAt, evidence[LEAF_SIZE:]);
        bytes32 claimed = claimOf[operator][item];
        require(claimed == batchId, ItemNotClaimed(item, claimed, batchId));
        return true;
    }

    /// @inheritdoc IArbiter
    function rule(bytes32, Inference calldata leaf, uint256, bytes calldata evidence) external view returns (Ruling) {
        _checkItem(leaf.operator, leaf.inputHash, leaf.outputHash, leaf.deadline, evidence);
        return Ruling.Upheld;
    }

    /// @dev A key of the operator signed the item, not after `latest` and at most MAX_AGE before.
    function _checkItem(
        address operator,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 latest,
        bytes calldata evidence
    ) private view returns (bytes32 item) {
        (uint256 timestamp, bytes memory key, bytes memory signature) = abi.decode(evidence, (uint256, bytes, bytes));
        require(timestamp <= latest && latest - timestamp <= MAX_AGE, ItemOutOfTime(timestamp, latest, MAX_AGE));
        item = keccak256(abi.encode(inputHash, outputHash, timestamp));
        _checkSigned(key, item, signature, operator, timestamp);
    }

    /// @dev The leaf at the beginning of the evidence. LeafLib.hash reverts on bits beyond a field's width.
    function _leafOf(bytes calldata evidence) private pure returns (Leaf calldata leaf) {
        bytes calldata words = evidence[:LEAF_SIZE];
        assembly ("memory-safe") {
            leaf := words.offset
        }
    }
}
