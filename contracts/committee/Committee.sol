// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Audit, CommitteeTerms, ICommittee, Member, Standing} from "./ICommittee.sol";
import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {ITallystick} from "../interfaces/ITallystick.sol";
import {BatchFacts, Cause, Inference, Rules, Ruling, State, Status} from "../interfaces/Types.sol";
import {BlockHash} from "./BlockHash.sol";
import {BURN_ADDRESS} from "../libraries/Constants.sol";
import {LeafLib} from "../libraries/LeafLib.sol";

/// @title Committee
/// @notice k of n staked verifiers who audit batches and rule on challenges.
/// @dev Members' addresses are immutables, in the code, and who counts is one word, so that a further signature costs
/// its own check and calldata only.
contract Committee is ICommittee, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    bytes32 private constant AUDIT_TYPEHASH =
        keccak256("Audit(bytes32 batchId,bytes32 seed,uint32 drawn,bool verdict)");
    bytes32 private constant VERDICT_TYPEHASH =
        keccak256("Verdict(bytes32 batchId,uint256 leafIndex,bytes32 leaf,uint8 ruling)");
    uint256 private constant MAX_MEMBERS = 16;

    ITallystick public immutable CORE;
    address private immutable ASSET;
    uint256 private immutable THRESHOLD;
    uint256 private immutable MIN_DRAWN;
    uint256 private immutable SEED_DELAY;
    uint256 private immutable EXIT_DELAY;
    uint256 private immutable MIN_STAKE;
    uint256 private immutable MEMBERS;
    // By member: the EOA or wallet that signs, or zero for a key.
    address private immutable SIGNER_0;
    address private immutable SIGNER_1;
    address private immutable SIGNER_2;
    address private immutable SIGNER_3;
    address private immutable SIGNER_4;
    address private immutable SIGNER_5;
    address private immutable SIGNER_6;
    address private immutable SIGNER_7;
    address private immutable SIGNER_8;
    address private immutable SIGNER_9;
    address private immutable SIGNER_10;
    address private immutable SIGNER_11;
    address private immutable SIGNER_12;
    address private immutable SIGNER_13;
    address private immutable SIGNER_14;
    address private immutable SIGNER_15;

    /// @inheritdoc ICommittee
    uint256 public active;
    uint256 private _burned;
    mapping(uint256 member => Member details) private _members;
    mapping(uint256 member => Standing standing) private _standings;

    constructor(ITallystick core, CommitteeTerms memory terms_, Member[] memory members) EIP712("Tallystick", "1") {
        require(
            members.length <= MAX_MEMBERS && terms_.threshold > 0 && terms_.threshold <= members.length,
            MembersOutOfRange(members.length, terms_.threshold)
        );
        // Memory arrays begin as zeros: no signer.
        // slither-disable-next-line uninitialized-local
        address[MAX_MEMBERS] memory signers;
        for (uint256 i = 0; i < members.length; ++i) {
            bytes memory signer = members[i].signer;
            if (signer.length == 20) signers[i] = address(bytes20(signer));
            _members[i] = members[i];
        }
        CORE = core;
        ASSET = terms_.asset;
        THRESHOLD = terms_.threshold;
        MIN_DRAWN = terms_.minDrawn;
        SEED_DELAY = terms_.seedDelay;
        EXIT_DELAY = terms_.exitDelay;
        MIN_STAKE = terms_.minStake;
        MEMBERS = members.length;
        SIGNER_0 = signers[0];
        SIGNER_1 = signers[1];
        SIGNER_2 = signers[2];
        SIGNER_3 = signers[3];
        SIGNER_4 = signers[4];
        SIGNER_5 = signers[5];
        SIGNER_6 = signers[6];
        SIGNER_7 = signers[7];
        SIGNER_8 = signers[8];
        SIGNER_9 = signers[9];
        SIGNER_10 = signers[10];
        SIGNER_11 = signers[11];
        SIGNER_12 = signers[12];
        SIGNER_13 = signers[13];
        SIGNER_14 = signers[14];
        SIGNER_15 = signers[15];
    }

    // EVIDENCE

    /// @inheritdoc IAttestor
    function attest(bytes32 batchId, BatchFacts calldata facts, bytes calldata evidence) external view returns (bool) {
        Audit memory audit = abi.decode(evidence, (Audit));
        require(
            audit.batchId == batchId && audit.verdict, StatementMismatch(audit.batchId, batchId, audit.verdict)
        );
        bytes32 seed = BlockHash.hashOf(facts.committedBlock + SEED_DELAY);
        require(seed != 0, SeedUnavailable(facts.committedBlock + SEED_DELAY));
        require(audit.seed == seed, SeedMismatch(audit.seed, seed));
        uint256 needed = Math.min(MIN_DRAWN, facts.batch.count);
        require(audit.drawn >= needed, TooFewDrawn(audit.drawn, needed));
        Rules memory rules = CORE.rulesOf(facts.batch.networkId);
        uint256 windows = uint256(rules.challengeWindow) + rules.responseWindow + rules.rulingWindow;
        require(EXIT_DELAY >= windows, ExitDelayTooShort(EXIT_DELAY, windows));
        _checkCounted(_auditDigest(audit), evidence[0x80:]);
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
        // EIP-712 hashStruct of the inference, whose fields the core has checked.
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
        standing.stake += uint128(received);
        bool counts = standing.stake >= MIN_STAKE;
        if (counts) active |= 1 << member;
        emit MemberStaked(member, received, counts);
    }

    /// @inheritdoc ICommittee
    function requestExit(uint256 member) external {
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
        _pay(_members[member].account, standing.stake);
    }

    /// @inheritdoc ICommittee
    function convict(Audit calldata audit, bytes calldata signatures) external nonReentrant {
        bytes32 batchId = audit.batchId;
        Status memory status = CORE.archived(batchId);
        require(
            status.state == State.Rejected && (status.cause == Cause.Ruling || status.cause == Cause.Disproof),
            BatchNotConvicted(batchId)
        );
        require(audit.verdict, StatementMismatch(batchId, batchId, false));
        require(
            draws(audit.seed, batchId, audit.drawn, status.count, status.leafIndex),
            LeafNotDrawn(batchId, status.leafIndex)
        );
        (uint256 signers,) = _checkSigned(_auditDigest(audit), signatures);

        uint256 burned = 0;
        for (uint256 member = 0; member < MEMBERS; ++member) {
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
    function draws(bytes32 seed, bytes32 batchId, uint256 drawn, uint256 count, uint256 leafIndex)
        public
        pure
        returns (bool)
    {
        if (drawn >= count) return leafIndex < count;
        for (uint256 j = 0; j < drawn; ++j) {
            if (uint256(keccak256(abi.encode(seed, batchId, j))) % count == leafIndex) return true;
        }
        return false;
    }

    /// @inheritdoc ICommittee
    function auditDigest(Audit calldata audit) external view returns (bytes32) {
        return _auditDigest(audit);
    }

    /// @inheritdoc ICommittee
    function verdictDigest(bytes32 batchId, uint256 leafIndex, bytes32 leaf, uint8 ruling) public view returns (bytes32) {
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
            minStake: uint128(MIN_STAKE)
        });
    }

    /// @inheritdoc ICommittee
    function memberAt(uint256 member) external view returns (Member memory) {
        return _members[member];
    }

    /// @inheritdoc ICommittee
    function standingOf(uint256 member) external view returns (Standing memory) {
        return _standings[member];
    }

    // SIGNATURES

    function _auditDigest(Audit memory audit) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(AUDIT_TYPEHASH, audit)));
    }

    /// @dev Enough active members signed.
    function _checkCounted(bytes32 digest, bytes calldata signatures) private view {
        (uint256 signers, uint256 signed) = _checkSigned(digest, signatures);
        uint256 counted = active;
        require(signers & ~counted == 0, SignerNotActive(signers, counted));
        require(signed >= THRESHOLD, TooFewSigners(signed, THRESHOLD));
    }

    /// @dev Every signature is its member's. Returns a bit for each member that signed, and how many they are.
    function _checkSigned(bytes32 digest, bytes calldata signatures)
        private
        view
        returns (uint256 signers, uint256 signed)
    {
        uint256 at_ = 0;
        while (at_ < signatures.length) {
            uint256 head = uint24(bytes3(signatures[at_:at_ + 3]));
            (uint256 member, uint256 end) = (head >> 16, at_ + 3 + (head & 0xffff));
            require(member < MEMBERS && signers >> member == 0, SignersOutOfOrder(member));
            require(_signed(member, digest, signatures[at_ + 3:end]), SignatureInvalid(member));
            signers |= 1 << member;
            ++signed;
            at_ = end;
        }
    }

    function _signed(uint256 member, bytes32 digest, bytes calldata signature) private view returns (bool) {
        address signer = _signerOf(member);
        if (signer == address(0)) {
            return SignatureChecker.isValidSignatureNow(_members[member].signer, digest, signature);
        }
        // ecrecover first: asking whether the account has code would cost 2,600 gas a signature.
        // One that does not recover gives the zero address, which is no signer here.
        // slither-disable-next-line unused-return
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return recovered == signer || SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature);
    }

    // A list of immutables cannot be indexed.
    // solhint-disable-next-line code-complexity
    function _signerOf(uint256 member) private view returns (address) {
        if (member < 8) {
            if (member == 0) return SIGNER_0;
            if (member == 1) return SIGNER_1;
            if (member == 2) return SIGNER_2;
            if (member == 3) return SIGNER_3;
            if (member == 4) return SIGNER_4;
            if (member == 5) return SIGNER_5;
            if (member == 6) return SIGNER_6;
            return SIGNER_7;
        }
        if (member == 8) return SIGNER_8;
        if (member == 9) return SIGNER_9;
        if (member == 10) return SIGNER_10;
        if (member == 11) return SIGNER_11;
        if (member == 12) return SIGNER_12;
        if (member == 13) return SIGNER_13;
        if (member == 14) return SIGNER_14;
        return SIGNER_15;
    }

    // SMALL PIECES

    function _standingOf(uint256 member) private view returns (Standing storage) {
        require(msg.sender == _members[member].account, NotMemberAccount(member, msg.sender));
        return _standings[member];
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
