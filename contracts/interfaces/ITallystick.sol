// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Stamp} from "../libraries/StampLib.sol";
import {ITallystickErrors} from "./ITallystickErrors.sol";
import {ITallystickEvents} from "./ITallystickEvents.sol";
import {
    Batch,
    BatchRef,
    Commitment,
    Grade,
    Lane,
    Leaf,
    ModelTerms,
    Opening,
    PreImage,
    Rules,
    State,
    Status,
    Totals
} from "./Types.sol";

/// @title The registry of verified inference per network
/// @notice Networks, models and lanes; batches of inferences, their evidence and disputes; counters and credit.
/// @dev Amounts in units of the network's asset (wei for the native coin), times and windows in seconds.
/// A batch is one storage word in a slot of its lane: the hash of a pre-image that callers present, and a state byte.
/// All state-changing functions share one reentrancy lock. Resolvers are called by STATICCALL only.
interface ITallystick is ITallystickErrors, ITallystickEvents {
    // NETWORKS AND MODELS

    /// @notice Registers a network with immutable rules; the sender owns it.
    /// @dev The owner only admits and closes lanes. Windows must exceed the chain's forced-inclusion delay: the core
    /// cannot know it. Emits NetworkRegistered.
    /// Reverts with WindowsOutOfRange, AssetWithoutCode, ChallengeBondZero, NetworkNotFound (parent), NetworkExists.
    /// @param salt tells apart networks of one owner with equal rules
    /// @param rules see Rules
    /// @param parent the network this one succeeds, or zero; event data only, anyone may name any network
    /// @param name event data only
    /// @param uri event data only
    /// @return networkId keccak256(abi.encode(chain id, this contract, sender, salt, rules))
    function registerNetwork(
        bytes32 salt,
        Rules calldata rules,
        bytes32 parent,
        string calldata name,
        string calldata uri
    ) external returns (bytes32 networkId);

    /// @notice Admits an operator, or opens its closed lane again. Emits OperatorAdmitted.
    /// @dev Reverts with NetworkNotFound, NotNetworkOwner.
    function admit(bytes32 networkId, address operator) external;

    /// @notice Closes an operator's lane to new commits; nothing else is barred. Emits OperatorClosed.
    /// @dev Reverts with NetworkNotFound, NotNetworkOwner.
    function close(bytes32 networkId, address operator) external;

    /// @notice Registers a model: by anyone in a permissionless network, else by its owner. Emits ModelRegistered.
    /// @dev Reverts with NetworkNotFound, NotNetworkOwner, ModelNotFound (parent), ModelExists.
    /// @param contentHash keccak256 of the model's content, as its spec says
    /// @param specHash keccak256 of the spec: canonical bytes and how outputs are compared
    /// @param parent the model of the same network this is a new version of, or zero
    /// @return modelId keccak256(abi.encode(networkId, sender, contentHash, specHash, parent))
    function registerModel(
        bytes32 networkId,
        bytes32 contentHash,
        bytes32 specHash,
        bytes32 parent,
        string calldata name,
        string calldata uri
    ) external returns (bytes32 modelId);

    // MONEY

    /// @notice Takes `amount` of an asset from the sender and credits what arrived (less, with a fee on transfer).
    /// @dev Emits Deposited. Reverts with NativeAmountMismatch, or as the token does.
    /// @param asset ERC-20, or zero for the native coin, sent along
    function deposit(address asset, uint256 amount) external payable;

    /// @notice Pays out the sender's credit. Emits Withdrawn.
    /// @dev Reverts with InsufficientCredit, TransferFailed, or as the token does.
    function withdraw(address asset, address to, uint256 amount) external;

    /// @notice Sends what a network has burned since the last sweep to 0x...dEaD. Emits Swept.
    /// @dev A token that refuses the address makes this revert, and nothing else.
    /// Reverts with NothingToSweep, TransferFailed, or as the token does.
    function sweep(bytes32 networkId) external;

