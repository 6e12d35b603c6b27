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
/// What names a network or a model that is not registered reverts; what opens a pre-image reverts where nothing matches;
/// only status, stateOf and archived answer Unknown.
interface ITallystick is ITallystickErrors, ITallystickEvents {
    // NETWORKS AND MODELS

    /// @notice Registers a network with immutable rules; the sender owns it.
    /// @dev What the registry assumes, and what happens where it is false:
    /// - asset: an ERC-20 whose transfer moves what it says, whose balances change by transfers only, and that goes on
    ///   existing. A fee on transfer is credited as it arrives. Where balances shrink by themselves (rebasing), or
    ///   lie, its own holders cannot all withdraw; other assets are never touched. One that refuses an address blocks
    ///   that account's withdraw, or sweep, and nothing else. One that calls back finds the registry locked.
    /// - attestors: tell the truth of evidence. One that does not can raise grades of its own network's batches, and of
    ///   no other. One that reverts, runs out of gas or answers anything else raises none.
    /// - arbiter: rules within rulingWindow, and right. One that does not can reject or uphold any batch of its own
    ///   network; the reward is bounded, so that bribing it pays at most 16 challenge bonds a batch. One that stays
    ///   silent lets batches lapse, for half a challenge bond each.
    /// - owner: admits operators and closes lanes. It cannot touch stake, credit, open batches or their disputes.
    /// - chain: includes a transaction within each window, also where a sequencer censors or stands still: windows must
    ///   exceed its forced-inclusion delay, which the registry cannot know. Else the honest are slashed by time.
    /// Emits NetworkRegistered. Reverts with WindowsOutOfRange, MaxBytesOutOfRange, AssetWithoutCode, ChallengeBondZero,
    /// NetworkNotFound (parent), NetworkExists.
    /// @param salt tells apart networks of one owner with equal rules; any 32 bytes
    /// @param rules see Rules, with units and ranges
    /// @param parent the network this one succeeds, or zero; event data only, anyone may name any network
    /// @param name event data only; any bytes, of any length
    /// @param uri event data only; any bytes, of any length
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
    /// @param networkId of a network that the sender owns
    /// @param operator any address
    function admit(bytes32 networkId, address operator) external;

    /// @notice Closes an operator's lane to new commits; nothing else is barred. Emits OperatorClosed.
    /// @dev Reverts with NetworkNotFound, NotNetworkOwner.
    /// @param networkId of a network that the sender owns
    /// @param operator any address
    function close(bytes32 networkId, address operator) external;

    /// @notice Registers a model: by anyone in a permissionless network, else by its owner. Emits ModelRegistered.
    /// @dev Reverts with NetworkNotFound, NotNetworkOwner, ModelNotFound (parent), ModelExists.
    /// @param networkId the network whose operators may then commit inferences of it
    /// @param contentHash keccak256 of the model's content, as its spec says
    /// @param specHash keccak256 of the spec: canonical bytes and how outputs are compared
    /// @param parent the model of the same network this is a new version of, or zero
    /// @param name event data only; any bytes, of any length
    /// @param uri event data only; any bytes, of any length
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
    /// @param amount units of the asset; of the native coin exactly the value sent, in wei
    function deposit(address asset, uint256 amount) external payable;

    /// @notice Pays out the sender's credit. Emits Withdrawn.
    /// @dev Reverts with InsufficientCredit, TransferFailed, or as the token does.
    /// @param asset ERC-20, or zero for the native coin
    /// @param to who is paid
    /// @param amount units of the asset, up to the sender's credit
    function withdraw(address asset, address to, uint256 amount) external;

    /// @notice Sends what a network has burned since the last sweep to 0x...dEaD. Emits Swept.
    /// @dev A token that refuses the address makes this revert, and nothing else.
    /// Reverts with NetworkNotFound, NothingToSweep, TransferFailed, or as the token does.
    /// @param networkId any registered network
    function sweep(bytes32 networkId) external;

