// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Audit, CommitteeTerms, ICommittee, Member, Standing} from "../interfaces/ICommittee.sol";
import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {ITallystick} from "../interfaces/ITallystick.sol";
import {BatchFacts, Cause, Inference, Rules, Ruling, State, Status} from "../interfaces/Types.sol";
import {BlockHash} from "../libraries/BlockHash.sol";
import {BURN_ADDRESS} from "../libraries/Constants.sol";
import {LeafLib} from "../libraries/LeafLib.sol";

/// @title Committee
/// @notice k of n staked verifiers who audit batches and rule on challenges.
/// @dev Members' addresses lie in a data contract's code and who counts in one word, so that a further signature costs
/// its own check and calldata only.
contract Committee is ICommittee, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    bytes32 private constant AUDIT_TYPEHASH =
        keccak256("Audit(bytes32 batchId,bytes32 seed,uint32 drawn,bool verdict)");
    bytes32 private constant VERDICT_TYPEHASH =
        keccak256("Verdict(bytes32 batchId,uint256 index,bytes32 leaf,uint8 ruling)");
    uint256 private constant MAX_MEMBERS = 255;

    ITallystick public immutable CORE;
    address private immutable ASSET;
    uint256 private immutable THRESHOLD;
    uint256 private immutable MIN_DRAWN;
    uint256 private immutable SEED_DELAY;
    uint256 private immutable EXIT_DELAY;
    uint256 private immutable MIN_STAKE;
    uint256 private immutable MEMBERS;
    /// @dev Its code: a stop byte, then 20 bytes a member: the EOA or wallet that signs, or zero for a key.
    address private immutable ADDRESSES;

    /// @inheritdoc ICommittee
    uint256 public active;
    uint256 private _burned;
    mapping(uint256 member => Member) private _members;
    mapping(uint256 member => Standing) private _standings;

    constructor(ITallystick core, CommitteeTerms memory terms_, Member[] memory members) EIP712("Tallystick", "1") {
        require(
            members.length <= MAX_MEMBERS && terms_.threshold > 0 && terms_.threshold <= members.length,
            MembersOutOfRange(members.length, terms_.threshold)
        );
        bytes memory addresses = hex"00";
        for (uint256 i = 0; i < members.length; ++i) {
            bytes memory signer = members[i].signer;
            addresses = bytes.concat(addresses, signer.length == 20 ? bytes20(signer) : bytes20(0));
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
        ADDRESSES = _deployData(addresses);
    }

    // EVIDENCE

    /// @inheritdoc IAttestor
    function attest(bytes32 batchId, BatchFacts calldata facts, bytes calldata evidence) external view returns (bool) {
        (Audit memory audit, uint256 signers, bytes[] memory signatures) =
            abi.decode(evidence, (Audit, uint256, bytes[]));
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
        _checkCounted(_auditDigest(audit), signers, signatures);
        return true;
    }

    /// @inheritdoc IArbiter
    function rule(bytes32 batchId, Inference calldata leaf, uint256 index, bytes calldata evidence)
        external
        view
        returns (Ruling ruling)
    {
        uint256 signers;
        bytes[] memory signatures;
        (ruling, signers, signatures) = abi.decode(evidence, (Ruling, uint256, bytes[]));
        bytes32 leafHash = keccak256(abi.encode(LeafLib.INFERENCE_TYPEHASH, leaf));
        _checkCounted(verdictDigest(batchId, index, leafHash, uint8(ruling)), signers, signatures);
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
    function convict(Audit calldata audit, uint256 signers, bytes[] calldata signatures) external nonReentrant {
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
        _checkSigned(_auditDigest(audit), signers, signatures);

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
    function verdictDigest(bytes32 batchId, uint256 index, bytes32 leaf, uint8 ruling) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VERDICT_TYPEHASH, batchId, index, leaf, ruling)));
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
    function _checkCounted(bytes32 digest, uint256 signers, bytes[] memory signatures) private view {
        uint256 counted = active;
        require(signers & ~counted == 0, SignerNotActive(signers, counted));
        require(signatures.length >= THRESHOLD, TooFewSigners(signatures.length, THRESHOLD));
        _checkSigned(digest, signers, signatures);
    }

    /// @dev Every member with a bit signed, and no other signature is there.
    function _checkSigned(bytes32 digest, uint256 signers, bytes[] memory signatures) private view {
        bytes memory addresses = _readData(MEMBERS);
        uint256 used = 0;
        for (uint256 member = 0; member < MEMBERS; ++member) {
            if (signers >> member & 1 == 0) continue;
            require(used < signatures.length, SignaturesMismatch(signatures.length, used + 1));
            require(_signed(addresses, member, digest, signatures[used]), SignatureInvalid(member));
            ++used;
        }
        require(used == signatures.length && signers >> MEMBERS == 0, SignaturesMismatch(signatures.length, used));
    }

    function _signed(bytes memory addresses, uint256 member, bytes32 digest, bytes memory signature)
        private
        view
        returns (bool)
    {
        address account;
        assembly ("memory-safe") {
            account := shr(96, mload(add(add(addresses, 0x20), mul(member, 20))))
        }
        if (account == address(0)) {
            return SignatureChecker.isValidSignatureNow(_members[member].signer, digest, signature);
        }
        // ecrecover first: asking whether the account has code would cost 2,600 gas a signature.
        (address recovered,,) = ECDSA.tryRecover(digest, signature);
        return recovered == account || SignatureChecker.isValidERC1271SignatureNow(account, digest, signature);
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

    /// @dev A contract whose code is `data`; init code: copy what follows these 11 bytes and return it.
    function _deployData(bytes memory data) private returns (address deployed) {
        bytes memory init = bytes.concat(hex"600b5981380380925939f3", data);
        assembly ("memory-safe") {
            deployed := create(0, add(init, 0x20), mload(init))
        }
        assert(deployed != address(0));
    }

    function _readData(uint256 members) private view returns (bytes memory data) {
        address source = ADDRESSES;
        data = new bytes(20 * members);
        assembly ("memory-safe") {
            extcodecopy(source, add(data, 0x20), 1, mload(data))
        }
    }
}
