// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ITallystick} from "./interfaces/ITallystick.sol";
import {
    Batch,
    BatchFacts,
    BatchRef,
    Cause,
    Commitment,
    Dispute,
    DisputeKind,
    Grade,
    Lane,
    Leaf,
    ModelTerms,
    Opening,
    Outcome,
    PreImage,
    Rules,
    Ruling,
    State,
    Status,
    Terms,
    Totals
} from "./interfaces/Types.sol";
import {
    ARCHIVE_DELAY,
    BURN_ADDRESS,
    MAX_BYTES,
    MAX_COUNT,
    MAX_INDEX,
    MAX_WINDOW,
    REWARD_BONDS
} from "./libraries/Constants.sol";
import {LaneLib} from "./libraries/LaneLib.sol";
import {LeafLib} from "./libraries/LeafLib.sol";
import {PreImageLib} from "./libraries/PreImageLib.sol";
import {Resolvers} from "./libraries/Resolvers.sol";
import {RulesLib} from "./libraries/RulesLib.sol";
import {Stamp, StampLib} from "./libraries/StampLib.sol";
import {Tally, TallyLib} from "./libraries/TallyLib.sol";
import {TreeLib} from "./libraries/TreeLib.sol";
import {Word, WordLib} from "./libraries/WordLib.sol";

