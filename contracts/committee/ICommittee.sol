// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {Batch, Cause, Opening, Ruling} from "../interfaces/Types.sol";

/// @dev What members sign when they have audited a batch. By it they state that they hold every leaf, rebuilt the
/// root, checked order, deadlines and signatures, and re-executed the drawn leaves.
struct Audit {
    bytes32 batchId;
    uint40 committedAt; // Unix seconds; of the commit, by which the deadlines were checked
    bytes32 seed; // hash of block committedBlock + seedDelay
    bool verdict; // whether all of it was good
}

/// @dev A member of the committee, fixed at deployment.
struct Member {
    address account; // controls the stake, and gets it back
    bytes key; // signs: 20, 64 or 260 to 516 bytes, see KeyLib; a smart account names a key
}

/// @dev A member's stake.
struct Standing {
    uint128 stake; // units of the asset
    uint40 exitAt; // Unix seconds; from then on the stake can leave; zero: not leaving
}

/// @dev Terms of a committee, fixed at deployment.
struct CommitteeTerms {
    address asset; // ERC-20, or zero for the native coin
    uint8 threshold; // signatures needed, the k of k-of-n; 1 to the number of members
    uint32 minDrawn; // leaves an audit draws, or all if fewer; 1 to 256; k catch a share f of bad ones with 1 - (1 - f)^k
    uint32 seedDelay; // blocks from the commit to the block whose hash is the seed; 1 to 1,024
    uint32 exitDelay; // seconds from leaving until the stake can go; at least lifeOf each network that is audited
    uint128 minStake; // units of the asset a member needs to be counted; above zero
    address arbiter; // of every network that is audited; zero: only networks without one
}