    /// @notice Moves the sender's credit into its lane's stake. Emits Staked.
    /// @dev Reverts with NetworkNotFound, InsufficientCredit.
    /// @param networkId the lane's network, whose asset it is
    /// @param amount units of the asset, up to the sender's credit
    function stake(bytes32 networkId, uint128 amount) external;

    /// @notice Moves stake that no open inference locks back into the sender's credit. Emits Unstaked.
    /// @dev Locked: stakePerInference * openInferences. Reverts with NetworkNotFound, InsufficientStake.
    /// @param networkId the lane's network
    /// @param amount units of the asset, up to what is not locked
    function unstake(bytes32 networkId, uint128 amount) external;

    // A BATCH'S LIFE

    /// @notice Lets a key commit for the sender, in all networks, and nothing else: a server need not hold what owns
    /// stake and credit. It replaces the key before; no open batch depends on it. Emits KeySet.
    /// @dev A stolen key can commit what is then rejected: it burns the lanes' free stake and takes up to half of it.
    /// Credit, and stake that is taken out, are beyond its reach.
    /// @param key the address that may call commitFor, or zero for none
    function setKey(address key) external;

    /// @notice Commits to a batch in the sender's lane; over a finalizable batch's slot, finalizes that one too.
    /// @dev A slot is taken over when it is free, final or rejected, or one hour after its batch's closesAt.
    /// The batch that held it becomes final in the same call, told by the same event. Emits BatchCommitted.
    /// Reverts with ModelNotFound, CountOutOfRange, LateCommit, StateForbids (disputed slot), PreImageMismatch,
    /// SlotTaken, LaneClosed, OperatorNotAdmitted, BatchIndexNotNext, BatchIndexOutOfRange, LaneFull, NetworkFull,
    /// InsufficientStake.
    /// @param commitment see Commitment, with units and ranges
    /// @return batchId keccak256(abi.encode(Batch))
    function commit(Commitment calldata commitment) external returns (bytes32 batchId);

    /// @notice Commits to a batch and attests to it in the same transaction. As commit and attest.
    /// @param commitment see Commitment, with units and ranges
    /// @param grade what the evidence is for: Audited, Enclave or Proven
    /// @param evidence in the encoding of the grade's attestor
    /// @return batchId keccak256(abi.encode(Batch))
    function commitAttested(Commitment calldata commitment, Grade grade, bytes calldata evidence)
        external
        returns (bytes32 batchId);

    /// @notice Commits several batches in lanes of the sender, in the order given; all or none.
    /// @dev As commit, for each.
    /// @param commitments in the order of each lane's indices
    /// @return batchIds of each, in the same order
    function commitMany(Commitment[] calldata commitments) external returns (bytes32[] memory batchIds);

    /// @notice Commits several batches in lanes of an operator, by its key or itself; all or none.
    /// @dev As commit, for each, in the operator's name. Reverts with NotOperatorKey as well.
    /// @param operator whose lanes, stake and batches they are
    /// @param commitments in the order of each lane's indices
    /// @return batchIds of each, in the same order
    function commitFor(address operator, Commitment[] calldata commitments) external returns (bytes32[] memory batchIds);

    /// @notice Raises the grade of an open batch on evidence that the grade's attestor accepts. By anyone.
    /// @dev Emits EvidenceAccepted and BatchAttested. Reverts with PreImageMismatch, StateForbids, TooLate,
    /// GradeNotRaised, AttestorMissing, MalformedAnswer, EvidenceRefused, or as the attestor does.
    /// @param batch the fields that hash to its id
    /// @param stamp of the batch as it stands
    /// @param grade above the batch's: Audited, Enclave or Proven
    /// @param evidence in the encoding of the grade's attestor
    function attest(Batch calldata batch, Stamp stamp, Grade grade, bytes calldata evidence) external;