/// @title Tallystick
/// @notice Counts, per network, how many AI inferences are backed by evidence, and of which kind.
/// @dev No owner, no proxy, no pause. A batch is one storage word, the hash of a pre-image that callers present.
/// One transient lock: functions that move a token or coin set it (nonReentrant), all others refuse to run while it is
/// set (nonReentrantView). Resolvers need no lock: under STATICCALL nothing they call can change state.
contract Tallystick is ITallystick, EIP712, ReentrancyGuardTransient {
    using LaneLib for Lane;
    using LeafLib for Leaf;
    using PreImageLib for Batch;
    using PreImageLib for PreImage;
    using Resolvers for address;
    using RulesLib for Terms;
    using SafeERC20 for IERC20;
    using TallyLib for Tally;
    using TreeLib for bytes32;
    using WordLib for WordLib.Words;

    struct LaneState {
        Lane lane;
        WordLib.Words words; // by slot
    }

    struct NetworkState {
        Tally tally;
        address owner;
        uint256 swept;
        mapping(bytes32 modelId => ModelTerms terms) models;
        mapping(address operator => LaneState lane) lanes;
    }

    /// @dev Why a batch is rejected, and who is paid for it.
    struct Conviction {
        Cause cause;
        uint256 leafIndex;
        address payee;
    }

    mapping(bytes32 networkId => NetworkState network) private _networks;
    mapping(bytes32 batchId => Status status) private _archive;
    mapping(address asset => mapping(address account => uint256 amount)) private _credits;
    mapping(address operator => address key) private _keys;

    constructor() EIP712("Tallystick", "1") {}

    // NETWORKS AND MODELS

    /// @inheritdoc ITallystick
    function registerNetwork(
        bytes32 salt,
        Rules calldata rules,
        bytes32 parent,
        string calldata name,
        string calldata uri
    ) external nonReentrantView returns (bytes32 networkId) {
        require(
            rules.responseWindow > 0 && rules.rulingWindow > 0 && rules.challengeWindow <= MAX_WINDOW
                && rules.rulingWindow <= MAX_WINDOW && rules.responseWindow <= rules.challengeWindow / 2,
            WindowsOutOfRange(rules.challengeWindow, rules.responseWindow, rules.rulingWindow)
        );
        require(rules.maxBytes <= MAX_BYTES, MaxBytesOutOfRange(rules.maxBytes, MAX_BYTES));
        require(rules.asset == address(0) || rules.asset.code.length > 0, AssetWithoutCode(rules.asset));
        require(rules.arbiter == address(0) || rules.challengeBond > 0, ChallengeBondZero());
        if (parent != bytes32(0)) ownerOf(parent);
        networkId = keccak256(abi.encode(block.chainid, address(this), msg.sender, salt, rules));
        NetworkState storage network = _networks[networkId];
        require(network.owner == address(0), NetworkExists(networkId));

        network.owner = msg.sender;
        RulesLib.store(networkId, rules);
        emit NetworkRegistered(networkId, msg.sender, parent, salt, rules, name, uri);
    }

    /// @inheritdoc ITallystick
    function admit(bytes32 networkId, address operator) external nonReentrantView {
        Lane storage lane = _laneAsOwner(networkId, operator);
        (lane.admitted, lane.closed) = (true, false);
        emit OperatorAdmitted(networkId, operator);
    }

    /// @inheritdoc ITallystick
    function close(bytes32 networkId, address operator) external nonReentrantView {
        _laneAsOwner(networkId, operator).closed = true;
        emit OperatorClosed(networkId, operator);
    }

    /// @inheritdoc ITallystick
    function registerModel(
        bytes32 networkId,
        bytes32 contentHash,
        bytes32 specHash,
        bytes32 parent,
        string calldata name,
        string calldata uri
    ) external nonReentrantView returns (bytes32 modelId) {
        address owner = ownerOf(networkId);
        NetworkState storage network = _networks[networkId];
        Terms memory terms = RulesLib.load(networkId);
        require(terms.permissionless || msg.sender == owner, NotNetworkOwner(networkId, msg.sender));
        require(parent == 0 || network.models[parent].challengeWindow > 0, ModelNotFound(networkId, parent));
        modelId = keccak256(abi.encode(networkId, msg.sender, contentHash, specHash, parent));
        require(network.models[modelId].challengeWindow == 0, ModelExists(modelId));

        network.models[modelId] = ModelTerms(terms.stakePerInference, terms.challengeWindow, terms.permissionless);
        emit ModelRegistered(networkId, msg.sender, modelId, contentHash, specHash, parent, name, uri);
    }

    // MONEY

    /// @inheritdoc ITallystick
    function deposit(address asset, uint256 amount) external payable nonReentrant {
        uint256 received = amount;
        if (asset == address(0)) {
            require(msg.value == amount, NativeAmountMismatch(msg.value, amount));
        } else {
            require(msg.value == 0, NativeAmountMismatch(msg.value, 0));
            uint256 before = IERC20(asset).balanceOf(address(this));
            IERC20(asset).safeTransferFrom(msg.sender, address(this), amount);
            received = IERC20(asset).balanceOf(address(this)) - before;
        }
        _credits[asset][msg.sender] += received;
        emit Deposited(asset, msg.sender, received);
    }

    /// @inheritdoc ITallystick
    function withdraw(address asset, address to, uint256 amount) external nonReentrant {
        _takeCredit(asset, amount);
        emit Withdrawn(asset, msg.sender, to, amount);
        _pay(asset, to, amount);
    }

    /// @inheritdoc ITallystick
    function sweep(bytes32 networkId) external nonReentrant {
        ownerOf(networkId);
        NetworkState storage network = _networks[networkId];
        uint256 burned = network.tally.burnedOf();
        uint256 amount = burned - network.swept;
        require(amount > 0, NothingToSweep(networkId));
        network.swept = burned;
        address asset = RulesLib.load(networkId).asset;
        emit Swept(networkId, asset, amount);
        _pay(asset, BURN_ADDRESS, amount);
    }

    /// @inheritdoc ITallystick
    function stake(bytes32 networkId, uint128 amount) external nonReentrantView {
        ownerOf(networkId);
        _takeCredit(RulesLib.load(networkId).asset, amount);
        _networks[networkId].lanes[msg.sender].lane.stake += amount;
        emit Staked(networkId, msg.sender, amount);
    }

    /// @inheritdoc ITallystick
    function unstake(bytes32 networkId, uint128 amount) external nonReentrantView {
        ownerOf(networkId);
        Terms memory terms = RulesLib.load(networkId);
        Lane storage lane = _networks[networkId].lanes[msg.sender].lane;
        uint256 needed = uint256(amount) + uint256(terms.stakePerInference) * lane.openInferences;
        require(lane.stake >= needed, InsufficientStake(networkId, msg.sender, lane.stake, needed));
        lane.stake -= amount;
        _credits[terms.asset][msg.sender] += amount;
        emit Unstaked(networkId, msg.sender, amount);
    }

    // A BATCH'S LIFE

    /// @inheritdoc ITallystick
    function setKey(address key) external nonReentrantView {
        _keys[msg.sender] = key;
        emit KeySet(msg.sender, key);
    }

    /// @inheritdoc ITallystick
    function commit(Commitment calldata commitment) external nonReentrantView returns (bytes32 batchId) {
        (batchId,) = _commit(msg.sender, commitment);
    }

    /// @inheritdoc ITallystick
    function commitAttested(Commitment calldata c, Grade grade, bytes calldata evidence)
        external
        nonReentrantView
        returns (bytes32 batchId)
    {
        Stamp stamp;
        (batchId, stamp) = _commit(msg.sender, c);
        _attest(
            batchId,
            Batch(c.networkId, msg.sender, c.index, c.modelId, c.root, c.count, c.commitDeadline),
            stamp,
            grade,
            evidence
        );
    }

    /// @inheritdoc ITallystick
    function commitMany(Commitment[] calldata commitments) external nonReentrantView returns (bytes32[] memory) {
        return _commitMany(msg.sender, commitments);
    }

    /// @inheritdoc ITallystick
    function commitFor(address operator, Commitment[] calldata commitments)
        external
        nonReentrantView
        returns (bytes32[] memory)
    {
        require(msg.sender == _keys[operator] || msg.sender == operator, NotOperatorKey(operator, msg.sender));
        return _commitMany(operator, commitments);
    }

    /// @inheritdoc ITallystick
    function attest(Batch calldata batch, Stamp stamp, Grade grade, bytes calldata evidence) external nonReentrantView {
        bytes32 batchId = batch.id();
        _openWord(_laneOf(batch), batchId, stamp);
        require(block.timestamp < stamp.closesAt(), TooLate(block.timestamp, stamp.closesAt() - 1));
        _attest(batchId, batch, stamp, grade, evidence);
    }

    /// @inheritdoc ITallystick
    function challenge(Batch calldata batch, Stamp stamp, Opening calldata opening) external nonReentrantView {
        Terms memory terms = RulesLib.load(batch.networkId);
        require(terms.arbiter != address(0), ArbiterMissing(batch.networkId));
        bytes32 batchId = batch.id();
        bytes32 leaf = _open(batchId, batch, opening);
        Dispute memory dispute = Dispute({
            kind: DisputeKind.Challenge,
            withBytes: false,
            party: msg.sender,
            leafIndex: uint32(opening.leafIndex),
            due: uint40(block.timestamp + terms.rulingWindow),
            leaf: leaf
        });
        Word word = _dispute(batch, stamp, batchId, dispute);
        require(word.grade() != Grade.Proven, ProvenUnchallengeable(batchId));
        _takeCredit(terms.asset, terms.challengeBond);
        emit BatchChallenged(batch.networkId, batch.operator, batchId, msg.sender, opening.leafIndex, leaf, dispute.due);
    }

    /// @inheritdoc ITallystick
    function demand(Batch calldata batch, Stamp stamp, uint256 leafIndex, bool withBytes) external nonReentrantView {
        Terms memory terms = RulesLib.load(batch.networkId);
        require(leafIndex < batch.count, LeafIndexOutOfRange(leafIndex, batch.count));
        require(!withBytes || terms.maxBytes > 0, BytesNotDemandable(batch.networkId));
        bytes32 batchId = batch.id();
        Dispute memory dispute = Dispute({
            kind: DisputeKind.Demand,
            withBytes: withBytes,
            party: msg.sender,
            leafIndex: uint32(leafIndex),
            due: uint40(block.timestamp + terms.responseWindow),
            leaf: 0
        });
        _dispute(batch, stamp, batchId, dispute);
        _takeCredit(terms.asset, terms.demandBond);
        emit BatchDemanded(batch.networkId, batch.operator, batchId, msg.sender, leafIndex, withBytes, dispute.due);
    }

    /// @inheritdoc ITallystick
    function reveal(
        PreImage calldata preImage,
        Opening calldata opening,
        bytes calldata signature,
        bytes calldata input,
        bytes calldata output
    ) external nonReentrantView {
        Batch calldata batch = preImage.batch;
        Dispute calldata dispute = preImage.dispute;
        Terms memory terms = RulesLib.load(batch.networkId);
        (bytes32 batchId, Word word) = _disputed(preImage, DisputeKind.Demand);
        require(block.timestamp <= dispute.due, TooLate(block.timestamp, dispute.due));
        require(opening.leafIndex == dispute.leafIndex, LeafNotDisputed(batchId, opening.leafIndex));
        bytes32 leaf = _open(batchId, batch, opening);
        _checkRequest(batch, opening, leaf, terms.solicited, signature);
        if (dispute.withBytes) {
            _checkBytes(opening.leaf, terms.maxBytes, input, output);
            emit BytesRevealed(batchId, opening.leafIndex, input, output);
        }

        uint256 closesAt = _reopen(preImage, batchId, word, terms.responseWindow, terms);
        uint256 bond = terms.demandBond;
        _credits[terms.asset][batch.operator] += bond;
        emit LeafRevealed(
            batch.networkId, batch.operator, batchId, opening.leafIndex, opening.leaf, closesAt, bond, opening.proof
        );
    }

    /// @inheritdoc ITallystick
    function timeout(PreImage calldata preImage) external nonReentrantView {
        Dispute calldata dispute = preImage.dispute;
        (bytes32 batchId,) = _disputed(preImage, DisputeKind.Demand);
        require(block.timestamp > dispute.due, TooEarly(block.timestamp, uint256(dispute.due) + 1));
        Terms memory terms = RulesLib.load(preImage.batch.networkId);
        _reject(preImage, terms, batchId, Conviction(Cause.Timeout, dispute.leafIndex, dispute.party));
    }

    /// @inheritdoc ITallystick
    function resolve(PreImage calldata preImage, Leaf calldata leaf, bytes calldata evidence)
        external
        nonReentrantView
    {
        Batch calldata batch = preImage.batch;
        Dispute calldata dispute = preImage.dispute;
        Terms memory terms = RulesLib.load(batch.networkId);
        (bytes32 batchId, Word word) = _disputed(preImage, DisputeKind.Challenge);
        require(block.timestamp <= dispute.due, TooLate(block.timestamp, dispute.due));
        require(leaf.hash(batch.modelId, batch.operator) == dispute.leaf, LeafNotDisputed(batchId, dispute.leafIndex));
        Ruling ruling = terms.arbiter.ruling(batchId, batch, leaf, dispute.leafIndex, evidence);
        require(ruling != Ruling.Undecided, NotRuled(batchId, dispute.leafIndex));

        if (ruling == Ruling.Rejected) {
            _reject(preImage, terms, batchId, Conviction(Cause.Ruling, dispute.leafIndex, dispute.party));
        } else {
            uint256 closesAt = _reopen(preImage, batchId, word, terms.rulingWindow, terms);
            (uint256 credited, uint256 burned) = _split(batch.networkId, terms, batch.operator);
            emit ChallengeUpheld(batch.networkId, batch.operator, batchId, closesAt, credited, burned);
        }
    }

    /// @inheritdoc ITallystick
    function lapse(PreImage calldata preImage) external nonReentrantView {
        Batch calldata batch = preImage.batch;
        Dispute calldata dispute = preImage.dispute;
        Terms memory terms = RulesLib.load(batch.networkId);
        (bytes32 batchId, Word word) = _disputed(preImage, DisputeKind.Challenge);
        require(block.timestamp > dispute.due, TooEarly(block.timestamp, uint256(dispute.due) + 1));

        uint256 closesAt = _reopen(preImage, batchId, word.withLapse(), terms.rulingWindow, terms);
        (uint256 returned, uint256 burned) = _split(batch.networkId, terms, dispute.party);
        emit ChallengeLapsed(batch.networkId, batch.operator, batchId, closesAt, dispute.party, returned, burned);
    }

    /// @inheritdoc ITallystick
    function disprove(PreImage calldata preImage, Opening calldata opening, bytes calldata evidence)
        external
        nonReentrantView
    {
        bytes32 batchId = _pending(preImage);
        Batch calldata batch = preImage.batch;
        Dispute calldata dispute = preImage.dispute;
        Terms memory terms = RulesLib.load(batch.networkId);
        require(terms.arbiter != address(0), ArbiterMissing(batch.networkId));
        _open(batchId, batch, opening);
        Ruling ruling = terms.arbiter.ruling(batchId, batch, opening.leaf, opening.leafIndex, evidence);
        require(ruling == Ruling.Rejected, NotDisproved(batchId, opening.leafIndex));
        // Evidence meant for `resolve` can be copied from the mempool: it is the challenger's all the same.
        bool challenged = dispute.kind == DisputeKind.Challenge && dispute.leafIndex == opening.leafIndex;
        address payee = challenged ? dispute.party : msg.sender;
        _reject(preImage, terms, batchId, Conviction(Cause.Disproof, opening.leafIndex, payee));
    }

    /// @inheritdoc ITallystick
    function faultOrder(PreImage calldata preImage, Opening calldata opening, Opening calldata other)
        external
        nonReentrantView
    {
        bytes32 batchId = _pending(preImage);
        _open(batchId, preImage.batch, opening);
        _open(batchId, preImage.batch, other);
        require(
            opening.leafIndex < other.leafIndex && opening.leaf.key() >= other.leaf.key(),
            LeavesInOrder(opening.leafIndex, other.leafIndex)
        );
        _reject(
            preImage,
            RulesLib.load(preImage.batch.networkId),
            batchId,
            Conviction(Cause.Order, other.leafIndex, msg.sender)
        );
    }

    /// @inheritdoc ITallystick
    function faultRepeat(
        PreImage calldata preImage,
        Opening calldata opening,
        PreImage calldata earlier,
        Opening calldata other
    ) external nonReentrantView {
        bytes32 batchId = _pending(preImage);
        (bytes32 earlierId, Word word) = _held(earlier);
        require(word.state() != State.Rejected, StateForbids(earlierId, State.Rejected));
        require(
            earlier.batch.networkId == preImage.batch.networkId && earlier.batch.operator == preImage.batch.operator
                && earlier.batch.index < preImage.batch.index,
            RepeatNotEarlier(earlierId, batchId)
        );
        _open(batchId, preImage.batch, opening);
        _open(earlierId, earlier.batch, other);
        require(opening.leaf.key() == other.leaf.key(), LeavesNotRepeated(earlierId, batchId));
        _reject(
            preImage,
            RulesLib.load(preImage.batch.networkId),
            batchId,
            Conviction(Cause.Repeat, opening.leafIndex, msg.sender)
        );
    }

    /// @inheritdoc ITallystick
    function faultDeadline(PreImage calldata preImage, Opening calldata opening) external nonReentrantView {
        bytes32 batchId = _pending(preImage);
        _open(batchId, preImage.batch, opening);
        Terms memory terms = RulesLib.load(preImage.batch.networkId);
        uint256 deadline = opening.leaf.deadline;
        uint256 earliest = preImage.stamp.committedAt();
        uint256 latest = earliest + terms.challengeWindow / 2;
        require(deadline < earliest || deadline > latest, DeadlineInRange(deadline, earliest, latest));
        _reject(preImage, terms, batchId, Conviction(Cause.Deadline, opening.leafIndex, msg.sender));
    }

    /// @inheritdoc ITallystick
    function finalize(BatchRef[] calldata refs, bytes32 networkId, address operator) external nonReentrantView {
        require(refs.length > 0, NothingToFinalize(networkId, operator));
        NetworkState storage network = _networks[networkId];
        LaneState storage lane = network.lanes[operator];
        for (uint256 i = 0; i < refs.length; ++i) {
            (bytes32 batchId, Stamp stamp) = (refs[i].batchId, refs[i].stamp);
            Word word = _openWord(lane, batchId, stamp);
            require(block.timestamp >= stamp.closesAt(), TooEarly(block.timestamp, stamp.closesAt()));
            (Outcome outcome, uint256 count) = (word.outcome(), stamp.count());
            lane.words.store(stamp.slot(), word.withState(State.Final));
            lane.lane.release(count);
            network.tally.finalize(outcome, count);
            emit BatchFinalized(networkId, operator, batchId, outcome, count);
        }
    }

    /// @inheritdoc ITallystick
    function archive(bytes32 networkId, address operator, BatchRef calldata ref) external nonReentrantView {
        Word word = _networks[networkId].lanes[operator].words.load(ref.stamp.slot());
        require(word.matches(WordLib.seal(ref.batchId, ref.stamp)), PreImageMismatch(ref.batchId));
        require(word.state() == State.Final, StateForbids(ref.batchId, word.state()));
        require(_archive[ref.batchId].state == State.Unknown, AlreadyArchived(ref.batchId));
        _archive[ref.batchId] = _statusOf(word, ref.stamp);
        emit BatchArchived(networkId, operator, ref.batchId);
    }

    /// @inheritdoc ITallystick
    function each(bytes[] calldata calls) external returns (bool[] memory done) {
        done = new bool[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            // Each call is checked, and locked, as if it were sent alone. Not payable: none of them comes with coins.
            // solhint-disable-next-line avoid-low-level-calls
            (done[i],) = address(this).delegatecall(calls[i]);
        }
    }

    // VIEWS
    // Zeros alone may be an unknown network's: only then is it asked whether there is one.

    /// @inheritdoc ITallystick
    function totals(bytes32 networkId) external view returns (Totals memory found) {
        found = _networks[networkId].tally.read();
        if (found.committed == 0) ownerOf(networkId);
    }

    /// @inheritdoc ITallystick
    function status(bytes32 networkId, address operator, BatchRef calldata ref)
        external
        view
        returns (Status memory found)
    {
        found = _archive[ref.batchId];
        if (found.state != State.Unknown) return found;
        Word word = _networks[networkId].lanes[operator].words.load(ref.stamp.slot());
        if (word.matches(WordLib.seal(ref.batchId, ref.stamp))) return _statusOf(word, ref.stamp);
    }

    /// @inheritdoc ITallystick
    function stateOf(PreImage calldata preImage) external view returns (State) {
        bytes32 batchId = preImage.batch.id();
        Word word = _laneOf(preImage.batch).words.load(preImage.stamp.slot());
        return word.matches(preImage.seal(batchId)) ? word.state() : _archive[batchId].state;
    }

    /// @inheritdoc ITallystick
    function archived(bytes32 batchId) external view returns (Status memory) {
        return _archive[batchId];
    }

    /// @inheritdoc ITallystick
    function rulesOf(bytes32 networkId) external view returns (Rules memory) {
        ownerOf(networkId);
        return RulesLib.load(networkId).toRules();
    }

    /// @inheritdoc ITallystick
    function ownerOf(bytes32 networkId) public view returns (address owner) {
        owner = _networks[networkId].owner;
        require(owner != address(0), NetworkNotFound(networkId));
    }

    /// @inheritdoc ITallystick
    function modelTerms(bytes32 networkId, bytes32 modelId) external view returns (ModelTerms memory found) {
        found = _networks[networkId].models[modelId];
        if (found.challengeWindow > 0) return found;
        ownerOf(networkId);
        revert ModelNotFound(networkId, modelId);
    }

    /// @inheritdoc ITallystick
    function lifeOf(bytes32 networkId) external view returns (uint256) {
        ownerOf(networkId);
        return RulesLib.load(networkId).life();
    }

    /// @inheritdoc ITallystick
    function laneOf(bytes32 networkId, address operator) external view returns (Lane memory found) {
        found = _networks[networkId].lanes[operator].lane;
        if (found.nextIndex == 0) ownerOf(networkId);
    }

    /// @inheritdoc ITallystick
    function keyOf(address operator) external view returns (address) {
        return _keys[operator];
    }

    /// @inheritdoc ITallystick
    function creditOf(address asset, address account) external view returns (uint256) {
        return _credits[asset][account];
    }

    /// @inheritdoc ITallystick
    function sweptOf(bytes32 networkId) external view returns (uint256 found) {
        found = _networks[networkId].swept;
        if (found == 0) ownerOf(networkId);
    }

    /// @inheritdoc ITallystick
    function wordOf(bytes32 networkId, address operator, uint32 slot) external view returns (bytes32 found) {
        found = bytes32(Word.unwrap(_networks[networkId].lanes[operator].words.load(slot)));
        if (found == 0) ownerOf(networkId);
    }

    /// @inheritdoc ITallystick
    function requestDigest(bytes32 modelId, address operator, Leaf calldata leaf) external view returns (bytes32) {
        return _hashTypedDataV4(leaf.requestHash(modelId, operator));
    }

    // COMMITTING

    function _commitMany(address operator, Commitment[] calldata commitments)
        private
        returns (bytes32[] memory batchIds)
    {
        batchIds = new bytes32[](commitments.length);
        for (uint256 i = 0; i < commitments.length; ++i) {
            (batchIds[i],) = _commit(operator, commitments[i]);
        }
    }

    function _commit(address operator, Commitment calldata c) private returns (bytes32 batchId, Stamp stamp) {
        (bytes32 networkId, uint256 index, uint32 slot, uint256 count) = (c.networkId, c.index, c.slot, c.count);
        NetworkState storage network = _networks[networkId];
        LaneState storage lane = network.lanes[operator];
        ModelTerms storage terms = network.models[c.modelId];
        (uint256 challengeWindow, uint256 stakePerInference, bool permissionless) =
            (terms.challengeWindow, terms.stakePerInference, terms.permissionless);
        require(challengeWindow > 0, ModelNotFound(networkId, c.modelId));
        require(count > 0 && count <= MAX_COUNT, CountOutOfRange(count, MAX_COUNT));
        uint256 commitDeadline = c.commitDeadline;
        require(block.timestamp <= commitDeadline, LateCommit(block.timestamp, commitDeadline));

        (bytes32 finalizedId, Outcome outcome, uint256 finalizedCount) = _vacate(lane, slot, c);
        network.tally.commit(networkId, count, outcome, finalizedCount);
        _enlist(lane.lane, networkId, operator, index, count, finalizedCount, stakePerInference, permissionless);
        batchId = keccak256(abi.encode(networkId, operator, index, c.modelId, c.root, count, commitDeadline));
        unchecked {
            stamp = StampLib.pack(slot, count, block.timestamp, block.number, block.timestamp + challengeWindow);
        }
        lane.words.store(slot, WordLib.seal(batchId, stamp).withState(State.Open));
        emit BatchCommitted(
            networkId,
            operator,
            batchId,
            c.modelId,
            c.root,
            index,
            commitDeadline,
            stamp,
            finalizedId,
            outcome,
            finalizedCount
        );
    }

    /// @dev The finalizable batch in the slot, with its outcome and count; all zero where the slot holds none.
    function _vacate(LaneState storage lane, uint32 slot, Commitment calldata c)
        private
        view
        returns (bytes32 batchId, Outcome outcome, uint256 count)
    {
        Word word = lane.words.load(slot);
        if (!word.isIn(State.Open)) {
            require(!word.isIn(State.Disputed), StateForbids(c.replacedId, State.Disputed));
            return (0, Outcome.Unchallenged, 0);
        }
        Stamp stamp = c.replacedStamp;
        batchId = c.replacedId;
        require(word.matches(WordLib.seal(batchId, stamp)) && stamp.slot() == slot, PreImageMismatch(batchId));
        unchecked {
            uint256 freeFrom = stamp.closesAt() + ARCHIVE_DELAY;
            require(block.timestamp >= freeFrom, SlotTaken(slot, block.timestamp, freeFrom));
        }
        return (batchId, word.outcome(), stamp.count());
    }

    /// @dev Moves the lane on by one batch, if it is open to the sender and has the stake.
    function _enlist(
        Lane storage lane,
        bytes32 networkId,
        address operator,
        uint256 index,
        uint256 count,
        uint256 finalizedCount,
        uint256 stakePerInference,
        bool permissionless
    ) private {
        (uint256 staked, uint256 openInferences, uint256 nextIndex) = (lane.stake, lane.openInferences, lane.nextIndex);
        require(!lane.closed, LaneClosed(networkId, operator));
        require(lane.admitted || permissionless, OperatorNotAdmitted(networkId, operator));
        require(index == nextIndex, BatchIndexNotNext(index, nextIndex));
        require(index <= MAX_INDEX, BatchIndexOutOfRange(index, MAX_INDEX));
        // A finalized batch was counted as open. No overflow: open inferences below 2^48 times a stake below 2^96.
        unchecked {
            openInferences = openInferences + count - finalizedCount;
            require(openInferences <= LaneLib.MAX_OPEN, LaneFull(networkId, operator, openInferences, LaneLib.MAX_OPEN));
            uint256 needed = stakePerInference * openInferences;
            require(staked >= needed, InsufficientStake(networkId, operator, staked, needed));
        }
        lane.advance(count, finalizedCount);
    }

    /// @dev Raises the grade of an open batch on evidence.
    function _attest(bytes32 batchId, Batch memory batch, Stamp stamp, Grade grade, bytes calldata evidence) private {
        LaneState storage lane = _networks[batch.networkId].lanes[batch.operator];
        Word word = lane.words.load(stamp.slot());
        require(grade > word.grade(), GradeNotRaised(batchId, grade, word.grade()));
        address attestor = RulesLib.load(batch.networkId).attestor(grade);
        require(attestor != address(0), AttestorMissing(batch.networkId, grade));
        BatchFacts memory facts = BatchFacts(batch, stamp.committedAt(), stamp.committedBlock(), stamp.closesAt());
        require(attestor.attests(batchId, facts, evidence), EvidenceRefused(batchId, grade));
        lane.words.store(stamp.slot(), word.withGrade(grade));
        emit EvidenceAccepted(batchId, grade, evidence);
        emit BatchAttested(batch.networkId, batch.operator, batchId, grade);
    }

    // PRE-IMAGES

    function _laneOf(Batch calldata batch) private view returns (LaneState storage) {
        return _networks[batch.networkId].lanes[batch.operator];
    }

    /// @dev The word of an open batch in its slot.
    function _openWord(LaneState storage lane, bytes32 batchId, Stamp stamp) private view returns (Word word) {
        word = lane.words.load(stamp.slot());
        Word seal = WordLib.seal(batchId, stamp);
        if (word.isOpen(seal)) return word;
        require(word.matches(seal), PreImageMismatch(batchId));
        revert StateForbids(batchId, word.state());
    }

    /// @dev The word that the pre-image opens, whatever its state.
    function _held(PreImage calldata preImage) private view returns (bytes32 batchId, Word word) {
        batchId = preImage.batch.id();
        word = _laneOf(preImage.batch).words.load(preImage.stamp.slot());
        require(word.matches(preImage.seal(batchId)), PreImageMismatch(batchId));
    }

    function _disputed(PreImage calldata preImage, DisputeKind kind) private view returns (bytes32 batchId, Word word) {
        (batchId, word) = _held(preImage);
        require(word.isIn(State.Disputed), StateForbids(batchId, word.state()));
        require(preImage.dispute.kind == kind, DisputeKindMismatch(batchId, preImage.dispute.kind, kind));
    }

    /// @dev The batch of a pre-image that is neither final nor rejected.
    function _pending(PreImage calldata preImage) private view returns (bytes32 batchId) {
        Word word;
        (batchId, word) = _held(preImage);
        State state = word.state();
        require(state == State.Open || state == State.Disputed, StateForbids(batchId, state));
    }

    // LEAVES

    /// @dev The leaf's hash, if the opening leads to the batch's root.
    function _open(bytes32 batchId, Batch calldata batch, Opening calldata opening)
        private
        pure
        returns (bytes32 leaf)
    {
        (uint256 leafIndex, uint256 count, bytes32[] calldata proof) = (opening.leafIndex, batch.count, opening.proof);
        leaf = opening.leaf.hash(batch.modelId, batch.operator);
        require(leafIndex < count, LeafIndexOutOfRange(leafIndex, count));
        require(
            TreeLib.isDepthOf(proof.length, count) && leaf.rootOf(leafIndex, proof) == batch.root,
            ProofInvalid(batchId, leafIndex)
        );
    }

    function _checkRequest(
        Batch calldata batch,
        Opening calldata opening,
        bytes32 leafHash,
        bool solicited,
        bytes calldata signature
    ) private view {
        Leaf calldata leaf = opening.leaf;
        if (leaf.requester == address(0)) {
            uint256 needed = uint256(batch.index) << 20 | opening.leafIndex;
            require(!solicited && leaf.nonce == needed, UnsolicitedLeaf(leafHash, leaf.nonce, needed));
        } else {
            bytes32 digest = _hashTypedDataV4(leaf.requestHash(batch.modelId, batch.operator));
            // A signature that does not recover gives the zero address, which is no requester.
            // slither-disable-next-line unused-return
            (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
            require(signer == leaf.requester, RequestNotSigned(leafHash, leaf.requester));
        }
    }

    function _checkBytes(Leaf calldata leaf, uint256 maxBytes, bytes calldata input, bytes calldata output)
        private
        pure
    {
        uint256 length = input.length + output.length;
        require(length <= maxBytes, TooManyBytes(length, maxBytes));
        (bytes32 inputHash, bytes32 outputHash) = (keccak256(input), keccak256(output));
        require(inputHash == leaf.inputHash && outputHash == leaf.outputHash, BytesMismatch(inputHash, outputHash));
    }

    // DISPUTES

    /// @dev Turns an open batch into a disputed one. Returns its word before.
    function _dispute(Batch calldata batch, Stamp stamp, bytes32 batchId, Dispute memory dispute)
        private
        returns (Word word)
    {
        LaneState storage lane = _laneOf(batch);
        word = _openWord(lane, batchId, stamp);
        require(block.timestamp < stamp.closesAt(), TooLate(block.timestamp, stamp.closesAt() - 1));
        lane.words.store(stamp.slot(), word.resealed(WordLib.seal(batchId, stamp, dispute)).withState(State.Disputed));
    }

    /// @dev Ends a dispute for the batch, with max(time left when it was opened, responseWindow) on the clock. A batch
    /// whose disputes outlast its life is marked lapsed: whoever shields its batch so loses the count.
    function _reopen(PreImage calldata preImage, bytes32 batchId, Word word, uint256 window, Terms memory terms)
        private
        returns (uint256 closesAt)
    {
        uint256 left = preImage.stamp.closesAt() + window - preImage.dispute.due;
        closesAt = block.timestamp + Math.max(left, terms.responseWindow);
        if (closesAt > preImage.stamp.committedAt() + terms.span()) word = word.withLapse();
        Stamp stamp = preImage.stamp.closingAt(closesAt);
        _laneOf(preImage.batch).words
            .store(stamp.slot(), word.resealed(WordLib.seal(batchId, stamp)).withState(State.Open));
    }

    /// @dev Half of a challenge's bond to `payee`, the rest burned.
    function _split(bytes32 networkId, Terms memory terms, address payee)
        private
        returns (uint256 credited, uint256 burned)
    {
        credited = terms.challengeBond / 2;
        burned = terms.challengeBond - credited;
        _credits[terms.asset][payee] += credited;
        _networks[networkId].tally.addLosses(0, burned);
    }

    /// @dev Slashes the batch's stake: bounded reward to the payee, the rest burned; a pending bond goes to its owner.
    function _reject(PreImage calldata preImage, Terms memory terms, bytes32 batchId, Conviction memory conviction)
        private
    {
        Batch calldata batch = preImage.batch;
        Dispute calldata dispute = preImage.dispute;
        NetworkState storage network = _networks[batch.networkId];
        LaneState storage lane = network.lanes[batch.operator];
        uint256 slash = lane.lane.forfeit(batch.count, uint256(terms.stakePerInference) * batch.count);
        uint256 reward = Math.min(slash / 2, REWARD_BONDS * terms.challengeBond);
        uint256 bond = 0;
        if (dispute.kind == DisputeKind.Challenge) bond = terms.challengeBond;
        else if (dispute.kind == DisputeKind.Demand) bond = terms.demandBond;

        lane.words.store(preImage.stamp.slot(), WordLib.seal(batchId, preImage.stamp).withState(State.Rejected));
        network.tally.addLosses(batch.count, slash - reward);
        _archive[batchId] = Status(
            State.Rejected,
            Grade.Unchallenged,
            false,
            conviction.cause,
            uint32(conviction.leafIndex),
            batch.count,
            preImage.stamp.committedAt()
        );
        mapping(address account => uint256 amount) storage credits = _credits[terms.asset];
        if (conviction.payee == dispute.party) {
            credits[dispute.party] += bond + reward;
        } else {
            credits[conviction.payee] += reward;
            if (bond > 0) credits[dispute.party] += bond;
        }
        emit BatchRejected(
            batch.networkId,
            batch.operator,
            batchId,
            conviction.cause,
            conviction.leafIndex,
            batch.count,
            conviction.payee,
            reward,
            slash - reward,
            dispute.party,
            bond
        );
    }

    // SMALL PIECES

    function _laneAsOwner(bytes32 networkId, address operator) private view returns (Lane storage) {
        require(ownerOf(networkId) == msg.sender, NotNetworkOwner(networkId, msg.sender));
        return _networks[networkId].lanes[operator].lane;
    }

    function _statusOf(Word word, Stamp stamp) private pure returns (Status memory) {
        bool lapsed = word.lapsed();
        Grade grade = lapsed ? Grade.Unchallenged : word.grade();
        return Status(word.state(), grade, lapsed, Cause.None, 0, stamp.count(), stamp.committedAt());
    }

    /// @dev Takes from the sender's credit.
    function _takeCredit(address asset, uint256 amount) private {
        uint256 credit = _credits[asset][msg.sender];
        require(credit >= amount, InsufficientCredit(asset, msg.sender, credit, amount));
        unchecked {
            _credits[asset][msg.sender] = credit - amount;
        }
    }

    /// @dev The only way out for money; called last, under the lock.
    function _pay(address asset, address to, uint256 amount) private {
        if (asset == address(0)) {
            (bool sent,) = to.call{value: amount}("");
            require(sent, TransferFailed(to, amount));
        } else {
            IERC20(asset).safeTransfer(to, amount);
        }
    }
}
