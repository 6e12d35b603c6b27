// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DisputeKind, Grade, State} from "./Types.sol";

/// @title Errors of the registry
/// @notice Arguments: the object's id, then what was found, then what is needed. Times in Unix seconds, amounts in
/// units of the asset.
interface ITallystickErrors {
    /// @notice Thrown when archiving a batch that is archived already.
    error AlreadyArchived(bytes32 batchId);
    /// @notice Thrown when challenging, resolving or disproving in a network without an arbiter.
    error ArbiterMissing(bytes32 networkId);
    /// @notice Thrown when registering a network whose asset has no code.
    error AssetWithoutCode(address asset);
    /// @notice Thrown when the network has no attestor for the grade.
    error AttestorMissing(bytes32 networkId, Grade grade);
    /// @notice Thrown when committing under another index than the lane's next one.
    error BatchIndexNotNext(uint256 index, uint256 nextIndex);
    /// @notice Thrown when a lane has had all the batches that unsolicited nonces can tell apart.
    error BatchIndexOutOfRange(uint256 index, uint256 highest);
    /// @notice Thrown when asking for bytes in a network whose rules have maxBytes zero.
    error BytesNotDemandable(bytes32 networkId);
    /// @notice Thrown when the revealed bytes do not hash to the leaf's input and output hash.
    error BytesMismatch(bytes32 inputHash, bytes32 outputHash);
    /// @notice Thrown when registering a network with an arbiter and no challenge bond.
    error ChallengeBondZero();
    /// @notice Thrown when the count of a batch is zero or above 2^20.
    error CountOutOfRange(uint256 count, uint256 highest);
    /// @notice Thrown when the leaf's deadline lies where it should, so that there is no fault.
    error DeadlineInRange(uint256 deadline, uint256 earliest, uint256 latest);
    /// @notice Thrown when a batch is in a dispute of the other kind.
    error DisputeKindMismatch(bytes32 batchId, DisputeKind kind, DisputeKind needed);
    /// @notice Thrown when the attestor does not accept the evidence.
    error EvidenceRefused(bytes32 batchId, Grade grade);
    /// @notice Thrown when evidence would not raise the grade.
    error GradeNotRaised(bytes32 batchId, Grade grade, Grade current);
    /// @notice Thrown when an account has less credit than is needed.
    error InsufficientCredit(address asset, address account, uint256 credit, uint256 needed);
    /// @notice Thrown when a lane has less stake than its open inferences lock.
    error InsufficientStake(bytes32 networkId, address operator, uint256 stake, uint256 needed);
    /// @notice Thrown when the owner has closed the lane to new commits.
    error LaneClosed(bytes32 networkId, address operator);
    /// @notice Thrown when a lane would hold more open inferences than its counter takes.
    error LaneFull(bytes32 networkId, address operator, uint256 openInferences, uint256 highest);
    /// @notice Thrown when committing after `commitDeadline`, the smallest deadline.
    error LateCommit(uint256 timestamp, uint256 commitDeadline);
    /// @notice Thrown when the opened leaf is not the disputed one.
    error LeafNotDisputed(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when a leaf index is not below the batch's count.
    error LeafIndexOutOfRange(uint256 leafIndex, uint256 count);
    /// @notice Thrown when the two leaves are in order, so that there is no fault.
    error LeavesInOrder(uint256 leafIndex, uint256 otherLeafIndex);
    /// @notice Thrown when the two leaves are not the same (requester, nonce), so that there is no fault.
    error LeavesNotRepeated(bytes32 earlierId, bytes32 batchId);
    /// @notice Thrown when a resolver's answer is not the one word its interface promises.
    error MalformedAnswer(address resolver);
    /// @notice Thrown when registering a network that lets more bytes be demanded than a transaction carries.
    error MaxBytesOutOfRange(uint256 maxBytes, uint256 highest);
    /// @notice Thrown when registering a model that is registered already.
    error ModelExists(bytes32 modelId);
    /// @notice Thrown when the model is not registered in the network.
    error ModelNotFound(bytes32 networkId, bytes32 modelId);
    /// @notice Thrown when the coins sent are not the amount deposited (no coins for an ERC-20).
    error NativeAmountMismatch(uint256 sent, uint256 needed);
    /// @notice Thrown when registering a network that is registered already.
    error NetworkExists(bytes32 networkId);
    /// @notice Thrown when a network has counted all the inferences that its counters take: it takes no more commits.
    error NetworkFull(bytes32 networkId, uint256 committed, uint256 highest);
    /// @notice Thrown when no network has this id.
    error NetworkNotFound(bytes32 networkId);
    /// @notice Thrown when the arbiter does not rule that the leaf is wrong.
    error NotDisproved(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when only the network's owner may do this.
    error NotNetworkOwner(bytes32 networkId, address caller);
    /// @notice Thrown when committing for an operator with neither its address nor its key.
    error NotOperatorKey(address operator, address caller);
    /// @notice Thrown when the arbiter leaves the challenge undecided.
    error NotRuled(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when no batch is given to finalize.
    error NothingToFinalize(bytes32 networkId, address operator);
    /// @notice Thrown when a network has burned nothing since the last sweep.
    error NothingToSweep(bytes32 networkId);
    /// @notice Thrown when the operator is not admitted to a network that is not open.
    error OperatorNotAdmitted(bytes32 networkId, address operator);
    /// @notice Thrown when what is presented is not what the slot's word is the hash of.
    error PreImageMismatch(bytes32 batchId);
    /// @notice Thrown when a proof does not lead to the batch's root, or has another length than the tree's depth.
    error ProofInvalid(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when challenging a Proven batch.
    error ProvenUnchallengeable(bytes32 batchId);
    /// @notice Thrown when the repeated leaf's other batch is not an earlier one of the same lane.
    error RepeatNotEarlier(bytes32 earlierId, bytes32 batchId);
    /// @notice Thrown when the requester did not sign the request behind a revealed leaf.
    error RequestNotSigned(bytes32 leaf, address requester);
    /// @notice Thrown when the batch in a slot is not finalizable, with an hour for archiving it, until `freeFrom`.
    error SlotTaken(uint256 slot, uint256 timestamp, uint256 freeFrom);
    /// @notice Thrown when a batch is not in a state that allows the action.
    error StateForbids(bytes32 batchId, State state);
    /// @notice Thrown when an action comes before its time.
    error TooEarly(uint256 timestamp, uint256 from);
    /// @notice Thrown when an action comes after its time.
    error TooLate(uint256 timestamp, uint256 until);
    /// @notice Thrown when the chain's native coin could not be sent.
    error TransferFailed(address to, uint256 amount);
    /// @notice Thrown when revealed bytes are longer than a demand may ask for.
    error TooManyBytes(uint256 length, uint256 highest);
    /// @notice Thrown when an unsolicited leaf is in a network that forbids it, or has another nonce than its place.
    error UnsolicitedLeaf(bytes32 leaf, uint256 nonce, uint256 needed);
    /// @notice Thrown when registering a network whose windows are zero, over a year, or out of proportion.
    error WindowsOutOfRange(uint256 challengeWindow, uint256 responseWindow, uint256 rulingWindow);
}
