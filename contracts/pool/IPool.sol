// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {Batch, Cause, Dispute, Opening, PreImage, Ruling, State} from "../interfaces/Types.sol";

/// @dev Terms of a pool, fixed at deployment.
struct PoolTerms {
    address asset; // ERC-20, or zero for the native coin; also of every network that is audited
    bytes32 spec; // specHash of the models that are audited: what a member must be able to run
    address replay; // objective arbiter of that spec, or zero
    uint96 seatStake; // units of the asset a seat costs; above zero
    uint40 minSeats; // fewer in an epoch's list, and nothing is drawn from it; at least 8 panel
    uint8 panel; // places of an audit's panel, n; odd, 9 to 31
    uint16 minDrawn; // leaves an audit draws, or all if fewer; 16 to 256
    uint32 seedDelay; // blocks from the commit, or the appeal, to the block whose hash is the seed; 8 to 1,024
    uint32 exitDelay; // seconds from a key's last epoch until its stake can leave; at least 2 EPOCH
    uint96 feePerLeaf; // units that an operator's escrow pays for each drawn leaf and place, and once to the sender
    uint96 ruleFee; // units that a case's payer pays for each place that rules, and once to the sender
}

/// @dev What names a model besides its network and spec: modelId = keccak256(abi.encode(networkId, registrant,
/// contentHash, SPEC, parent)).
struct ModelRef {
    address registrant;
    bytes32 contentHash;
    bytes32 parent;
}

/// @dev Who signed an audit; hashed into the batch's record. All empty for a batch without one.
struct Record {
    bytes32 seed;
    address[] keys; // in the order of their entries
}

/// @dev A key's seats in an epoch's list; one storage word.
struct Entry {
    address key;
    uint40 first; // number of its first seat
    uint24 seats;
}

/// @dev An epoch's list; frozen when the epoch begins.
struct Header {
    uint40 seats;
    uint32 entries;
}

enum Standing {
    Free, // never enrolled
    Active,
    Closed, // enrols no more
    Convicted // its places count no more, and it never enrols again
}

/// @dev A key that has seats.
struct PoolMember {
    uint24 seats;
    uint24 lastEpoch; // the last whose list holds them
    uint40 heldUntil; // Unix seconds; a case is about what it signed
    Standing standing;
    uint128 earned; // units of the asset
    address account; // where money goes, fixed the first time
}

/// @dev A ruling that is asked for.
struct Case {
    address payer; // of the panel's fees; zero: no such case
    uint40 seedBlock;
    uint24 epoch; // of the list that the panel is drawn from
    bool challenged; // the registry had a challenge on the leaf
}

/// @dev What an operator pays auditors from.
struct Escrow {
    uint128 balance; // units of the asset
    uint40 noticeAt; // Unix seconds; zero: none was given
}