    /// @notice Challenges a leaf of an open batch before closesAt; the arbiter has rulingWindow to rule.
    /// @dev The sender's credit pays challengeBond: returned with a reward when the leaf is ruled wrong; when upheld,
    /// half goes to the operator and half is burned; when no ruling comes, half is returned and half burned.
    /// For example of a bond of 101: upheld credits the operator 50 and burns 51. Emits BatchChallenged.
    /// Reverts with PreImageMismatch, StateForbids, ProvenUnchallengeable, ArbiterMissing, LeafIndexOutOfRange,
    /// ProofInvalid, TooLate, InsufficientCredit.
    /// @param batch the fields that hash to its id
    /// @param stamp of the batch as it stands
    /// @param opening the leaf that is said to be wrong
    function challenge(Batch calldata batch, Stamp stamp, Opening calldata opening) external;

    /// @notice Demands that a leaf of an open batch be revealed within responseWindow, with its bytes if asked.
    /// @dev The sender's credit pays demandBond: all of it goes to the operator when the leaf is revealed; it comes
    /// back with a reward when not. Emits BatchDemanded.
    /// Reverts with PreImageMismatch, StateForbids, LeafIndexOutOfRange, BytesNotDemandable, TooLate,
    /// InsufficientCredit.
    /// @param batch the fields that hash to its id
    /// @param stamp of the batch as it stands
    /// @param leafIndex from zero, below the batch's count
    /// @param withBytes whether the input's and output's bytes are demanded too
    function demand(Batch calldata batch, Stamp stamp, uint256 leafIndex, bool withBytes) external;

    /// @notice Answers a demand until its due second. By anyone; demandBond goes to the operator.
    /// @dev Emits LeafRevealed, and BytesRevealed where bytes were demanded. A requester's signature is checked with
    /// ecrecover only, code or not. Marks the batch lapsed where the new closesAt outlasts its life (see lifeOf).
    /// Reverts with PreImageMismatch, StateForbids, DisputeKindMismatch, TooLate, LeafNotDisputed,
    /// LeafIndexOutOfRange, ProofInvalid, UnsolicitedLeaf, RequestNotSigned, TooManyBytes,
    /// BytesMismatch.
    /// @param preImage of the demanded batch as it stands
    /// @param opening the demanded leaf
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
    /// @param preImage of the demanded batch as it stands
    function timeout(PreImage calldata preImage) external;

    /// @notice Has the arbiter rule on a challenged leaf until its due second. By anyone.
    /// @dev Rejected: slash = stakePerInference * count; the challenger gets its bond and
    /// min(slash / 2, 16 * challengeBond), the rest of the slash is burned. For example stakePerInference 10,
    /// count 100 and challengeBond 20: slash 1000, reward 320, burned 680. Upheld: as in challenge; marks the batch
    /// lapsed where the new closesAt outlasts its life (see lifeOf).
    /// Emits ChallengeUpheld or BatchRejected. Reverts with PreImageMismatch, StateForbids, DisputeKindMismatch,
    /// TooLate, LeafNotDisputed, MalformedAnswer, NotRuled, or as the arbiter does.
    /// @param preImage of the challenged batch as it stands
    /// @param leaf the challenged leaf; it hashes to the dispute's
    /// @param evidence in the arbiter's encoding
    function resolve(PreImage calldata preImage, Leaf calldata leaf, bytes calldata evidence) external;

    /// @notice Ends a challenge on which no ruling came. By anyone; half the bond is returned, half burned.
    /// @dev The batch is open again and counts as unresolved at finality, whatever its grade: with an idle arbiter
    /// anybody can do this to an honest batch for challengeBond / 2. Emits ChallengeLapsed.
    /// Reverts with PreImageMismatch, StateForbids, DisputeKindMismatch, TooEarly.
    /// @param preImage of the challenged batch as it stands
    function lapse(PreImage calldata preImage) external;

