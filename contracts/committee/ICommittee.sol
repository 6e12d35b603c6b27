// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";

/// @dev What members sign when they have audited a batch. By it they state that they hold every leaf, rebuilt the
/// root, checked order, deadlines and signatures, and re-executed the drawn leaves.
struct Audit {
    bytes32 batchId;
    bytes32 seed; // hash of block committedBlock + seedDelay
    uint32 drawn; // leaves drawn; at least minDrawn, or every leaf
    bool verdict; // whether all of it was good
}

/// @dev A member of the committee, fixed at deployment.
struct Member {
    address account; // controls the stake, and gets it back
    bytes signer; // ERC-7913: 20 bytes of an EOA or ERC-1271 wallet, or verifier || key
}

/// @dev A member's stake.
struct Standing {
    uint128 stake; // units of the asset
    uint40 exitAt; // Unix seconds; from then on the stake can leave; zero: not leaving
}

/// @dev Terms of a committee, fixed at deployment.
struct CommitteeTerms {
    address asset; // ERC-20, or zero for the native coin
    uint8 threshold; // signatures needed, the k of k-of-n
    uint32 minDrawn; // least leaves an audit draws; k leaves catch a share f of bad ones with 1 - (1 - f)^k
    uint32 seedDelay; // blocks from the commit to the block whose hash is the seed
    uint32 exitDelay; // seconds from leaving until the stake can go
    uint128 minStake; // units of the asset a member needs to be counted
}

/// @title A committee of staked verifiers: audits batches and rules on challenges, k of n
/// @notice Members are fixed; which of them count follows from their stake.
/// @dev A network that has the same committee as attestor and arbiter has no independent conviction: whoever audits
/// also rules on whether the audit was wrong. Signatures are EIP-712, domain "Tallystick" version "1", this contract:
/// Audit(bytes32 batchId,bytes32 seed,uint32 drawn,bool verdict) and
/// Verdict(bytes32 batchId,uint256 leafIndex,bytes32 leaf,uint8 ruling).
/// Evidence for attest: abi.encode(Audit) || signatures; for rule: abi.encode(Ruling) || signatures. Signatures stand
/// one after another in the order of the members' places: place (1 byte) || length (2 bytes) || signature.
/// The chain must keep block hashes (EIP-2935, 8,191 blocks) and number its own blocks.
interface ICommittee is IAttestor, IArbiter {
    /// @notice Thrown when the batch was not convicted by a ruling or a disproof, as far as the core has archived.
    error BatchNotConvicted(bytes32 batchId);
    /// @notice Thrown when stake has not waited exitDelay yet.
    error ExitNotDue(uint256 member, uint256 timestamp, uint256 exitAt);
    /// @notice Thrown when exitDelay is shorter than a network's three windows together.
    error ExitDelayTooShort(uint256 exitDelay, uint256 needed);
    /// @notice Thrown when the audit's draw does not hold the convicted leaf.
    error LeafNotDrawn(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when a member is leaving, and may not do this until its stake is out.
    error MemberLeaving(uint256 member);
    /// @notice Thrown when no member, or too many, are given, or the threshold is not among 1 to their number.
    error MembersOutOfRange(uint256 members, uint256 threshold);
    /// @notice Thrown when the coins sent are not the amount staked (no coins for an ERC-20).
    error StakeAmountMismatch(uint256 sent, uint256 needed);
    /// @notice Thrown when nothing was burned since the last sweep.
    error NothingBurned();
    /// @notice Thrown when a member's account is needed.
    error NotMemberAccount(uint256 member, address caller);
    /// @notice Thrown when nobody who signed has stake left.
    error NoStakeToBurn(bytes32 batchId);
    /// @notice Thrown when the chain does not know the hash of the seed's block (yet, or any more).
    error SeedUnavailable(uint256 blockNumber);
    /// @notice Thrown when the audit's seed is not the block's hash.
    error SeedMismatch(bytes32 seed, bytes32 needed);
    /// @notice Thrown when a signer is no member, or does not count.
    error SignerNotActive(uint256 signers, uint256 active);
    /// @notice Thrown when a member's signature is not good.
    error SignatureInvalid(uint256 member);
    /// @notice Thrown when signatures are not in the order of members, one each, or of a place beyond the members.
    error SignersOutOfOrder(uint256 member);
    /// @notice Thrown when the statement is of another batch, or says that the batch is bad.
    error StatementMismatch(bytes32 statedId, bytes32 batchId, bool verdict);
    /// @notice Thrown when the signers are fewer than the threshold.
    error TooFewSigners(uint256 signers, uint256 threshold);
    /// @notice Thrown when the audit draws fewer leaves than it must.
    error TooFewDrawn(uint256 drawn, uint256 needed);
    /// @notice Thrown when the native coin could not be sent.
    error PaymentFailed(address to, uint256 amount);

    /// @notice A member's stake grew; it counts once it has minStake.
    event MemberStaked(uint256 indexed member, uint256 amount, bool active);
    /// @notice A member no longer counts, and its stake waits until exitAt.
    event MemberLeft(uint256 indexed member, uint256 exitAt);
    /// @notice A member's stake went back to its account.
    event MemberPaid(uint256 indexed member, uint256 amount);
    /// @notice A member signed an audit whose draw held a convicted leaf: its whole stake is burned.
    event MemberConvicted(uint256 indexed member, bytes32 indexed batchId, uint256 amount);
    /// @notice Burned stake left for 0x...dEaD.
    event BurnSwept(uint256 amount);

    /// @notice Adds to a member's stake. By its account only. Emits MemberStaked.
    function stake(uint256 member, uint128 amount) external payable;

    /// @notice Stops counting a member's signatures at once; its stake can leave exitDelay later. Emits MemberLeft.
    /// @dev A resolver is only ever called by STATICCALL, so it cannot note when a member last signed; no signature
    /// counts after this call, so waiting from here waits at least as long.
    function requestExit(uint256 member) external;

    /// @notice Pays a leaving member's stake to its account. By anyone. Emits MemberPaid.
    function payOut(uint256 member) external;

    /// @notice Burns the stake of members who signed a good audit whose draw held a leaf that convicted the batch.
    /// @dev By anyone. Members count whether or not they are active now; those whose stake is gone are passed over.
    /// Emits MemberConvicted.
    function convict(Audit calldata audit, bytes calldata signatures) external;

    /// @notice Sends burned stake to 0x...dEaD. By anyone. Emits BurnSwept.
    function sweep() external;

    /// @notice Whether an audit's draw holds a leaf: every leaf if drawn >= count; else some j < drawn has
    /// keccak256(abi.encode(seed, batchId, j)) mod count == leafIndex.
    function draws(bytes32 seed, bytes32 batchId, uint256 drawn, uint256 count, uint256 leafIndex)
        external
        pure
        returns (bool);

    /// @notice What members sign for an audit.
    function auditDigest(Audit calldata audit) external view returns (bytes32);

    /// @notice What members sign for a ruling; `ruling` is 1 Upheld, 2 Rejected.
    function verdictDigest(bytes32 batchId, uint256 leafIndex, bytes32 leaf, uint8 ruling) external view returns (bytes32);

    /// @notice The terms, fixed at deployment.
    function terms() external view returns (CommitteeTerms memory);

    /// @notice A bit for each member whose signature counts.
    function active() external view returns (uint256);

    /// @notice A member, by its place from zero.
    function memberAt(uint256 member) external view returns (Member memory);

    /// @notice A member's stake.
    function standingOf(uint256 member) external view returns (Standing memory);
}