/// @title A committee of staked verifiers: audits batches and rules on challenges, k of n
/// @notice Members are fixed; which of them count follows from their stake.
/// @dev It audits only networks whose arbiter is the one of its terms, and only that arbiter's rulings convict. So a
/// committee cannot rule on its own audits: its address is not known when its terms are fixed. Who judges may be
/// another Committee.
/// Trust: the arbiter can burn the stake of whoever signed an audit, for as long as it is staked. Who sits down here
/// relies on it; one whose code can change is worth what its owner is.
/// Signatures are EIP-712, domain "Tallystick" version "1", this contract:
/// Audit(bytes32 batchId,uint40 committedAt,bytes32 seed,bool verdict) and
/// Verdict(bytes32 batchId,uint256 leafIndex,bytes32 leaf,uint8 ruling).
/// Evidence for attest: abi.encode(Audit) || signatures; for rule: abi.encode(Ruling) || signatures; packed as IKeyring
/// says, a member's place being its key's.
/// The chain must keep block hashes (EIP-2935, 8,191 blocks) and number its own blocks.
interface ICommittee is IAttestor, IArbiter {
    /// @notice Thrown when the network's arbiter is not the one of the terms.
    error ArbiterMismatch(address arbiter, address needed);
    /// @notice Thrown when the arbiter of the terms is neither zero nor a contract.
    error ArbiterWithoutCode(address arbiter);
    /// @notice Thrown when the asset is neither zero nor a contract.
    error AssetWithoutCode(address asset);
    /// @notice Thrown when nothing that convicts signers is archived of the batch; timeouts and repeats never do.
    error BatchNotConvicted(bytes32 batchId, Cause cause);
    /// @notice Thrown when the audit is of a commit at another time.
    error CommitTimeMismatch(uint256 committedAt, uint256 needed);
    /// @notice Thrown when the registry is no contract.
    error CoreWithoutCode(address core);
    /// @notice Thrown when stake has not waited exitDelay yet.
    error ExitNotDue(uint256 member, uint256 timestamp, uint256 exitAt);
    /// @notice Thrown when exitDelay is shorter than a batch of the network can last.
    error ExitDelayTooShort(uint256 exitDelay, uint256 needed);
    /// @notice Thrown when the audit's draw does not hold the leaf.
    error LeafNotDrawn(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when the arbiter does not rule that the leaf is wrong.
    error LeafNotRejected(bytes32 batchId, uint256 leafIndex, Ruling ruling);
    /// @notice Thrown when a member is leaving, and may not do this until its stake is out.
    error MemberLeaving(uint256 member);
    /// @notice Thrown when minDrawn is zero or above `highest`.
    error MinDrawnOutOfRange(uint256 minDrawn, uint256 highest);
    /// @notice Thrown when members would count without stake.
    error MinStakeZero();
    /// @notice Thrown when the coins sent are not the amount staked (no coins for an ERC-20).
    error StakeAmountMismatch(uint256 sent, uint256 needed);
    /// @notice Thrown when nothing was burned since the last sweep.
    error NothingBurned();
    /// @notice Thrown when a member's account is needed.
    error NotMemberAccount(uint256 member, address caller);
    /// @notice Thrown when nobody who signed has stake left.
    error NoStakeToBurn(bytes32 batchId);
    /// @notice Thrown when seedDelay is zero or above `highest`.
    error SeedDelayOutOfRange(uint256 seedDelay, uint256 highest);
    /// @notice Thrown when the chain does not know the hash of the seed's block (yet, or any more).
    error SeedUnavailable(uint256 blockNumber);
    /// @notice Thrown when the audit's seed is not the block's hash.
    error SeedMismatch(bytes32 seed, bytes32 needed);
    /// @notice Thrown when a signer does not count.
    error SignerNotActive(uint256 signers, uint256 active);
    /// @notice Thrown when the statement is of another batch, or says that the batch is bad.
    error StatementMismatch(bytes32 statedId, bytes32 batchId, bool verdict);
    /// @notice Thrown when the native coin could not be sent.
    error PaymentFailed(address to, uint256 amount);

    /// @notice A member's stake grew; it counts once it has minStake.
    event MemberStaked(uint256 indexed member, uint256 amount, bool active);
    /// @notice A member no longer counts, and its stake waits until exitAt.
    event MemberLeft(uint256 indexed member, uint256 exitAt);
    /// @notice A member's stake went back to its account.
    event MemberPaid(uint256 indexed member, uint256 amount);
    /// @notice A member signed an audit that a conviction shows to be wrong: its whole stake is burned.
    event MemberConvicted(uint256 indexed member, bytes32 indexed batchId, uint256 amount);
    /// @notice Burned stake left for 0x...dEaD.
    event BurnSwept(uint256 amount);

    /// @notice Adds to a member's stake. By its account only. Emits MemberStaked.
    /// @dev What a convicted key stakes again can be burned again by the same audit: the key is worth nothing any more.
    /// Reverts with NotMemberAccount, MemberLeaving, StakeAmountMismatch, or as the token does.
    /// @param member the member's place, 0 to 15
    /// @param amount units of the asset; 0 to 2^128 - 1; coins sent along must be the same
    function stake(uint256 member, uint128 amount) external payable;

    /// @notice Stops counting a member's signatures at once; its stake can leave exitDelay later. Emits MemberLeft.
    /// @dev A resolver is only ever called by STATICCALL, so it cannot note when a member last signed; no signature
    /// counts after this call, so waiting from here waits at least as long. Reverts with NotMemberAccount,
    /// MemberLeaving.
    /// @param member the member's place, 0 to 15; the sender must be its account
    function requestExit(uint256 member) external;

    /// @notice Pays a leaving member's stake to its account. By anyone. Emits MemberPaid.
    /// @dev Reverts with ExitNotDue, PaymentFailed, or as the token does.
    /// @param member the member's place, 0 to 15
    function payOut(uint256 member) external;

    /// @notice Burns the stake of members who signed a good audit of a batch that was rejected since. Emits
    /// MemberConvicted.
    /// @dev By anyone, without a reward. By the cause that the registry archived: Ruling and Disproof convict if the
    /// draw holds the leaf; Order convicts every signer, and Deadline too, if the audit is of the same commit: they
    /// signed that they checked. Timeout and Repeat convict nobody: an honest auditor cannot see them coming.
    /// Members count whether or not they are active now; those whose stake is gone are passed over.
    /// Reverts with StatementMismatch, NetworkNotFound, ArbiterMismatch, BatchNotConvicted, LeafNotDrawn,
    /// CommitTimeMismatch, NoStakeToBurn, and as IKeyring says.
    /// @param batch of a network with the arbiter of the terms
    /// @param audit of this batch, with a good verdict
    /// @param signatures of one member or more, threshold or not; packed as IKeyring says
    function convict(Batch calldata batch, Audit calldata audit, bytes calldata signatures) external;

    /// @notice Burns the stake of members who signed a good audit of a batch in which the arbiter finds a drawn leaf
    /// wrong, whatever became of the batch. Emits MemberConvicted.
    /// @dev By anyone, without a reward. So nobody is spared because the batch was rejected for something else first,
    /// became final, or lost its slot. The arbiter of the terms is asked here, by STATICCALL.
    /// Reverts with StatementMismatch, NetworkNotFound, ArbiterMismatch, ArbiterMissing, LeafIndexOutOfRange,
    /// ProofInvalid, LeafNotDrawn, MalformedAnswer, LeafNotRejected, NoStakeToBurn, as IKeyring says, or as the arbiter
    /// does.
    /// @param batch of a network with the arbiter of the terms
    /// @param audit of this batch, with a good verdict
    /// @param signatures of one member or more, threshold or not; packed as IKeyring says
    /// @param opening of a leaf, 0 to batch.count - 1, that the audit's draw holds
    /// @param evidence in the arbiter's own encoding
    function convictOnEvidence(
        Batch calldata batch,
        Audit calldata audit,
        bytes calldata signatures,
        Opening calldata opening,
        bytes calldata evidence
    ) external;

    /// @notice Sends burned stake to 0x...dEaD. By anyone. Emits BurnSwept.
    /// @dev Reverts with NothingBurned, PaymentFailed, or as the token does.
    function sweep() external;

    /// @notice Whether an audit's draw holds a leaf: every leaf if minDrawn >= count; else some j < minDrawn has
    /// keccak256(abi.encode(seed, batchId, j)) mod count == leafIndex.
    /// @param seed the audit's
    /// @param batchId keccak256(abi.encode(Batch))
    /// @param count inferences of the batch, 1 to 2^20
    /// @param leafIndex 0 to count - 1; for others false
    function draws(bytes32 seed, bytes32 batchId, uint256 count, uint256 leafIndex) external view returns (bool);

    /// @notice What members sign for an audit.
    /// @param audit see Audit
    function auditDigest(Audit calldata audit) external view returns (bytes32);

    /// @notice What members sign for a ruling.
    /// @param batchId keccak256(abi.encode(Batch))
    /// @param leafIndex 0 to 2^20 - 1
    /// @param leaf EIP-712 hashStruct of the inference
    /// @param ruling 1 Upheld, 2 Rejected
    function verdictDigest(bytes32 batchId, uint256 leafIndex, bytes32 leaf, uint8 ruling)
        external
        view
        returns (bytes32);

    /// @notice The terms, fixed at deployment.
    function terms() external view returns (CommitteeTerms memory);

    /// @notice A bit for each member whose signature counts.
    function active() external view returns (uint256);

    /// @notice A member; all empty beyond the last.
    /// @param member its place, from zero
    function memberAt(uint256 member) external view returns (Member memory);

    /// @notice A member's stake; zero beyond the last.
    /// @param member its place, from zero
    function standingOf(uint256 member) external view returns (Standing memory);
}
