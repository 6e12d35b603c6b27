// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {ISignedItems} from "./ISignedItems.sol";
import {BatchFacts, Inference, Leaf, Ruling} from "../interfaces/Types.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {EnclaveKeys} from "./EnclaveKeys.sol";

/// @title SignedItems
/// @notice What the resolvers of single signed inferences share: claims, batches of one, and rulings that only uphold.
abstract contract SignedItems is ISignedItems, EnclaveKeys {
    using LeafLib for Leaf;

    uint256 private constant LEAF_SIZE = 0xc0;

    /// @inheritdoc ISignedItems
    mapping(address operator => mapping(bytes32 item => bytes32 batchId)) public claimOf;

    /// @inheritdoc ISignedItems
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
        bytes32 modelId = facts.batch.modelId;
        address operator = facts.batch.operator;
        bytes32 leafHash = leaf.hash(modelId, operator);
        require(leafHash == facts.batch.root, LeafMismatch(leafHash, facts.batch.root));
        bytes32 item =
            _checkItem(modelId, operator, leaf.inputHash, leaf.outputHash, facts.committedAt, evidence[LEAF_SIZE:]);
        bytes32 claimed = claimOf[operator][item];
        require(claimed == batchId, ItemNotClaimed(item, claimed, batchId));
        return true;
    }

    /// @inheritdoc IArbiter
    function rule(bytes32, Inference calldata leaf, uint256, bytes calldata evidence) external view returns (Ruling) {
        // The leaf's deadline stands for the commit, which an arbiter is not told: one before it is a fault.
        _checkItem(leaf.modelId, leaf.operator, leaf.inputHash, leaf.outputHash, leaf.deadline, evidence);
        return Ruling.Upheld;
    }

    /// @dev Reverts unless a key of the operator signed the item that the evidence shows, by the resolver's own rule.
    /// @param committedAt Unix seconds of the commit; to rule, the leaf's deadline
    /// @return item what tells the inference from others
    function _checkItem(
        bytes32 modelId,
        address operator,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 committedAt,
        bytes calldata evidence
    ) internal view virtual returns (bytes32 item);

    /// @dev The leaf at the beginning of the evidence. LeafLib.hash reverts on bits beyond a field's width.
    function _leafOf(bytes calldata evidence) private pure returns (Leaf calldata leaf) {
        bytes calldata words = evidence[:LEAF_SIZE];
        assembly ("memory-safe") {
            leaf := words.offset
        }
    }
}
