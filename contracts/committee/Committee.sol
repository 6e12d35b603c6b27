// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Audit, CommitteeTerms, ICommittee, Member, Standing} from "./ICommittee.sol";
import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {ITallystick} from "../interfaces/ITallystick.sol";
import {ITallystickErrors} from "../interfaces/ITallystickErrors.sol";
import {Batch, BatchFacts, Cause, Inference, Leaf, Opening, Ruling, Status} from "../interfaces/Types.sol";
import {BlockHash} from "../libraries/BlockHash.sol";
import {BURN_ADDRESS} from "../libraries/Constants.sol";
import {Keyring} from "../keys/Keyring.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {PreImageLib} from "../libraries/PreImageLib.sol";
import {Resolvers} from "../libraries/Resolvers.sol";
import {SamplingLib} from "../libraries/SamplingLib.sol";
import {TreeLib} from "../libraries/TreeLib.sol";

/// @title Committee
/// @notice k of n staked verifiers who audit batches and rule on challenges.
/// @dev Members' keys are a Keyring, and who counts is one word, so that a further signature costs its own check and
/// calldata only.
contract Committee is ICommittee, Keyring, EIP712, ReentrancyGuardTransient {
    using LeafLib for Leaf;
    using PreImageLib for Batch;
    using Resolvers for address;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using TreeLib for bytes32;

    bytes32 private constant AUDIT_TYPEHASH =
        keccak256("Audit(bytes32 batchId,uint40 committedAt,bytes32 seed,bool verdict)");
    bytes32 private constant VERDICT_TYPEHASH =
        keccak256("Verdict(bytes32 batchId,uint256 leafIndex,bytes32 leaf,uint8 ruling)");
    uint256 private constant MAX_DRAWN = 256;
    uint256 private constant MAX_SEED_DELAY = 1024;
    uint256 private constant AUDIT_SIZE = 0x80;

    ITallystick public immutable CORE;
    address private immutable ASSET;
    address private immutable ARBITER;
    uint256 private immutable MIN_DRAWN;
    uint256 private immutable SEED_DELAY;
    uint256 private immutable EXIT_DELAY;
    uint256 private immutable MIN_STAKE;

    /// @inheritdoc ICommittee
    uint256 public active;
    uint256 private _burned;
    mapping(uint256 member => address account) private _accounts;
    mapping(uint256 member => Standing standing) private _standings;

    /// @param core the registry whose batches are audited
    /// @param terms_ see CommitteeTerms
    /// @param members 1 to 16; a member's place is its index here
    constructor(ITallystick core, CommitteeTerms memory terms_, Member[] memory members)
        EIP712("Tallystick", "1")
        Keyring(_keysOf(members), terms_.threshold)
    {
        require(address(core).code.length > 0, CoreWithoutCode(address(core)));
        require(terms_.asset == address(0) || terms_.asset.code.length > 0, AssetWithoutCode(terms_.asset));
        require(terms_.arbiter == address(0) || terms_.arbiter.code.length > 0, ArbiterWithoutCode(terms_.arbiter));
        require(terms_.minDrawn > 0 && terms_.minDrawn <= MAX_DRAWN, MinDrawnOutOfRange(terms_.minDrawn, MAX_DRAWN));
        require(
            terms_.seedDelay > 0 && terms_.seedDelay <= MAX_SEED_DELAY,
            SeedDelayOutOfRange(terms_.seedDelay, MAX_SEED_DELAY)
        );
        require(terms_.minStake > 0, MinStakeZero());
        for (uint256 i = 0; i < members.length; ++i) {
            _accounts[i] = members[i].account;
        }
        CORE = core;
        ASSET = terms_.asset;
        ARBITER = terms_.arbiter;
        MIN_DRAWN = terms_.minDrawn;
        SEED_DELAY = terms_.seedDelay;
        EXIT_DELAY = terms_.exitDelay;
        MIN_STAKE = terms_.minStake;
    }

    // EVIDENCE

    /// @inheritdoc IAttestor
    function attest(bytes32 batchId, BatchFacts calldata facts, bytes calldata evidence) external view returns (bool) {
        Audit memory audit = abi.decode(evidence, (Audit));
        require(audit.batchId == batchId && audit.verdict, StatementMismatch(audit.batchId, batchId, audit.verdict));
        require(audit.committedAt == facts.committedAt, CommitTimeMismatch(audit.committedAt, facts.committedAt));
        uint256 seedBlock = facts.committedBlock + SEED_DELAY;
        bytes32 seed = BlockHash.hashOf(seedBlock);
        require(seed != 0, SeedUnavailable(seedBlock));
        require(audit.seed == seed, SeedMismatch(audit.seed, seed));
        bytes32 networkId = facts.batch.networkId;
        _checkArbiter(networkId);
        uint256 life = CORE.lifeOf(networkId);
        require(EXIT_DELAY >= life, ExitDelayTooShort(EXIT_DELAY, life));
        _checkCounted(_auditDigest(audit), evidence[AUDIT_SIZE:]);
        return true;
    }

    /// @inheritdoc IArbiter
    function rule(bytes32 batchId, Inference calldata leaf, uint256 leafIndex, bytes calldata evidence)
        external
        view
        returns (Ruling ruling)
    {
        ruling = abi.decode(evidence, (Ruling));
        bytes32 typeHash = LeafLib.INFERENCE_TYPEHASH;
        bytes32 leafHash;
        // EIP-712 hashStruct of the inference, whose fields the registry has checked.
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            mstore(pointer, typeHash)
            calldatacopy(add(pointer, 0x20), leaf, 0x100)
            leafHash := keccak256(pointer, 0x120)
        }
        _checkCounted(verdictDigest(batchId, leafIndex, leafHash, uint8(ruling)), evidence[0x20:]);
    }

    // STAKE

    /// @inheritdoc ICommittee
    function stake(uint256 member, uint128 amount) external payable nonReentrant {
        Standing storage standing = _standingOf(member);
        require(standing.exitAt == 0, MemberLeaving(member));
        uint256 received = amount;
        if (ASSET == address(0)) {
            require(msg.value == amount, StakeAmountMismatch(msg.value, amount));
        } else {
            require(msg.value == 0, StakeAmountMismatch(msg.value, 0));
            uint256 before = IERC20(ASSET).balanceOf(address(this));
            IERC20(ASSET).safeTransferFrom(msg.sender, address(this), amount);
            received = IERC20(ASSET).balanceOf(address(this)) - before;
        }
        standing.stake += received.toUint128();
        bool counts = standing.stake >= MIN_STAKE;
        if (counts) active |= 1 << member;
        emit MemberStaked(member, received, counts);
    }

    /// @inheritdoc ICommittee
    function requestExit(uint256 member) external nonReentrant {
        Standing storage standing = _standingOf(member);
        require(standing.exitAt == 0, MemberLeaving(member));
        standing.exitAt = uint40(block.timestamp + EXIT_DELAY);
        active &= ~(1 << member);
        emit MemberLeft(member, standing.exitAt);
    }

    /// @inheritdoc ICommittee
    function payOut(uint256 member) external nonReentrant {
        Standing memory standing = _standings[member];
        require(
            standing.exitAt != 0 && block.timestamp >= standing.exitAt,
            ExitNotDue(member, block.timestamp, standing.exitAt)
        );
        delete _standings[member];
        emit MemberPaid(member, standing.stake);
        _pay(_accounts[member], standing.stake);
    }

    /// @inheritdoc ICommittee
    function convict(Batch calldata batch, Audit calldata audit, bytes calldata signatures) external nonReentrant {
        bytes32 batchId = _checkAudited(batch, audit);
        Status memory status = CORE.archived(batchId);
        if (status.cause == Cause.Ruling || status.cause == Cause.Disproof) {
            _checkDrawn(audit, batch.count, status.leafIndex);
        } else if (status.cause == Cause.Deadline) {
            // Of a chain that reorganised since, the deadlines were others.
            require(audit.committedAt == status.committedAt, CommitTimeMismatch(audit.committedAt, status.committedAt));
        } else {
            require(status.cause == Cause.Order, BatchNotConvicted(batchId, status.cause));
        }
        _burn(audit, signatures);
    }

    /// @inheritdoc ICommittee
    function convictOnEvidence(
        Batch calldata batch,
        Audit calldata audit,
        bytes calldata signatures,
        Opening calldata opening,
        bytes calldata evidence
    ) external nonReentrant {
        bytes32 batchId = _checkAudited(batch, audit);
        require(ARBITER != address(0), ITallystickErrors.ArbiterMissing(batch.networkId));
        (uint256 leafIndex, uint256 count) = (opening.leafIndex, batch.count);
        require(leafIndex < count, ITallystickErrors.LeafIndexOutOfRange(leafIndex, count));
        bytes32 leaf = opening.leaf.hash(batch.modelId, batch.operator);
        require(
            TreeLib.isDepthOf(opening.proof.length, count) && leaf.rootOf(leafIndex, opening.proof) == batch.root,
            ITallystickErrors.ProofInvalid(batchId, leafIndex)
        );
        _checkDrawn(audit, count, leafIndex);
        Ruling ruling = ARBITER.ruling(batchId, batch, opening.leaf, leafIndex, evidence);
        require(ruling == Ruling.Rejected, LeafNotRejected(batchId, leafIndex, ruling));
        _burn(audit, signatures);
    }

    /// @inheritdoc ICommittee
    function sweep() external nonReentrant {
        uint256 amount = _burned;
        require(amount > 0, NothingBurned());
        _burned = 0;
        emit BurnSwept(amount);
        _pay(BURN_ADDRESS, amount);
    }

    // VIEWS

    /// @inheritdoc ICommittee
    function draws(bytes32 seed, bytes32 batchId, uint256 count, uint256 leafIndex) public view returns (bool) {
        return SamplingLib.draws(seed, batchId, MIN_DRAWN, count, leafIndex);
    }

    /// @inheritdoc ICommittee
    function auditDigest(Audit calldata audit) external view returns (bytes32) {
        return _auditDigest(audit);
    }

    /// @inheritdoc ICommittee
    function verdictDigest(bytes32 batchId, uint256 leafIndex, bytes32 leaf, uint8 ruling)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(VERDICT_TYPEHASH, batchId, leafIndex, leaf, ruling)));
    }

    /// @inheritdoc ICommittee
    function terms() external view returns (CommitteeTerms memory) {
        return CommitteeTerms({
            asset: ASSET,
            threshold: uint8(THRESHOLD),
            minDrawn: uint32(MIN_DRAWN),
            seedDelay: uint32(SEED_DELAY),
            exitDelay: uint32(EXIT_DELAY),
            minStake: uint128(MIN_STAKE),
            arbiter: ARBITER
        });
    }

    /// @inheritdoc ICommittee
    function memberAt(uint256 member) external view returns (Member memory) {
        return Member(_accounts[member], _keyAt(member));
    }

    /// @inheritdoc ICommittee
    function standingOf(uint256 member) external view returns (Standing memory) {
        return _standings[member];
    }

    // STATEMENTS

    /// @dev The audit is a good one of the batch, in a network that this committee's arbiter rules. Returns batchId.
    function _checkAudited(Batch calldata batch, Audit calldata audit) private view returns (bytes32 batchId) {
        batchId = batch.id();
        require(audit.batchId == batchId && audit.verdict, StatementMismatch(audit.batchId, batchId, audit.verdict));
        _checkArbiter(batch.networkId);
    }

    /// @dev Another arbiter, made by the network's owner, would convict honest signers.
    function _checkArbiter(bytes32 networkId) private view {
        address arbiter = CORE.rulesOf(networkId).arbiter;
        require(arbiter == ARBITER, ArbiterMismatch(arbiter, ARBITER));
    }

    function _checkDrawn(Audit calldata audit, uint256 count, uint256 leafIndex) private view {
        require(draws(audit.seed, audit.batchId, count, leafIndex), LeafNotDrawn(audit.batchId, leafIndex));
    }

    function _auditDigest(Audit memory audit) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(AUDIT_TYPEHASH, audit)));
    }

    /// @dev Enough active members signed.
    function _checkCounted(bytes32 digest, bytes calldata signatures) private view {
        uint256 signers = _checkEnough(digest, signatures);
        uint256 counted = active;
        require(signers & ~counted == 0, SignerNotActive(signers, counted));
    }

    /// @dev Burns the stake of whoever signed.
    function _burn(Audit calldata audit, bytes calldata signatures) private {
        bytes32 batchId = audit.batchId;
        (uint256 signers,) = _signersOf(_auditDigest(audit), signatures);
        uint256 burned = 0;
        for (uint256 member = 0; member < KEYS; ++member) {
            if (signers >> member & 1 == 0) continue;
            uint256 amount = _standings[member].stake;
            if (amount == 0) continue;
            _standings[member].stake = 0;
            burned += amount;
            emit MemberConvicted(member, batchId, amount);
        }
        require(burned > 0, NoStakeToBurn(batchId));
        active &= ~signers;
        _burned += burned;
    }

    // SMALL PIECES

    function _standingOf(uint256 member) private view returns (Standing storage) {
        require(msg.sender == _accounts[member], NotMemberAccount(member, msg.sender));
        return _standings[member];
    }

    function _keysOf(Member[] memory members) private pure returns (bytes[] memory keys) {
        keys = new bytes[](members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            keys[i] = members[i].key;
        }
    }

    /// @dev The only way out for money; called last, under the lock.
    function _pay(address to, uint256 amount) private {
        if (ASSET == address(0)) {
            (bool sent,) = to.call{value: amount}("");
            require(sent, PaymentFailed(to, amount));
        } else {
            IERC20(ASSET).safeTransfer(to, amount);
        }
    }
}