    /// @notice Rejects a batch, before it is final, on evidence by which the arbiter rules a leaf wrong at once.
    /// @dev No bond. The reward goes to the sender, but of a leaf that is challenged to its challenger; the transaction
    /// can be copied: use a private relay or accept it. A pending dispute's bond goes back. Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, ArbiterMissing, LeafIndexOutOfRange, ProofInvalid,
    /// MalformedAnswer, NotDisproved, or as the arbiter does.
    /// @param preImage of the batch as it stands, open or disputed
    /// @param opening the leaf that is wrong
    /// @param evidence in the arbiter's encoding
    function disprove(PreImage calldata preImage, Opening calldata opening, bytes calldata evidence) external;

    /// @notice Rejects a batch, before it is final, of which two leaves are out of order or equal.
    /// @dev No bond; the reward goes to the sender, a pending bond back to its owner. Leaves ascend strictly by
    /// (requester, nonce). Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, LeafIndexOutOfRange, ProofInvalid, LeavesInOrder.
    /// @param preImage of the batch as it stands, open or disputed
    /// @param opening the leaf of the lower leafIndex
    /// @param other the leaf of the higher leafIndex
    function faultOrder(PreImage calldata preImage, Opening calldata opening, Opening calldata other) external;

    /// @notice Rejects a batch, before it is final, that holds a (requester, nonce) of an earlier batch of its lane.
    /// @dev No bond; money as in faultOrder. The earlier batch may be in any state but rejected while its slot still
    /// holds it. Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, RepeatNotEarlier, LeafIndexOutOfRange, ProofInvalid,
    /// LeavesNotRepeated.
    /// @param preImage of the later batch as it stands, open or disputed
    /// @param opening the later batch's leaf
    /// @param earlier of the earlier batch as it stands
    /// @param other the earlier batch's leaf of the same (requester, nonce)
    function faultRepeat(
        PreImage calldata preImage,
        Opening calldata opening,
        PreImage calldata earlier,
        Opening calldata other
    ) external;

    /// @notice Rejects a batch, before it is final, with a leaf whose deadline lies outside
    /// [committedAt, committedAt + challengeWindow / 2].
    /// @dev No bond; money as in faultOrder. Emits BatchRejected.
    /// Reverts with PreImageMismatch, StateForbids, LeafIndexOutOfRange, ProofInvalid,
    /// DeadlineInRange.
    /// @param preImage of the batch as it stands, open or disputed
    /// @param opening the leaf with that deadline
    function faultDeadline(PreImage calldata preImage, Opening calldata opening) external;

    /// @notice Makes open batches of one lane final, from closesAt on. By anyone; all or none.
    /// @dev Emits BatchFinalized for each. Reverts with NothingToFinalize, PreImageMismatch, StateForbids, TooEarly.
    /// @param refs at least one batch, as it stands; each once
    /// @param networkId the lane's network
    /// @param operator the lane's operator
    function finalize(BatchRef[] calldata refs, bytes32 networkId, address operator) external;

    /// @notice Writes a final batch's status for good, for contracts that need it later. By anyone.
    /// @dev A rejection archives itself. Emits BatchArchived. Reverts with PreImageMismatch, StateForbids,
    /// AlreadyArchived.
    /// @param networkId the lane's network
    /// @param operator the lane's operator
    /// @param ref the batch, as its slot still holds it
    function archive(bytes32 networkId, address operator, BatchRef calldata ref) external;

    /// @notice Makes each call by itself, as its sender: one that fails changes nothing, and leaves the others.
    /// @dev For reveals, timeouts and lapses, of which somebody may send one first. Emits what they emit; of one that
    /// fails only the answer tells.
    /// @param calls calldata of functions of this contract, each with its selector; none comes with coins
    /// @return done whether each call did what it should, in the same order
    function each(bytes[] calldata calls) external returns (bool[] memory done);

    // VIEWS