    /// @notice Moves the sender's credit into its lane's stake. Emits Staked.
    /// @dev Reverts with NetworkNotFound, InsufficientCredit.
    function stake(bytes32 networkId, uint128 amount) external;

    /// @notice Moves stake that no open inference locks back into the sender's credit. Emits Unstaked.
    /// @dev Locked: stakePerInference * openInferences. Reverts with InsufficientStake.
    function unstake(bytes32 networkId, uint128 amount) external;

    // A BATCH'S LIFE

    /// @notice Lets a key commit for the sender, in all networks, and nothing else: a server need not hold what owns
    /// stake and credit. It replaces the key before; no open batch depends on it. Emits KeySet.
    /// @param key the address that may call commitFor, or zero for none
    function setKey(address key) external;

    /// @notice Commits to a batch in the sender's lane; over a finalizable batch's slot, finalizes that one too.
    /// @dev A slot is taken over when it is free, final or rejected, or one hour after its batch's closesAt.
    /// The batch that held it becomes final in the same move, told by the same event. Emits BatchCommitted.
    /// Reverts with ModelNotFound, CountOutOfRange, LateCommit, StateForbids (disputed slot), PreImageMismatch,
    /// SlotTaken, LaneClosed, OperatorNotAdmitted, BatchIndexNotNext, InsufficientStake.
    /// @return batchId keccak256(abi.encode(Batch))
    function commit(Commitment calldata commitment) external returns (bytes32 batchId);

    /// @notice Commits to a batch and attests to it in the same transaction. As commit and attest.
    function commitAttested(Commitment calldata commitment, Grade grade, bytes calldata evidence)
        external
        returns (bytes32 batchId);

    /// @notice Commits several batches in lanes of the sender, in the order given; all or none.
    /// @dev As commit, for each.
    function commitMany(Commitment[] calldata commitments) external returns (bytes32[] memory batchIds);

    /// @notice Commits several batches in lanes of an operator, by its key or itself; all or none.
    /// @dev As commit, for each, in the operator's name. Reverts with NotOperatorKey as well.
    /// @param operator whose lanes, stake and batches they are
    /// @param commitments in the order of the lanes' indices
    /// @return batchIds of each, in the same order
    function commitFor(address operator, Commitment[] calldata commitments)
        external
        returns (bytes32[] memory batchIds);

    /// @notice Raises the grade of an open batch on evidence that the grade's attestor accepts. By anyone.
    /// @dev Emits BatchAttested. Reverts with PreImageMismatch, StateForbids, TooLate, GradeNotRaised,
    /// AttestorMissing, MalformedAnswer, EvidenceRefused, or as the attestor does.
    function attest(Batch calldata batch, Stamp stamp, Grade grade, bytes calldata evidence) external;

    /// @notice Challenges a leaf of an open batch before closesAt; the arbiter has rulingWindow to rule.
    /// @dev The sender's credit pays challengeBond: returned with a reward when the leaf is ruled wrong; when upheld,
    /// half goes to the operator and half is burned; when no ruling comes, half is returned and half burned.
    /// For example of a bond of 101: upheld credits the operator 50 and burns 51. Emits BatchChallenged.
    /// Reverts with PreImageMismatch, StateForbids, ProvenUnchallengeable, ArbiterMissing, LeafIndexOutOfRange,
    /// ProofInvalid, TooLate, InsufficientCredit.
    function challenge(Batch calldata batch, Stamp stamp, Opening calldata opening) external;

    /// @notice Demands that a leaf of an open batch be revealed within responseWindow, with its bytes if asked.
    /// @dev The sender's credit pays demandBond: all of it goes to the operator when the leaf is revealed; it comes
    /// back with a reward when not. Emits BatchDemanded.
    /// Reverts with PreImageMismatch, StateForbids, LeafIndexOutOfRange, BytesNotDemandable, TooLate,
    /// InsufficientCredit.
    function demand(Batch calldata batch, Stamp stamp, uint256 leafIndex, bool withBytes) external;

