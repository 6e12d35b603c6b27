// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IAttestor} from "../interfaces/IAttestor.sol";
import {ITallystick} from "../interfaces/ITallystick.sol";
import {
    Batch,
    BatchFacts,
    Cause,
    Dispute,
    DisputeKind,
    Grade,
    Inference,
    Leaf,
    Opening,
    PreImage,
    Ruling,
    State,
    Status,
    Terms
} from "../interfaces/Types.sol";
import {BlockHash} from "../libraries/BlockHash.sol";
import {BURN_ADDRESS} from "../libraries/Constants.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {PreImageLib} from "../libraries/PreImageLib.sol";
import {RulesLib} from "../libraries/RulesLib.sol";
import {SamplingLib} from "../libraries/SamplingLib.sol";
import {TreeLib} from "../libraries/TreeLib.sol";
import {Panel, PanelLib, Signers} from "./PanelLib.sol";
import {Case, Entry, Escrow, Header, IPool, ModelRef, PoolMember, PoolTerms, Record, Standing} from "./IPool.sol";

/// @title Pool
/// @notice Auditors drawn from everybody, paid, and at stake.
/// @dev No owner, no proxy, no pause. Lists of seats lie in a ring of four: the next epoch's, which grows, and the last
/// three, which draws may use. Every function that changes anything sets one transient lock; attest and rule, which the
/// registry calls back, don't look at it.
contract Pool is IPool, EIP712, ReentrancyGuardTransient {
    using LeafLib for Leaf;
    using PanelLib for Panel;
    using PreImageLib for Batch;
    using RulesLib for Terms;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using TreeLib for bytes32;

    bytes32 private constant AUDIT_TYPEHASH = keccak256("Audit(bytes32 batchId,bytes32 seed)");
    bytes32 private constant VERDICT_TYPEHASH = keccak256("Verdict(bytes32 caseId,bytes32 seed,uint8 ruling)");
    uint256 private constant EPOCH = 7 days;
    uint256 private constant HOLD = 3 days;
    uint256 private constant FINDERS = 16;
    uint256 private constant RING = 4;
    uint256 private constant MAX_SEED_DELAY = 1024;

    ITallystick public immutable CORE;
    address private immutable ASSET;
    bytes32 private immutable SPEC;
    address private immutable REPLAY;
    uint256 private immutable SEAT_STAKE;
    uint256 private immutable MIN_SEATS;
    uint256 private immutable PLACES;
    uint256 private immutable MIN_DRAWN;
    uint256 private immutable SEED_DELAY;
    uint256 private immutable EXIT_DELAY;
    uint256 private immutable FEE_PER_LEAF;
    uint256 private immutable RULE_FEE;

    // slither-disable-next-line uninitialized-state
    mapping(uint256 epoch => Header header) private _headers;
    mapping(uint256 ring => mapping(uint256 entry => Entry)) private _lists;
    mapping(address key => PoolMember member) private _members;
    mapping(bytes32 batchId => bytes32 record) private _records;
    mapping(bytes32 caseId => Case opened) private _cases;
    mapping(address operator => Escrow escrow) private _escrows;
    mapping(address account => uint256 amount) private _credits;
    uint256 private _burned;

    // For the length of ruled(): what rule() answers, and for which leaf. A stored verdict could be carried elsewhere.
    bytes32 private transient _ruledLeaf;
    Ruling private transient _ruling;

    /// @param core the registry whose batches are audited
    /// @param terms_ see PoolTerms
    constructor(ITallystick core, PoolTerms memory terms_) EIP712("Tallystick Pool", "1") {
        require(address(core).code.length > 0, CoreWithoutCode(address(core)));
        require(BlockHash.isKept(), HistoryMissing());
        uint256 panel = terms_.panel;
        _check(terms_.asset == address(0) || terms_.asset.code.length > 0, 0, uint160(terms_.asset));
        _check(terms_.replay == address(0) || terms_.replay.code.length > 0, 2, uint160(terms_.replay));
        _check(terms_.seatStake > 0, 3, terms_.seatStake);
        _check(terms_.minSeats >= 8 * panel, 4, terms_.minSeats);
        _check(panel % 2 == 1 && panel >= 9 && panel <= 31, 5, panel);
        _check(terms_.minDrawn >= 16 && terms_.minDrawn <= 256, 6, terms_.minDrawn);
        _check(terms_.seedDelay >= 8 && terms_.seedDelay <= MAX_SEED_DELAY, 7, terms_.seedDelay);
        _check(terms_.exitDelay >= 2 * EPOCH, 8, terms_.exitDelay);
        CORE = core;
        ASSET = terms_.asset;
        SPEC = terms_.spec;
        REPLAY = terms_.replay;
        SEAT_STAKE = terms_.seatStake;
        MIN_SEATS = terms_.minSeats;
        PLACES = panel;
        MIN_DRAWN = terms_.minDrawn;
        SEED_DELAY = terms_.seedDelay;
        EXIT_DELAY = terms_.exitDelay;
        FEE_PER_LEAF = terms_.feePerLeaf;
        RULE_FEE = terms_.ruleFee;
    }

    /// @dev Coins come from the registry alone: what it pays for a disproof.
    receive() external payable {
        require(msg.sender == address(CORE), AmountMismatch(msg.value, 0));
    }

    // MONEY

    /// @inheritdoc IPool
    function deposit(address to, uint256 amount) external payable nonReentrant {
        uint256 received = amount;
        if (ASSET == address(0)) {
            require(msg.value == amount, AmountMismatch(msg.value, amount));
        } else {
            require(msg.value == 0, AmountMismatch(msg.value, 0));
            uint256 before = IERC20(ASSET).balanceOf(address(this));
            IERC20(ASSET).safeTransferFrom(msg.sender, address(this), amount);
            received = IERC20(ASSET).balanceOf(address(this)) - before;
        }
        _credits[to] += received;
        emit Deposited(to, msg.sender, received);
    }

    /// @inheritdoc IPool
    function withdraw(uint256 amount) external nonReentrant {
        _takeCredit(amount);
        emit Withdrawn(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @inheritdoc IPool
    function sweep() external nonReentrant {
        uint256 amount = _burned;
        require(amount > 0, NothingBurned());
        _burned = 0;
        emit Swept(amount);
        _pay(BURN_ADDRESS, amount);
    }

    // SEATS

    /// @inheritdoc IPool
    function enroll(uint256 moreSeats, address account) external nonReentrant {
        PoolMember storage member = _members[msg.sender];
        Standing standing = member.standing;
        uint256 epoch = _epochAt(block.timestamp) + 1;
        require(standing == Standing.Free || standing == Standing.Active, KeyBarred(msg.sender, standing));
        require(member.lastEpoch < epoch, AlreadyEnrolled(msg.sender, epoch));
        if (standing == Standing.Free) {
            require(account != address(0), NotAccount(msg.sender, account));
            (member.account, member.standing) = (account, Standing.Active);
        } else {
            require(account == address(0) || account == member.account, NotAccount(msg.sender, account));
        }
        require(moreSeats <= type(uint24).max, SeatsOutOfRange(msg.sender, moreSeats));
        uint256 seats = member.seats + moreSeats;
        require(seats > 0, NothingEnrolled(msg.sender));
        require(seats <= type(uint24).max, SeatsOutOfRange(msg.sender, seats));
        if (moreSeats > 0) _takeCredit(moreSeats * SEAT_STAKE);

        // 2^24 weeks, and 2^32 transactions in one of them, are out of reach.
        (member.seats, member.lastEpoch) = (uint24(seats), uint24(epoch));
        Header storage header = _headers[epoch];
        (uint256 first, uint256 entries) = (header.seats, header.entries);
        _lists[epoch % RING][entries] = Entry(msg.sender, uint40(first), uint24(seats));
        unchecked {
            (header.seats, header.entries) = ((first + seats).toUint40(), uint32(entries + 1));
        }
        emit Enrolled(msg.sender, member.account, epoch, first, seats, moreSeats);
    }

    /// @inheritdoc IPool
    function close(address key) external nonReentrant {
        PoolMember storage member = _memberOf(key);
        require(member.standing == Standing.Active, KeyBarred(key, member.standing));
        member.standing = Standing.Closed;
        emit Closed(key);
    }

    /// @inheritdoc IPool
    function leave(address key) external nonReentrant {
        PoolMember storage member = _memberOf(key);
        uint256 seats = member.seats;
        require(seats > 0, NothingEnrolled(key));
        uint256 until = (uint256(member.lastEpoch) + 1) * EPOCH + EXIT_DELAY;
        if (member.heldUntil > until) until = member.heldUntil;
        require(block.timestamp >= until, StakeHeld(key, block.timestamp, until));

        (uint256 stake, uint256 fees) = (seats * SEAT_STAKE, member.earned);
        (member.seats, member.earned) = (0, 0);
        _credits[member.account] += stake + fees;
        emit Left(key, stake, fees);
    }

    /// @inheritdoc IPool
    function collect(address key) external nonReentrant {
        PoolMember storage member = _members[key];
        require(member.standing != Standing.Free, NothingEnrolled(key));
        uint256 fees = member.earned;
        member.earned = 0;
        _credits[member.account] += fees;
        emit Collected(key, fees);
    }

    // ESCROW

    /// @inheritdoc IPool
    function fund(uint128 amount) external nonReentrant {
        _takeCredit(amount);
        Escrow storage escrow = _escrows[msg.sender];
        (escrow.balance, escrow.noticeAt) = (escrow.balance + amount, 0);
        emit Funded(msg.sender, amount);
    }

    /// @inheritdoc IPool
    function notice() external nonReentrant {
        _escrows[msg.sender].noticeAt = block.timestamp.toUint40();
        emit Noticed(msg.sender, block.timestamp + EPOCH);
    }

    /// @inheritdoc IPool
    function defund() external nonReentrant {
        Escrow storage escrow = _escrows[msg.sender];
        uint256 due = escrow.noticeAt + EPOCH;
        require(escrow.noticeAt != 0 && block.timestamp >= due, NoticeNotDue(msg.sender, block.timestamp, due));
        uint256 amount = escrow.balance;
        (escrow.balance, escrow.noticeAt) = (0, 0);
        _credits[msg.sender] += amount;
        emit Defunded(msg.sender, amount);
    }

    // AUDITS AND CASES

    /// @inheritdoc IPool
    function audit(PreImage calldata preImage, ModelRef calldata model, bytes calldata signatures)
        external
        nonReentrant
    {
        Batch calldata batch = preImage.batch;
        bytes32 batchId = batch.id();
        require(_records[batchId] == 0, AuditStoredBefore(batchId));
        _checkNetwork(batch.networkId, batch.modelId, model);
        Panel memory panel = _panelOf(
            batchId,
            PLACES,
            _seed(uint256(preImage.stamp.committedBlock()) + SEED_DELAY),
            _epochAt(preImage.stamp.committedAt())
        );
        panel.digest = auditDigest(batchId, panel.seed);
        uint256 fee = FEE_PER_LEAF * (MIN_DRAWN < batch.count ? MIN_DRAWN : batch.count);
        Signers memory signers = _claim(panel, signatures, _nobody(), fee, (PLACES + 1) / 2);

        _records[batchId] = signers.record;
        _payFromEscrow(batch.operator, fee * (signers.count + 1));
        _credits[msg.sender] += fee;
        emit AuditStored(
            batchId,
            batch.operator,
            batch.networkId,
            panel.seed,
            panel.epoch,
            signers.keys,
            signers.places,
            fee,
            msg.sender
        );
        if (preImage.dispute.kind == DisputeKind.None) {
            // Checks stamp, state and time, and asks attest().
            // slither-disable-next-line unused-return
            Address.functionCall(address(CORE), _attestation(preImage));
        } else {
            State state = CORE.stateOf(preImage);
            require(state == State.Disputed, StateForbids(batchId, state));
        }
    }

    /// @inheritdoc IPool
    function appeal(PreImage calldata preImage, Opening calldata opening, Record calldata record)
        external
        nonReentrant
    {
        Batch calldata batch = preImage.batch;
        bytes32 batchId = batch.id();
        Terms memory rules = RulesLib.loadFrom(address(CORE), batch.networkId);
        require(rules.arbiter == address(this) && rules.asset == ASSET, NetworkForeign(batch.networkId));
        uint256 leafIndex = _open(batchId, batch, opening);
        _checkRecord(batchId, record);
        (bytes32 caseId, bool challenged) = _caseOf(batchId, preImage.dispute, leafIndex);
        if (challenged) {
            State state = CORE.stateOf(preImage);
            require(state == State.Disputed && block.timestamp <= preImage.dispute.due, StateForbids(batchId, state));
        } else if (record.keys.length == 0 || !draws(record.seed, batchId, batch.count, leafIndex)) {
            // Another dispute keeps the leaf from being challenged.
            State state = CORE.stateOf(preImage);
            require(state == State.Disputed, StateForbids(batchId, state));
        }
        require(_cases[caseId].payer == address(0), CaseOpen(caseId));
        uint256 epoch = _epochAt(block.timestamp);
        _listOf(epoch);
        _takeCredit(RULE_FEE * (_judges() + 1));

        uint256 seedBlock = block.number + SEED_DELAY;
        _cases[caseId] = Case(msg.sender, seedBlock.toUint40(), epoch.toUint24(), challenged);
        uint40 heldUntil = (block.timestamp + HOLD).toUint40();
        for (uint256 i = 0; i < record.keys.length; ++i) {
            _members[record.keys[i]].heldUntil = heldUntil;
        }
        emit CaseOpened(caseId, batchId, leafIndex, msg.sender, seedBlock, epoch, challenged);
    }

    /// @inheritdoc IPool
    function ruled(
        PreImage calldata preImage,
        Opening calldata opening,
        Ruling ruling,
        bytes calldata signatures,
        Record calldata record
    ) external nonReentrant {
        bytes32 batchId = preImage.batch.id();
        uint256 leafIndex = _open(batchId, preImage.batch, opening);
        _checkRecord(batchId, record);
        (bytes32 caseId, bool challenged) = _caseOf(batchId, preImage.dispute, leafIndex);
        if (challenged && _cases[caseId].payer == address(0)) {
            // A case from before the challenge.
            // slither-disable-next-line uninitialized-local
            Dispute memory none;
            caseId = keccak256(abi.encode(batchId, leafIndex, none));
        }
        Case memory opened = _cases[caseId];
        require(opened.payer != address(0), CaseMissing(caseId));
        require(ruling != Ruling.Undecided, NotRuled(caseId));
        Signers memory signers = _judgesOf(caseId, opened, ruling, signatures, record.keys);

        delete _cases[caseId];
        _credits[msg.sender] += RULE_FEE;
        _credits[opened.payer] += RULE_FEE * (_judges() - signers.count);
        emit Ruled(caseId, batchId, ruling, signers.keys, signers.places, msg.sender);
        if (ruling == Ruling.Rejected && record.keys.length > 0) {
            if (draws(record.seed, batchId, preImage.batch.count, leafIndex)) {
                _convict(batchId, record.keys, opened.payer);
            }
        }
        _act(caseId, batchId, preImage, opening, ruling, challenged, opened.payer);
    }

    /// @inheritdoc IPool
    function expire(bytes32 caseId) external nonReentrant {
        Case memory opened = _cases[caseId];
        require(opened.payer != address(0), CaseMissing(caseId));
        require(
            block.number > opened.seedBlock && BlockHash.hashOf(opened.seedBlock) == 0,
            CaseNotOver(caseId, opened.seedBlock)
        );
        delete _cases[caseId];
        _credits[opened.payer] += RULE_FEE * (_judges() + 1);
        emit CaseExpired(caseId);
    }

    /// @inheritdoc IPool
    function convict(Batch calldata batch, Record calldata record) external nonReentrant {
        bytes32 batchId = batch.id();
        require(record.keys.length > 0, RecordMismatch(batchId));
        _checkRecord(batchId, record);
        Status memory status = CORE.archived(batchId);
        if (status.cause == Cause.Ruling || status.cause == Cause.Disproof) {
            require(draws(record.seed, batchId, batch.count, status.leafIndex), LeafNotDrawn(batchId, status.leafIndex));
        } else {
            require(
                status.cause == Cause.Order || status.cause == Cause.Deadline, NotConvictable(batchId, status.cause)
            );
        }
        require(_convict(batchId, record.keys, msg.sender) > 0, NotConvictable(batchId, status.cause));
    }

    // WHAT THE REGISTRY ASKS

    /// @inheritdoc IAttestor
    function attest(bytes32 batchId, BatchFacts calldata, bytes calldata) external view returns (bool) {
        return _records[batchId] != 0;
    }

    /// @inheritdoc IArbiter
    function rule(bytes32 batchId, Inference calldata, uint256 leafIndex, bytes calldata)
        external
        view
        returns (Ruling)
    {
        return _ruledLeaf == keccak256(abi.encode(batchId, leafIndex)) ? _ruling : Ruling.Undecided;
    }

    // VIEWS

    /// @inheritdoc IPool
    function terms() external view returns (PoolTerms memory) {
        return PoolTerms({
            asset: ASSET,
            spec: SPEC,
            replay: REPLAY,
            seatStake: uint96(SEAT_STAKE),
            minSeats: uint40(MIN_SEATS),
            panel: uint8(PLACES),
            minDrawn: uint16(MIN_DRAWN),
            seedDelay: uint32(SEED_DELAY),
            exitDelay: uint32(EXIT_DELAY),
            feePerLeaf: uint96(FEE_PER_LEAF),
            ruleFee: uint96(RULE_FEE)
        });
    }

    /// @inheritdoc IPool
    function headerOf(uint256 epoch) external view returns (Header memory) {
        return _headers[epoch];
    }

    /// @inheritdoc IPool
    function entryAt(uint256 epoch, uint256 entry) external view returns (Entry memory found) {
        uint256 now_ = _epochAt(block.timestamp);
        require(epoch + 3 > now_ && epoch <= now_ + 1, EpochGone(epoch, _oldest(now_)));
        if (entry < _headers[epoch].entries) found = _lists[epoch % RING][entry];
    }

    /// @inheritdoc IPool
    function memberOf(address key) external view returns (PoolMember memory) {
        return _members[key];
    }

    /// @inheritdoc IPool
    function recordOf(bytes32 batchId) external view returns (bytes32) {
        return _records[batchId];
    }

    /// @inheritdoc IPool
    function caseOf(bytes32 caseId) external view returns (Case memory) {
        return _cases[caseId];
    }

    /// @inheritdoc IPool
    function escrowOf(address operator) external view returns (Escrow memory) {
        return _escrows[operator];
    }

    /// @inheritdoc IPool
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @inheritdoc IPool
    function seatOf(bytes32 seed, bytes32 id, uint256 place, uint256 seats) external pure returns (uint256) {
        return PanelLib.seatOf(seed, id, place, seats);
    }

    /// @inheritdoc IPool
    function draws(bytes32 seed, bytes32 batchId, uint256 count, uint256 leafIndex) public view returns (bool) {
        return SamplingLib.draws(seed, batchId, MIN_DRAWN, count, leafIndex);
    }

    /// @inheritdoc IPool
    function caseIdOf(bytes32 batchId, uint256 leafIndex, Dispute calldata dispute) external pure returns (bytes32) {
        return keccak256(abi.encode(batchId, leafIndex, dispute));
    }

    /// @inheritdoc IPool
    function auditDigest(bytes32 batchId, bytes32 seed) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(AUDIT_TYPEHASH, batchId, seed)));
    }

    /// @inheritdoc IPool
    function verdictDigest(bytes32 caseId, bytes32 seed, uint8 ruling) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VERDICT_TYPEHASH, caseId, seed, ruling)));
    }

    // PANELS

    /// @dev The only place that says where chance comes from.
    function _seed(uint256 blockNumber) private view returns (bytes32 seed) {
        seed = BlockHash.hashOf(blockNumber);
        require(seed != 0, SeedUnavailable(blockNumber));
    }

    function _panelOf(bytes32 id, uint256 size, bytes32 seed, uint256 epoch) private view returns (Panel memory panel) {
        (panel.id, panel.size, panel.seed, panel.epoch) = (id, size, seed, epoch);
        (panel.seats, panel.entries) = _listOf(epoch);
    }

    /// @dev Seats and entries of a list that draws may use: one of the last three.
    function _listOf(uint256 epoch) private view returns (uint256 seats, uint256 entries) {
        uint256 now_ = _epochAt(block.timestamp);
        // Not of the next epoch either: its list is not whole yet.
        require(epoch + 3 > now_ && epoch <= now_, EpochGone(epoch, _oldest(now_)));
        Header memory header = _headers[epoch];
        (seats, entries) = (header.seats, header.entries);
        require(seats >= MIN_SEATS, PoolTooSmall(epoch, seats, MIN_SEATS));
    }

    /// @dev The signers of a panel, whom each of their places earns the fee; `barred` have no say.
    function _claim(
        Panel memory panel,
        bytes calldata signatures,
        address[] calldata barred,
        uint256 fee,
        uint256 needed
    ) private returns (Signers memory signers) {
        signers = panel.claim(_lists[panel.epoch % RING], _members, signatures, barred, fee);
        require(signers.count >= needed, TooFewPlaces(signers.count, needed));
    }

    function _nobody() private pure returns (address[] calldata nobody) {
        assembly ("memory-safe") {
            nobody.length := 0
        }
    }

    /// @dev Places of a case's panel.
    function _judges() private view returns (uint256) {
        return 2 * PLACES + 1;
    }

    /// @dev Enough of a case's panel for the ruling.
    function _judgesOf(
        bytes32 caseId,
        Case memory opened,
        Ruling ruling,
        bytes calldata signatures,
        address[] calldata barred
    ) private returns (Signers memory) {
        uint256 judges = _judges();
        Panel memory panel = _panelOf(caseId, judges, _seed(opened.seedBlock), opened.epoch);
        panel.digest = verdictDigest(caseId, panel.seed, uint8(ruling));
        uint256 needed = ruling == Ruling.Upheld ? PLACES + 1 : (3 * judges + 4) / 5;
        return _claim(panel, signatures, barred, RULE_FEE, needed);
    }

    // WHAT FOLLOWS

    /// @dev Carries a ruling into the registry, where it still changes something there.
    function _act(
        bytes32 caseId,
        bytes32 batchId,
        PreImage calldata preImage,
        Opening calldata opening,
        Ruling ruling,
        bool challenged,
        address payer
    ) private {
        bytes32 leaf = keccak256(abi.encode(batchId, opening.leafIndex));
        bool stands = challenged && block.timestamp <= preImage.dispute.due;
        if (stands && _resolved(preImage, opening, leaf, ruling)) return;
        State state = CORE.stateOf(preImage);
        // While a challenge stands, only its end changes what the registry knows of the batch. Later the slot may have
        // been overwritten: that it was is the payer's word, since anybody else could so spare the batch.
        bool known = state != State.Unknown && (state != State.Disputed || !stands);
        require(
            known || (state == State.Unknown && !stands && (ruling == Ruling.Upheld || msg.sender == payer)),
            StateForbids(batchId, state)
        );
        if (ruling == Ruling.Upheld || (state != State.Open && state != State.Disputed)) return;

        uint256 before = CORE.creditOf(ASSET, address(this));
        (_ruledLeaf, _ruling) = (leaf, ruling);
        CORE.disprove(preImage, opening, "");
        (_ruledLeaf, _ruling) = (0, Ruling.Undecided);
        _reward(caseId, payer, CORE.creditOf(ASSET, address(this)) - before);
    }

    /// @dev Ends a challenge; false where the registry has none such, as where a fault ended the batch in between.
    function _resolved(PreImage calldata preImage, Opening calldata opening, bytes32 leaf, Ruling ruling)
        private
        returns (bool ended)
    {
        (_ruledLeaf, _ruling) = (leaf, ruling);
        // Typed calls encode the words anew.
        // solhint-disable-next-line avoid-low-level-calls
        (ended,) = address(CORE).call(_resolution(preImage, opening.leaf));
        (_ruledLeaf, _ruling) = (0, Ruling.Undecided);
    }

    /// @dev abi.encodeCall(CORE.attest, (batch, stamp, Grade.Audited, "")), of the words as they came.
    function _attestation(PreImage calldata preImage) private pure returns (bytes memory) {
        // slither-disable-next-line write-after-write
        bytes calldata batchAndStamp;
        assembly ("memory-safe") {
            batchAndStamp.offset := preImage
            batchAndStamp.length := 0x100
        }
        uint256 evidenceAt = batchAndStamp.length + 0x40;
        return
            abi.encodePacked(ITallystick.attest.selector, batchAndStamp, uint256(Grade.Audited), evidenceAt, uint256(0));
    }

    /// @dev abi.encodeCall(CORE.resolve, (preImage, leaf, "")) of the words as they came: the registry reads them itself,
    /// and encoding field by field costs 4,000 gas more.
    function _resolution(PreImage calldata preImage, Leaf calldata leaf) private pure returns (bytes memory) {
        // slither-disable-next-line write-after-write
        bytes calldata ofPreImage;
        // slither-disable-next-line write-after-write
        bytes calldata ofLeaf;
        assembly ("memory-safe") {
            ofPreImage.offset := preImage
            ofPreImage.length := 0x1c0
            ofLeaf.offset := leaf
            ofLeaf.length := 0xc0
        }
        uint256 evidenceAt = ofPreImage.length + ofLeaf.length + 0x20;
        return abi.encodePacked(ITallystick.resolve.selector, ofPreImage, ofLeaf, evidenceAt, uint256(0));
    }

    /// @dev What the registry paid goes to the payer's credit as it arrives. One that does not pay now keeps nobody's
    /// conviction from being made.
    function _reward(bytes32 caseId, address payer, uint256 amount) private {
        if (amount == 0) return;
        uint256 before = _balance();
        try CORE.withdraw(ASSET, address(this), amount) {
            uint256 received = _balance() - before;
            _credits[payer] += received;
            emit Rewarded(caseId, payer, received);
        } catch {
            emit Rewarded(caseId, payer, 0);
        }
    }

    /// @dev Burns the stake of keys, but the finder's share. Passes over those that have none. Returns what it took.
    function _convict(bytes32 batchId, address[] calldata keys, address finder) private returns (uint256 taken) {
        uint256 shares = 0;
        for (uint256 i = 0; i < keys.length; ++i) {
            PoolMember storage member = _members[keys[i]];
            uint256 stake = member.seats * SEAT_STAKE;
            if (stake == 0) continue;
            (member.seats, member.standing) = (0, Standing.Convicted);
            uint256 share = stake / FINDERS;
            (taken, shares) = (taken + stake, shares + share);
            emit Convicted(keys[i], batchId, stake - share, finder, share);
        }
        _burned += taken - shares;
        _credits[finder] += shares;
    }

    function _payFromEscrow(address operator, uint256 amount) private {
        Escrow storage escrow = _escrows[operator];
        uint256 balance = escrow.balance;
        require(balance >= amount, EscrowShort(operator, balance, amount));
        escrow.balance = uint128(balance - amount);
    }

    // CHECKS

    /// @dev The model is of the pool's spec; the network is audited here, and judged by this pool or by REPLAY: another
    /// arbiter, made by its owner, would convict honest signers.
    function _checkNetwork(bytes32 networkId, bytes32 modelId, ModelRef calldata model) private view {
        bytes32 named = keccak256(abi.encode(networkId, model.registrant, model.contentHash, SPEC, model.parent));
        require(named == modelId, ModelMismatch(modelId, named));
        Terms memory rules = RulesLib.loadFrom(address(CORE), networkId);
        bool judged = rules.arbiter == address(this) || (rules.arbiter == REPLAY && REPLAY != address(0));
        // For one grade alone: a record says nothing of an enclave, or of a proof.
        bool audited = rules.auditor == address(this) && rules.enclave != address(this) && rules.prover != address(this);
        require(audited && judged && rules.asset == ASSET, NetworkForeign(networkId));
        uint256 life = rules.life();
        require(EXIT_DELAY >= life, ExitDelayTooShort(EXIT_DELAY, life));
    }

    /// @dev The record is the batch's; all empty where the batch has none.
    function _checkRecord(bytes32 batchId, Record calldata record) private view {
        bytes32 stored = _records[batchId];
        bool same = record.keys.length == 0
            ? stored == 0 && record.seed == 0
            : stored == PanelLib.recordOf(record.seed, record.keys);
        require(same, RecordMismatch(batchId));
    }

    /// @dev The case of a leaf, and whether the pre-image has a challenge on it.
    function _caseOf(bytes32 batchId, Dispute calldata dispute, uint256 leafIndex)
        private
        pure
        returns (bytes32 caseId, bool challenged)
    {
        challenged = dispute.kind == DisputeKind.Challenge && dispute.leafIndex == leafIndex;
        // slither-disable-next-line uninitialized-local
        Dispute memory of_;
        if (challenged) of_ = dispute;
        caseId = keccak256(abi.encode(batchId, leafIndex, of_));
    }

    /// @dev The leaf's index, if the opening leads to the batch's root.
    function _open(bytes32 batchId, Batch calldata batch, Opening calldata opening) private pure returns (uint256) {
        (uint256 leafIndex, uint256 count) = (opening.leafIndex, batch.count);
        bytes32 leaf = opening.leaf.hash(batch.modelId, batch.operator);
        require(
            leafIndex < count && TreeLib.isDepthOf(opening.proof.length, count)
                && leaf.rootOf(leafIndex, opening.proof) == batch.root,
            ProofInvalid(batchId, leafIndex)
        );
        return leafIndex;
    }

    function _check(bool holds, uint256 term, uint256 value) private pure {
        require(holds, TermsOutOfRange(term, value));
    }

    // SMALL PIECES

    function _epochAt(uint256 timestamp) private pure returns (uint256) {
        return timestamp / EPOCH;
    }

    function _oldest(uint256 epoch) private pure returns (uint256) {
        return epoch < 2 ? 0 : epoch - 2;
    }

    /// @dev A member, of the sender's account.
    function _memberOf(address key) private view returns (PoolMember storage member) {
        member = _members[key];
        require(msg.sender == member.account, NotAccount(key, msg.sender));
    }

    function _takeCredit(uint256 amount) private {
        uint256 credit = _credits[msg.sender];
        require(credit >= amount, InsufficientCredit(msg.sender, credit, amount));
        unchecked {
            _credits[msg.sender] = credit - amount;
        }
    }

    function _balance() private view returns (uint256) {
        return ASSET == address(0) ? address(this).balance : IERC20(ASSET).balanceOf(address(this));
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