    /// @notice The network's counters; two storage reads for them. Reverts with NetworkNotFound.
    /// @param networkId any registered network
    function totals(bytes32 networkId) external view returns (Totals memory);

    /// @notice What the chain can say of a batch: from the archive, else from its slot.
    /// @dev Unknown for a batch never committed, for one overwritten and not archived, and for a disputed one, whose
    /// pre-image holds the dispute (see stateOf). Open may mean that the window is over and nobody finalized.
    /// @param networkId the lane's network; unread where the batch is archived
    /// @param operator the lane's operator; unread where the batch is archived
    /// @param ref the batch, with its stamp as it stands; the stamp is unread where the batch is archived
    function status(bytes32 networkId, address operator, BatchRef calldata ref) external view returns (Status memory);

    /// @notice The state of a batch by its whole pre-image, disputed ones included; Unknown where nothing matches.
    /// @param preImage of the batch as it stands
    function stateOf(PreImage calldata preImage) external view returns (State);

    /// @notice The archived status of a batch; state Unknown when it is not archived.
    /// @param batchId keccak256(abi.encode(Batch))
    function archived(bytes32 batchId) external view returns (Status memory);

    /// @notice The rules of a network. Reverts with NetworkNotFound.
    /// @param networkId any registered network
    function rulesOf(bytes32 networkId) external view returns (Rules memory);

    /// @notice The owner of a network. Reverts with NetworkNotFound.
    /// @param networkId any registered network
    function ownerOf(bytes32 networkId) external view returns (address owner);

    /// @notice The longest that a batch of the network can be open without being marked lapsed, in seconds: from
    /// committedAt to the end of its last dispute, challengeWindow + 17 responseWindow + 5 rulingWindow.
    /// @dev A dispute that leaves closesAt later than committedAt + challengeWindow + 16 responseWindow +
    /// 4 rulingWindow marks the batch lapsed: it counts as unresolved, whatever its grade. Resolvers that hold somebody
    /// to account for a batch must be able to for so long. Reverts with NetworkNotFound.
    /// @param networkId any registered network
    function lifeOf(bytes32 networkId) external view returns (uint256);

    /// @notice What commit knows of a model. Reverts with NetworkNotFound, ModelNotFound.
    /// @param networkId any registered network
    /// @param modelId of a model registered in it
    function modelTerms(bytes32 networkId, bytes32 modelId) external view returns (ModelTerms memory);

    /// @notice An operator's standing in a network; all zero for one never seen. Reverts with NetworkNotFound.
    /// @param networkId any registered network
    /// @param operator any address
    function laneOf(bytes32 networkId, address operator) external view returns (Lane memory);

    /// @notice The key that may commit for an operator; zero: none.
    /// @param operator any address
    function keyOf(address operator) external view returns (address);

    /// @notice Credit of an account, in units of the asset.
    /// @param asset ERC-20, or zero for the native coin
    /// @param account any address
    function creditOf(address asset, address account) external view returns (uint256);

    /// @notice How much of a network's burned amount has been swept, in units of its asset. Reverts with NetworkNotFound.
    /// @param networkId any registered network
    function sweptOf(bytes32 networkId) external view returns (uint256);

    /// @notice A slot's storage word: upper 248 bits of keccak256(pre-image), and the state byte; zero if never used.
    /// Reverts with NetworkNotFound.
    /// @param networkId any registered network
    /// @param operator any address
    /// @param slot 0 to 2^32 - 1
    function wordOf(bytes32 networkId, address operator, uint32 slot) external view returns (bytes32);

    /// @notice The EIP-712 digest of the Request that a requester signs; the leaf's answer is not part of it.
    /// @param modelId what is asked
    /// @param operator who is asked
    /// @param leaf its inputHash, requester, nonce and deadline are the request's; the rest is unread
    function requestDigest(bytes32 modelId, address operator, Leaf calldata leaf) external view returns (bytes32);
}