    /// @notice Answers a demand until its due second. By anyone; demandBond goes to the operator.
    /// @dev Emits LeafRevealed. A requester's signature is checked with ecrecover only, code or not.
    /// Reverts with PreImageMismatch, StateForbids, DisputeKindMismatch, TooLate, LeafNotDisputed,
    /// LeafIndexOutOfRange, ProofInvalid, UnsolicitedLeaf, RequestNotSigned, TooManyBytes,
    /// BytesMismatch.
    /// @param signature the requester's over the Request, 65 bytes, low s; unread for an unsolicited leaf
    /// @param input the canonical input bytes; unread unless the demand asks for bytes
    /// @param output the canonical output bytes; unread unless the demand asks for bytes
    function reveal(
        PreImage calldata preImage,
        Opening calldata opening,
        bytes calldata signature,
        bytes calldata input,
        bytes calldata output
    ) external;

    /// @notice Rejects a batch whose demand stayed unanswered. By anyone; the demander is paid.
    /// @dev Emits BatchRejected. Reverts with PreImageMismatch, StateForbids, DisputeKindMismatch, TooEarly.
    function timeout(PreImage calldata preImage) external;

    /// @notice Has the arbiter rule on a challenged leaf until its due second. By anyone.
    /// @dev Rejected: slash = stakePerInference * count; the challenger gets its bond and
    /// min(slash / 2, 16 * challengeBond), the rest of the slash is burned. For example stakePerInference 10,
    /// count 100 and challengeBond 20: slash 1000, reward 320, burned 680.
    /// Emits ChallengeUpheld or BatchRejected. Reverts with PreImageMismatch, StateForbids, DisputeKindMismatch,
    /// TooLate, LeafNotDisputed, MalformedAnswer, NotRuled, or as the arbiter does.
    function resolve(PreImage calldata preImage, Leaf calldata leaf, bytes calldata evidence) external;

    /// @notice Ends a challenge on which no ruling came. By anyone; half the bond is returned, half burned.
    /// @dev The batch is open again and counts as unresolved at finality, whatever its grade: with an idle arbiter
    /// anybody can do this to an honest batch for challengeBond / 2. Emits ChallengeLapsed.
    /// Reverts with PreImageMismatch, StateForbids, DisputeKindMismatch, TooEarly.
    function lapse(PreImage calldata preImage) external;

    /// @notice Rejects a batch, before it is final, on evidence by which the arbiter rules a leaf wrong at once.
    /// @dev No bond; the reward goes to the sender, and the transaction can be copied: use a private relay or accept
    /// it. A pending dispute's bond goes back. Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, ArbiterMissing, LeafIndexOutOfRange, ProofInvalid,
    /// MalformedAnswer, NotDisproved, or as the arbiter does.
    function disprove(PreImage calldata preImage, Opening calldata opening, bytes calldata evidence) external;

    /// @notice Rejects a batch, before it is final, of which two leaves are out of order or equal.
    /// @dev No bond; money as in disprove. Leaves ascend strictly by (requester, nonce). Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, LeafIndexOutOfRange, ProofInvalid, LeavesInOrder.
    /// @param opening the leaf of the lower index
    /// @param other the leaf of the higher index
    function faultOrder(PreImage calldata preImage, Opening calldata opening, Opening calldata other) external;

    /// @notice Rejects a batch, before it is final, that holds a (requester, nonce) of an earlier batch of its lane.
    /// @dev No bond; money as in disprove. The earlier batch may be in any state but rejected while its slot still
    /// holds it. Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, RepeatNotEarlier, LeafIndexOutOfRange, ProofInvalid,
    /// LeavesNotRepeated.
    function faultRepeat(
        PreImage calldata preImage,
        Opening calldata opening,
        PreImage calldata earlier,
        Opening calldata other
    ) external;

