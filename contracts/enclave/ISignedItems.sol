// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {IEnclaveKeys} from "./IEnclaveKeys.sol";

/// @title Takes inferences that an enclave of another network signed one by one, as they are
/// @notice Attests batches of one, and rules on a challenged leaf of any batch.
/// @dev An item names no batch, so its signature, which others may see, could be shown for any number of batches. So an
/// operator first claims an item for one batch, and an enclave's key speaks for one operator: an item counts once.
/// Evidence to rule is the item, as the contract says. To attest: the leaf's six words, then the same.
/// Rules Upheld on a valid item, never Rejected: that there is no signature to show does not prove an answer wrong, nor
/// does another answer to the same request, because answers are sampled. Without a valid item it reverts; the challenge
/// then lapses, and the batch counts as unresolved, not as verified. It does not judge whether an item stands in other
/// leaves as well.
interface ISignedItems is IAttestor, IArbiter, IEnclaveKeys {
    /// @notice Thrown when the batch has more than one inference.
    error BatchNotSingle(bytes32 batchId, uint256 count);
    /// @notice Thrown when the item is not claimed for the batch; `claimed` is zero when for none.
    error ItemNotClaimed(bytes32 item, bytes32 claimed, bytes32 batchId);
    /// @notice Thrown when the sender has claimed the item already.
    error ItemTaken(bytes32 item, bytes32 batchId);
    /// @notice Thrown when the leaf is not the batch's.
    error LeafMismatch(bytes32 leaf, bytes32 root);

    /// @notice An operator claimed an item for a batch, committed or yet to be.
    event ItemClaimed(address indexed operator, bytes32 indexed item, bytes32 indexed batchId);

    /// @notice Claims an item for a batch of the sender, for good. Emits ItemClaimed. Reverts with ItemTaken.
    /// @dev The batch need not be committed; its id is known before. Nothing about the item is checked here: a claim is
    /// worth nothing without the item's signature by a key of the same operator.
    /// @param item 32 bytes that tell the inference from others, as the contract says
    /// @param batchId keccak256(abi.encode(Batch))
    function claim(bytes32 item, bytes32 batchId) external;

    /// @notice The batch that an operator claimed an item for, or zero.
    /// @param operator who claimed
    /// @param item 32 bytes, as claimed
    function claimOf(address operator, bytes32 item) external view returns (bytes32 batchId);
}