/// @title A pool of auditors whom the chain draws
/// @notice Anyone buys seats; each batch's auditors are drawn from all seats by a block after the commit, sign by key,
/// are paid for it, and lose their stake for a false word.
/// @dev One for a registry, an asset, a spec and a set of terms. From the panel's n places follow: k = (n + 1) / 2 that
/// audit, m = 2n + 1 of a case's panel, U = n + 1 that uphold, R = ceil(3m / 5) that reject. An epoch is 7 days.
/// Signatures are EIP-712, domain "Tallystick Pool" version "1", this contract: Audit(bytes32 batchId,bytes32 seed) and
/// Verdict(bytes32 caseId,bytes32 seed,uint8 ruling); by ECDSA alone, whether or not the key has code.
/// `signatures`: 76 bytes a signer: entry (3) | places (8, bit j = place j) | r | s | v; entries ascend strictly, no place
/// twice. One signature serves all places of its key.
/// The chain must keep block hashes (EIP-2935, 8,191 blocks) and number its own blocks.
/// Evidence for attest is empty: what counts is the record. rule() is Undecided but within ruled().
interface IPool is IAttestor, IArbiter {
    /// @notice Thrown when a term is outside its range; `term` is its place in PoolTerms, from zero.
    error TermsOutOfRange(uint256 term, uint256 value);
    /// @notice Thrown when the registry is no contract.
    error CoreWithoutCode(address core);
    /// @notice Thrown when the chain has no history contract (EIP-2935).
    error HistoryMissing();
    /// @notice Thrown when the coins sent are not the amount deposited (no coins for an ERC-20).
    error AmountMismatch(uint256 sent, uint256 needed);
    /// @notice Thrown when the native coin could not be sent.
    error PaymentFailed(address to, uint256 amount);
    /// @notice Thrown when credit does not cover it.
    error InsufficientCredit(address account, uint256 credit, uint256 needed);
    /// @notice Thrown when nothing was burned since the last sweep.
    error NothingBurned();
    /// @notice Thrown when a closed or convicted key would enrol.
    error KeyBarred(address key, Standing standing);
    /// @notice Thrown when the key is in the next epoch's list already.
    error AlreadyEnrolled(address key, uint256 epoch);
    /// @notice Thrown when the sender, or the account named, is not the key's account.
    error NotAccount(address key, address account);
    /// @notice Thrown when the key has no seats.
    error NothingEnrolled(address key);
    /// @notice Thrown when a key would have more than 2^24 - 1 seats.
    error SeatsOutOfRange(address key, uint256 seats);
    /// @notice Thrown when stake can't leave yet.
    error StakeHeld(address key, uint256 timestamp, uint256 until);
    /// @notice Thrown when notice was not given, or not an epoch ago.
    error NoticeNotDue(address operator, uint256 timestamp, uint256 due);
    /// @notice Thrown when the batch has a record.
    error AuditStoredBefore(bytes32 batchId);
    /// @notice Thrown when the batch's model is not the one named, of the pool's spec.
    error ModelMismatch(bytes32 modelId, bytes32 needed);
    /// @notice Thrown when the network's asset, auditor or arbiter is not what the pool audits, or judges, under.
    error NetworkForeign(bytes32 networkId);
    /// @notice Thrown when exitDelay is shorter than a batch of the network can last.
    error ExitDelayTooShort(uint256 exitDelay, uint256 needed);
    /// @notice Thrown when an epoch's list has too few seats.
    error PoolTooSmall(uint256 epoch, uint256 seats, uint256 needed);
    /// @notice Thrown when the epoch's list is not kept any more.
    error EpochGone(uint256 epoch, uint256 oldest);
    /// @notice Thrown when the chain does not know the hash of the seed's block (yet, or any more).
    error SeedUnavailable(uint256 blockNumber);
    /// @notice Thrown when the signatures are not whole ones of 76 bytes.
    error MalformedSignatures(uint256 length);
    /// @notice Thrown when entries do not ascend strictly, or are not in the list.
    error SignersOutOfOrder(uint256 entry, uint256 next);
    /// @notice Thrown when a place is claimed twice, is none of the panel's, or none is claimed.
    error PlaceTaken(uint256 entry, uint256 places);
    /// @notice Thrown when a place is another entry's.
    error PlaceNotHeld(uint256 place, uint256 entry);
    /// @notice Thrown when the signature is not the entry's key's.
    error EntrySignatureInvalid(uint256 entry);
    /// @notice Thrown when a key was convicted, or has signed the audit that it would judge.
    error SignerBarred(address key);
    /// @notice Thrown when too few places signed.
    error TooFewPlaces(uint256 places, uint256 needed);
    /// @notice Thrown when the operator's escrow does not cover the fees.
    error EscrowShort(address operator, uint256 balance, uint256 needed);
    /// @notice Thrown when the registry's state of the batch does not allow it.
    error StateForbids(bytes32 batchId, State state);
    /// @notice Thrown when the opening does not lead to the batch's root.
    error ProofInvalid(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when the record's draw does not hold the leaf.
    error LeafNotDrawn(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when the record is not the batch's.
    error RecordMismatch(bytes32 batchId);
    /// @notice Thrown when the case is open already.
    error CaseOpen(bytes32 caseId);
    /// @notice Thrown when there is no such case.
    error CaseMissing(bytes32 caseId);
    /// @notice Thrown when the hash of the case's seed can still be had, or is to come.
    error CaseNotOver(bytes32 caseId, uint256 seedBlock);
    /// @notice Thrown when Undecided is no ruling.
    error NotRuled(bytes32 caseId);
    /// @notice Thrown when nothing that convicts signers is archived of the batch, or none of them has stake.
    error NotConvictable(bytes32 batchId, Cause cause);

    /// @notice An account's credit grew by what arrived.
    event Deposited(address indexed account, address indexed payer, uint256 amount);
    /// @notice Credit left to its account.
    event Withdrawn(address indexed account, uint256 amount);
    /// @notice Burned stake left for 0x...dEaD.
    event Swept(uint256 amount);
    /// @notice A key's seats sit in an epoch's list, from `first` on; `added` of them were bought now.
    event Enrolled(
        address indexed key, address indexed account, uint256 indexed epoch, uint256 first, uint256 seats, uint256 added
    );
    /// @notice A key enrols no more.
    event Closed(address indexed key);
    /// @notice A key's stake and fees went to its account's credit.
    event Left(address indexed key, uint256 stake, uint256 fees);
    /// @notice A key's fees went to its account's credit.
    event Collected(address indexed key, uint256 fees);
    /// @notice An operator's escrow grew; a notice is withdrawn by it.
    event Funded(address indexed operator, uint256 amount);
    /// @notice An operator's escrow can leave from `due` on.
    event Noticed(address indexed operator, uint256 due);
    /// @notice An operator's escrow went back to its credit.
    event Defunded(address indexed operator, uint256 amount);
    /// @notice k places or more of a batch's panel signed that it is good; each place earned `fee`, and the sender too.
    /// `places` has 8 bytes a key, bit j = place j.
    event AuditStored(
        bytes32 indexed batchId,
        address indexed operator,
        bytes32 indexed networkId,
        bytes32 seed,
        uint256 epoch,
        address[] keys,
        bytes places,
        uint256 fee,
        address sender
    );
    /// @notice A panel is to rule on a leaf.
    event CaseOpened(
        bytes32 indexed caseId,
        bytes32 indexed batchId,
        uint256 leafIndex,
        address payer,
        uint256 seedBlock,
        uint256 epoch,
        bool challenged
    );
    /// @notice A panel ruled; each place earned the ruleFee, the sender too, and what is left of the m + 1 fees went back
    /// to the payer. `places` as in AuditStored.
    event Ruled(
        bytes32 indexed caseId, bytes32 indexed batchId, Ruling ruling, address[] keys, bytes places, address sender
    );
    /// @notice What the registry paid for a disproof went to the case's payer; 0 where its asset could not be sent now.
    event Rewarded(bytes32 indexed caseId, address indexed payer, uint256 amount);
    /// @notice No panel ruled in time; the whole fee went back to the payer.
    event CaseExpired(bytes32 indexed caseId);
    /// @notice A key signed an audit that a conviction shows to be wrong: its stake is burned, but `share` to the finder.
    event Convicted(address indexed key, bytes32 indexed batchId, uint256 burned, address finder, uint256 share);

    // MONEY

    /// @notice Takes `amount` of the asset from the sender and credits what arrived. Emits Deposited.
    /// @dev Reverts with AmountMismatch, or as the token does.
    /// @param to whose credit; a key pays its seats, an operator its escrow, an appellant its case from it
    /// @param amount units of the asset; of the native coin exactly the value sent, in wei
    function deposit(address to, uint256 amount) external payable;

    /// @notice Pays the sender's credit out to it. Emits Withdrawn.
    /// @dev Reverts with InsufficientCredit, PaymentFailed, or as the token does.
    /// @param amount units of the asset
    function withdraw(uint256 amount) external;

    /// @notice Sends burned stake to 0x...dEaD. By anyone. Emits Swept.
    /// @dev Reverts with NothingBurned, PaymentFailed, or as the token does.
    function sweep() external;

    // SEATS

    /// @notice Puts all seats of the sending key into the next epoch's list, once an epoch. Emits Enrolled.
    /// @dev Who fails to come again sits in no further list. Reverts with KeyBarred, AlreadyEnrolled, NotAccount,
    /// NothingEnrolled, SeatsOutOfRange, InsufficientCredit (the key's own).
    /// @param moreSeats to buy now, from the key's credit at seatStake each
    /// @param account where stake and fees go; not zero the first time, then the same or zero
    function enroll(uint256 moreSeats, address account) external;

    /// @notice Bars a key from enrolling. By its account only. Emits Closed. Reverts with NotAccount, KeyBarred.
    /// @param key of the sender's
    function close(address key) external;

    /// @notice Returns a key's stake and fees to its account's credit. By its account only. Emits Left.
    /// @dev Reverts with NotAccount, NothingEnrolled, StakeHeld.
    /// @param key of the sender's
    function leave(address key) external;

    /// @notice Returns a key's fees to its account's credit. By anyone. Emits Collected.
    /// @param key any that has enrolled; reverts with NothingEnrolled for others
    function collect(address key) external;

    // ESCROW

    /// @notice Moves the sender's credit into its escrow, and withdraws its notice. Emits Funded.
    /// @dev Reverts with InsufficientCredit.
    /// @param amount units of the asset, 0 to 2^128 - 1
    function fund(uint128 amount) external;

    /// @notice Gives notice of the sender's escrow: it can leave an epoch later. Emits Noticed.
    function notice() external;

    /// @notice Returns the sender's whole escrow to its credit. Emits Defunded. Reverts with NoticeNotDue.
    function defund() external;

    // AUDITS AND CASES

    /// @notice Stores that a batch's panel found it good, pays its places, and raises the batch's grade. By anyone. Emits
    /// AuditStored.
    /// @dev The panel's n places are drawn from the list of the epoch of the commit, by the hash of block committedBlock +
    /// seedDelay. A batch that is disputed is attested later, by anybody, with empty evidence. Reverts with
    /// AuditStoredBefore, ModelMismatch, NetworkForeign, ExitDelayTooShort, EpochGone, PoolTooSmall, SeedUnavailable,
    /// MalformedSignatures, SignersOutOfOrder, PlaceTaken, PlaceNotHeld, EntrySignatureInvalid, SignerBarred, TooFewPlaces,
    /// EscrowShort, StateForbids, or as the registry does.
    /// @param preImage of the batch as it stands
    /// @param model that the batch is of
    /// @param signatures of k places or more, see above
    function audit(PreImage calldata preImage, ModelRef calldata model, bytes calldata signatures) external;

    /// @notice Opens a case on a leaf, from (m + 1) ruleFee of the sender's credit. Emits CaseOpened.
    /// @dev For a leaf that is challenged in the registry; or that a record's draw holds, in whatever state its batch is;
    /// or of a batch that another dispute keeps from being challenged. Holds the stake of who signed the record for
    /// HOLD. Reverts with NetworkForeign, ProofInvalid, RecordMismatch, StateForbids, LeafNotDrawn, PoolTooSmall,
    /// CaseOpen, InsufficientCredit.
    /// @param preImage of the batch as it stands; where it is over, as it stood
    /// @param opening of the leaf
    /// @param record the batch's, all empty where it has none
    function appeal(PreImage calldata preImage, Opening calldata opening, Record calldata record) external;

    /// @notice Closes a case by its panel's verdict: resolves the challenge, or disproves the leaf, in the registry, and
    /// convicts the record's signers where the leaf is drawn and wrong. By anyone. Emits Ruled.
    /// @dev U of m places uphold, R reject; who signed the record has no say. A pre-image that the registry does not know
    /// is taken from the payer alone, for a batch whose slot is overwritten: nobody else may so spare a batch. Reverts with
    /// CaseMissing, NotRuled, RecordMismatch, SeedUnavailable, as audit does for signatures, StateForbids, or as the
    /// registry does.
    /// @param preImage of the batch as it stands, with its challenge on this leaf if there is one
    /// @param opening of the leaf
    /// @param ruling Upheld or Rejected
    /// @param signatures of places of the case's panel
    /// @param record the batch's, all empty where it has none
    function ruled(
        PreImage calldata preImage,
        Opening calldata opening,
        Ruling ruling,
        bytes calldata signatures,
        Record calldata record
    ) external;

    /// @notice Closes a case whose seed is gone; the whole fee goes back. By anyone. Emits CaseExpired.
    /// @dev Reverts with CaseMissing, CaseNotOver.
    /// @param caseId see caseIdOf
    function expire(bytes32 caseId) external;

    /// @notice Convicts who signed the audit of a batch that the registry rejected: by Order or Deadline; by Ruling or
    /// Disproof where the draw holds the leaf. By anyone, who gets the finder's share. Emits Convicted.
    /// @dev Never by Repeat, which needs other batches, nor by Timeout, by which an operator could go silent under honest
    /// signers. Reverts with RecordMismatch, LeafNotDrawn, NotConvictable.
    /// @param batch that has a record
    /// @param record the batch's
    function convict(Batch calldata batch, Record calldata record) external;

    // VIEWS

    /// @notice The terms, fixed at deployment.
    function terms() external view returns (PoolTerms memory);

    /// @notice The list of an epoch; all zero where nobody enrolled.
    /// @param epoch Unix seconds / 7 days
    function headerOf(uint256 epoch) external view returns (Header memory);

    /// @notice An entry of a list that is kept: of the next epoch, of this one, or of the two before. Reverts with
    /// EpochGone for others; all zero beyond the last.
    /// @param epoch Unix seconds / 7 days
    /// @param entry from zero
    function entryAt(uint256 epoch, uint256 entry) external view returns (Entry memory);

    /// @notice A key's seats and standing; all zero for one never seen.
    /// @param key any address
    function memberOf(address key) external view returns (PoolMember memory);

    /// @notice keccak256(abi.encode(seed, keys)) of a batch's audit; zero: none.
    /// @param batchId keccak256(abi.encode(Batch))
    function recordOf(bytes32 batchId) external view returns (bytes32);

    /// @notice A case; all zero where there is none.
    /// @param caseId see caseIdOf
    function caseOf(bytes32 caseId) external view returns (Case memory);

    /// @notice An operator's escrow.
    /// @param operator any address
    function escrowOf(address operator) external view returns (Escrow memory);

    /// @notice An account's credit, in units of the asset.
    /// @param account any address
    function creditOf(address account) external view returns (uint256);

    /// @notice The seat that holds a place: uint(keccak256(abi.encode(keccak256("panel"), seed, id, place))) mod seats.
    /// @param seed hash of a block
    /// @param id batchId, or caseId
    /// @param place from zero
    /// @param seats of the epoch's list, above zero
    function seatOf(bytes32 seed, bytes32 id, uint256 place, uint256 seats) external pure returns (uint256);

    /// @notice Whether an audit's draw holds a leaf; as of ICommittee.draws.
    /// @param seed the audit's
    /// @param batchId keccak256(abi.encode(Batch))
    /// @param count inferences of the batch, 1 to 2^20
    /// @param leafIndex 0 to count - 1; for others false
    function draws(bytes32 seed, bytes32 batchId, uint256 count, uint256 leafIndex) external view returns (bool);

    /// @notice keccak256(abi.encode(batchId, leafIndex, dispute)).
    /// @param batchId keccak256(abi.encode(Batch))
    /// @param leafIndex of the leaf
    /// @param dispute the registry's challenge on the leaf, else all zero
    function caseIdOf(bytes32 batchId, uint256 leafIndex, Dispute calldata dispute) external pure returns (bytes32);

    /// @notice What members sign for an audit.
    /// @param batchId keccak256(abi.encode(Batch))
    /// @param seed hash of block committedBlock + seedDelay
    function auditDigest(bytes32 batchId, bytes32 seed) external view returns (bytes32);

    /// @notice What members sign for a ruling.
    /// @param caseId see caseIdOf
    /// @param seed hash of the case's seedBlock
    /// @param ruling 1 Upheld, 2 Rejected
    function verdictDigest(bytes32 caseId, bytes32 seed, uint8 ruling) external view returns (bytes32);
}