    /// @notice Rejects a batch, before it is final, with a leaf whose deadline lies outside
    /// [committedAt, committedAt + challengeWindow / 2].
    /// @dev No bond; money as in disprove. Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, LeafIndexOutOfRange, ProofInvalid,
    /// DeadlineInRange.
    function faultDeadline(PreImage calldata preImage, Opening calldata opening) external;

    /// @notice Makes open batches of one lane final, from closesAt on. By anyone; all or none.
    /// @dev Emits BatchFinalized for each. Reverts with PreImageMismatch, StateForbids, TooEarly.
    function finalize(BatchRef[] calldata refs, bytes32 networkId, address operator) external;

    /// @notice Writes a final batch's status for good, for contracts that need it later. By anyone.
    /// @dev A rejection archives itself. Emits BatchArchived. Reverts with PreImageMismatch, StateForbids,
    /// AlreadyArchived.
    function archive(bytes32 networkId, address operator, BatchRef calldata ref) external;

    /// @notice Makes each call by itself, as its sender: one that fails changes nothing, and leaves the others.
    /// @dev For reveals, timeouts and lapses, of which somebody may send one first. Calls are of this contract, ABI
    /// encoded. Emits what they emit; of one that fails only the answer tells.
    /// @param calls the calldata of each
    /// @return done whether each call did what it should, in the same order
    function each(bytes[] calldata calls) external returns (bool[] memory done);

    // VIEWS

    /// @notice The network's counters; two storage reads. All zero for an unknown network.
    function totals(bytes32 networkId) external view returns (Totals memory);

    /// @notice What the chain can say of a batch: from the archive, else from its slot.
    /// @dev Unknown for a batch never committed, for one overwritten and not archived, and for a disputed one, whose
    /// pre-image holds the dispute (see stateOf). Open may mean that the window is over and nobody finalized.
    function status(bytes32 networkId, address operator, BatchRef calldata ref) external view returns (Status memory);

    /// @notice The state of a batch by its whole pre-image, disputed ones included.
    function stateOf(PreImage calldata preImage) external view returns (State);

    /// @notice The archived status of a batch; state Unknown when it is not archived.
    function archived(bytes32 batchId) external view returns (Status memory);

    /// @notice The rules of a network. Reverts with NetworkNotFound.
    function rulesOf(bytes32 networkId) external view returns (Rules memory);

    /// @notice The owner of a network. Reverts with NetworkNotFound.
    function ownerOf(bytes32 networkId) external view returns (address owner);

    /// @notice What commit knows of a model; challengeWindow zero when it is not registered in the network.
    function modelTerms(bytes32 networkId, bytes32 modelId) external view returns (ModelTerms memory);

    /// @notice The longest that a batch of the network can live without being marked lapsed, from committedAt to its
    /// last dispute's end, in seconds: challengeWindow + 17 responseWindow + 5 rulingWindow. Reverts with NetworkNotFound.
    function lifeOf(bytes32 networkId) external view returns (uint256);

    /// @notice The key that may commit for an operator; zero: none.
    function keyOf(address operator) external view returns (address);

    /// @notice An operator's standing in a network; all zero for one never seen.
    function laneOf(bytes32 networkId, address operator) external view returns (Lane memory);

    /// @notice Credit of an account, in units of the asset.
    function creditOf(address asset, address account) external view returns (uint256);

    /// @notice How much of a network's burned amount has been swept, in units of its asset.
    function sweptOf(bytes32 networkId) external view returns (uint256);

    /// @notice A slot's storage word: upper 248 bits of keccak256(pre-image), and the state byte.
    function wordOf(bytes32 networkId, address operator, uint32 slot) external view returns (bytes32);

    /// @notice The EIP-712 digest of the Request that a requester signs; the leaf's answer is not part of it.
    function requestDigest(bytes32 modelId, address operator, Leaf calldata leaf) external view returns (bytes32);
}
