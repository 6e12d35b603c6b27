// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {ITallystick} from "../interfaces/ITallystick.sol";
import {Batch, Dispute, DisputeKind, Inference, Leaf, PreImage, Rules, Ruling, State} from "../interfaces/Types.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {PreImageLib} from "../libraries/PreImageLib.sol";
import {ElementProof, Game, GameDisproof, GameModel, GameProgram, IReplayGame, Phase} from "./IReplayGame.sol";
import {Opened, Qi8OpeningLib} from "./Qi8OpeningLib.sol";
import {Qi8ElementLib} from "./Qi8ElementLib.sol";
import {CONCAT, Qi8StepLib, RECALL, SUM, Step} from "./Qi8StepLib.sol";

/// @title ReplayGame
/// @notice Rules on a leaf of a model of any size by one element of one step.
/// @dev No owner, no stake, no deployer's say: one deployment serves every network of a registry. It calls the registry
/// alone, last in a move.
contract ReplayGame is IReplayGame {
    using LeafLib for Leaf;
    using PreImageLib for Batch;
    using Qi8OpeningLib for Opened;
    using Qi8StepLib for Step;
    using Qi8StepLib for Step[];

    bytes32 private constant SPEC_ID = keccak256("QI8-1T");
    /// @dev Most bytes that a move of the operator's, or an input or output, may bring: with the rest of the calldata
    /// they fit the 131,072 bytes of a transaction that nodes pass on.
    uint256 private constant MAX_MOVE = 114_688;
    /// @dev Instead of a tensor: no root differs, and it is about the output's.
    uint256 private constant NONE = type(uint16).max;

    /// @inheritdoc IReplayGame
    ITallystick public immutable CORE;

    mapping(bytes32 caseId => Game game) private _games;

    // While a challenge is being resolved: what rule() answers, and for which leaf. A stored verdict could be carried
    // elsewhere.
    bytes32 private transient _ruledLeaf;
    Ruling private transient _ruling;

    /// @param core the registry whose challenges are played for
    constructor(ITallystick core) {
        require(address(core).code.length > 0, CoreWithoutCode(address(core)));
        CORE = core;
    }

    // MOVES

    /// @inheritdoc IReplayGame
    function open(PreImage calldata preImage, Leaf calldata leaf, GameModel calldata model, bytes calldata roots)
        external
    {
        (bytes32 batchId, bytes32 caseId) = _challenged(preImage);
        Game storage game = _games[caseId];
        _needPhase(game, Phase.None);
        _needChallenger(preImage.dispute);
        _needLeaf(preImage, leaf);
        (uint256 window, uint256 until) = _openUntil(preImage);
        require(block.timestamp <= until, MoveTooLate(until));

        Step[] memory steps = Qi8StepLib.unpack(model.program.steps);
        bytes32 modelId = _modelIdOf(preImage.batch.networkId, model, steps);
        require(modelId == preImage.batch.modelId, ModelMismatch(modelId, preImage.batch.modelId));
        _needPlayable(steps);
        require(roots.length == 32 * (steps.length + 1), RootsMismatch(keccak256(roots), leaf.traceRoot));

        game.responseWindow = uint32(window);
        (game.program, game.hash) = (keccak256(abi.encode(model.program)), keccak256(roots));
        uint40 due = _next(game, Phase.Opened);
        emit GameOpened(caseId, batchId, preImage.dispute.leafIndex, preImage.dispute.party, due, roots);
    }

    /// @inheritdoc IReplayGame
    function answer(
        PreImage calldata preImage,
        Leaf calldata leaf,
        GameProgram calldata program,
        bytes calldata theirs,
        bytes calldata roots,
        bytes calldata hashes
    ) external {
        (bytes32 caseId, Game storage game) = _turn(preImage, Phase.Opened);
        _needLeaf(preImage, leaf);
        _needProgram(caseId, game, program);
        bytes32 hash = keccak256(theirs);
        require(hash == game.hash, RootsMismatch(hash, game.hash));
        // Theirs has one root a tensor.
        hash = keccak256(roots);
        require(hash == leaf.traceRoot && roots.length == theirs.length, RootsMismatch(hash, leaf.traceRoot));

        uint256 tensor = _firstDifference(theirs, roots);
        (uint256 size, bytes32 root) = _inQuestion(program.steps, roots, tensor);
        _needHashes(hashes, root, tensor > 0 && tensor != NONE ? Qi8OpeningLib.chunksOf(size) : 0);
        (game.tensor, game.size, game.hash) = (uint16(tensor), uint32(size), root);
        emit GameAnswered(caseId, tensor, _next(game, Phase.Answered), roots, hashes);
    }

    /// @inheritdoc IReplayGame
    function choose(PreImage calldata preImage, uint256 chunk, bytes[] calldata nodes) external {
        (bytes32 caseId, Game storage game) = _turn(preImage, Phase.Answered);
        _needChallenger(preImage.dispute);
        // The bytes of an input or output are proved as they are.
        require(game.tensor > 0 && game.tensor != NONE, TensorMismatch(game.tensor));
        Opened memory tree = Qi8OpeningLib.opened(game.hash, game.size, nodes);
        game.hash = tree.hashOf(chunk);
        tree.end();
        game.chunk = uint32(chunk);
        emit ChunkChosen(caseId, chunk, _next(game, Phase.Chosen));
    }

    /// @inheritdoc IReplayGame
    function show(PreImage calldata preImage, bytes calldata chunk) external {
        (bytes32 caseId, Game storage game) = _turn(preImage, Phase.Chosen);
        _needChunk(game, chunk);
        emit ChunkShown(caseId, _next(game, Phase.Shown), chunk);
    }

    /// @inheritdoc IReplayGame
    function proveElement(
        PreImage calldata preImage,
        Leaf calldata leaf,
        GameProgram calldata program,
        bytes calldata roots,
        bytes calldata chunk,
        uint256 offset,
        ElementProof calldata proof
    ) external {
        (bytes32 caseId, Game storage game) = _turn(preImage, Phase.Shown);
        _needLeaf(preImage, leaf);
        _needProgram(caseId, game, program);
        bytes32 hash = keccak256(roots);
        require(hash == leaf.traceRoot, RootsMismatch(hash, leaf.traceRoot));
        _needChunk(game, chunk);
        require(offset < chunk.length, ElementOutOfRange(offset, chunk.length));

        uint256 place = uint256(game.chunk) * Qi8OpeningLib.CHUNK + offset;
        uint256 value = _compute(program, roots, game.tensor - 1, place, proof);
        require(value != uint8(chunk[offset]), NotWrong(caseId));
        _end(preImage, leaf, caseId, Ruling.Rejected, false);
    }

    /// @inheritdoc IReplayGame
    function proveInput(PreImage calldata preImage, Leaf calldata leaf, bytes calldata input) external {
        (bytes32 caseId, Game storage game) = _turn(preImage, Phase.Answered);
        _needLeaf(preImage, leaf);
        require(game.tensor == 0, TensorMismatch(game.tensor));
        bytes32 hash = keccak256(input);
        require(hash == leaf.inputHash, HashMismatch(hash, leaf.inputHash));
        // Of an input of another length no trace is right.
        bool right = input.length == game.size && Qi8OpeningLib.rootOf(input) == game.hash;
        require(!right, NotWrong(caseId));
        _end(preImage, leaf, caseId, Ruling.Rejected, false);
    }

    /// @inheritdoc IReplayGame
    function proveOutput(PreImage calldata preImage, Leaf calldata leaf, bytes calldata output) external {
        (bytes32 caseId, Game storage game) = _turn(preImage, Phase.Answered);
        _needLeaf(preImage, leaf);
        require(game.tensor == NONE, TensorMismatch(game.tensor));
        // Of another length, a node could pass for a chunk.
        bytes32 root = output.length == game.size ? Qi8OpeningLib.rootOf(output) : bytes32(0);
        require(root == game.hash, HashMismatch(root, game.hash));
        require(keccak256(output) != leaf.outputHash, NotWrong(caseId));
        _end(preImage, leaf, caseId, Ruling.Rejected, false);
    }

    /// @inheritdoc IReplayGame
    function claim(PreImage calldata preImage, Leaf calldata leaf) external {
        (, bytes32 caseId) = _challenged(preImage);
        Game storage game = _games[caseId];
        (Phase phase, uint256 due) = (game.phase, game.due);
        if (phase == Phase.None) (, due) = _openUntil(preImage);
        require(block.timestamp > due, ClaimTooEarly(due));
        bool operators = phase == Phase.Opened || phase == Phase.Chosen;
        _end(preImage, leaf, caseId, operators ? Ruling.Rejected : Ruling.Upheld, true);
    }

    // WHAT THE REGISTRY ASKS

    /// @inheritdoc IArbiter
    function rule(bytes32 batchId, Inference calldata leaf, uint256 leafIndex, bytes calldata evidence)
        external
        view
        returns (Ruling)
    {
        if (evidence.length == 0) {
            return _ruledLeaf == keccak256(abi.encode(batchId, leafIndex)) ? _ruling : Ruling.Undecided;
        }
        return _ruleAlone(leaf, abi.decode(evidence, (GameDisproof)));
    }

    // VIEWS

    /// @inheritdoc IReplayGame
    function gameOf(bytes32 caseId) external view returns (Game memory) {
        return _games[caseId];
    }

    /// @inheritdoc IReplayGame
    function compute(
        GameProgram calldata program,
        bytes calldata roots,
        uint256 step,
        uint256 place,
        ElementProof calldata proof
    ) external pure returns (uint256) {
        Step[] memory steps = Qi8StepLib.unpack(program.steps);
        _needPlayable(steps);
        require(roots.length == 32 * (steps.length + 1), RootsMismatch(keccak256(roots), 0));
        require(step < steps.length, StepInvalid(step));
        uint256 size = steps[step].outSize();
        require(place < size, ElementOutOfRange(place, size));
        return _compute(program, roots, step, place, proof);
    }

    /// @inheritdoc IReplayGame
    function modelIdOf(bytes32 networkId, GameModel calldata model) external pure returns (bytes32) {
        return _modelIdOf(networkId, model, Qi8StepLib.unpack(model.program.steps));
    }

    // INSIDE

    /// @dev Ids of the batch and of its challenge, which stands.
    function _challenged(PreImage calldata preImage) private view returns (bytes32 batchId, bytes32 caseId) {
        batchId = preImage.batch.id();
        bool stands = preImage.dispute.kind == DisputeKind.Challenge && CORE.stateOf(preImage) == State.Disputed;
        require(stands, NoChallenge(batchId));
        caseId = keccak256(abi.encode(batchId, preImage.dispute));
    }

    /// @dev The game of a challenge, whose turn it is.
    function _turn(PreImage calldata preImage, Phase phase) private view returns (bytes32 caseId, Game storage game) {
        (, caseId) = _challenged(preImage);
        game = _games[caseId];
        _needPhase(game, phase);
        require(block.timestamp <= game.due, MoveTooLate(game.due));
    }

    /// @dev The network's responseWindow, and the last second to open a game of this challenge.
    function _openUntil(PreImage calldata preImage) private view returns (uint256 window, uint256 until) {
        Rules memory rules = CORE.rulesOf(preImage.batch.networkId);
        require(rules.arbiter == address(this), NetworkForeign(preImage.batch.networkId, rules.arbiter));
        window = rules.responseWindow;
        require(rules.rulingWindow >= 5 * window, WindowsTooShort(rules.rulingWindow, 5 * window));
        until = preImage.dispute.due - 4 * window - window / 2;
    }

    /// @dev Gives the turn to the other side.
    function _next(Game storage game, Phase phase) private returns (uint40 due) {
        due = uint40(block.timestamp + game.responseWindow);
        (game.phase, game.due) = (phase, due);
    }

    /// @dev Forgets the game, and resolves the challenge.
    function _end(PreImage calldata preImage, Leaf calldata leaf, bytes32 caseId, Ruling ruling, bool silent) private {
        bytes32 batchId = preImage.batch.id();
        uint256 leafIndex = preImage.dispute.leafIndex;
        delete _games[caseId];
        emit GameEnded(caseId, batchId, leafIndex, ruling, silent);
        (_ruledLeaf, _ruling) = (keccak256(abi.encode(batchId, leafIndex)), ruling);
        CORE.resolve(preImage, leaf, "");
        (_ruledLeaf, _ruling) = (0, Ruling.Undecided);
    }

    /// @dev A leaf that is wrong by itself.
    function _ruleAlone(Inference calldata leaf, GameDisproof memory proof) private pure returns (Ruling) {
        Step[] memory steps = Qi8StepLib.unpack(proof.model.program.steps);
        bytes32 modelId = _modelIdOf(proof.networkId, proof.model, steps);
        require(modelId == leaf.modelId, ModelMismatch(modelId, leaf.modelId));
        _needPlayable(steps);
        if (leaf.traceRoot == 0) return Ruling.Rejected;
        bool short = keccak256(proof.input) == leaf.inputHash && proof.input.length != steps[0].inSize();
        return short ? Ruling.Rejected : Ruling.Undecided;
    }

    /// @dev Number of the first tensor of which two lists have different roots, or NONE.
    function _firstDifference(bytes calldata theirs, bytes calldata roots) private pure returns (uint256 tensor) {
        unchecked {
            for (; tensor < roots.length / 32; ++tensor) {
                if (_rootAt(theirs, tensor) != _rootAt(roots, tensor)) return tensor;
            }
        }
        return NONE;
    }

    /// @dev Size and root of the tensor that a game is about.
    function _inQuestion(bytes calldata packed, bytes calldata roots, uint256 tensor)
        private
        pure
        returns (uint256 size, bytes32 root)
    {
        Step[] memory steps = Qi8StepLib.unpack(packed);
        if (tensor == NONE) tensor = steps.length;
        size = tensor == 0 ? steps[0].inSize() : steps[tensor - 1].outSize();
        root = _rootAt(roots, tensor);
    }

    function _compute(
        GameProgram calldata program,
        bytes calldata roots,
        uint256 step,
        uint256 place,
        ElementProof memory proof
    ) private pure returns (uint256) {
        Step[] memory steps = Qi8StepLib.unpack(program.steps);
        uint256 kind = steps[step].kind;
        bool names = kind == SUM || kind == CONCAT || kind == RECALL;
        bytes32 source = names ? _rootAt(roots, steps[step].groups) : bytes32(0);
        return Qi8ElementLib.compute(steps, step, place, [_rootAt(roots, step), source, program.rowsRoot], proof);
    }

    function _rootAt(bytes calldata roots, uint256 tensor) private pure returns (bytes32) {
        return bytes32(roots[32 * tensor:32 * tensor + 32]);
    }

    function _modelIdOf(bytes32 networkId, GameModel memory model, Step[] memory steps) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](steps.length);
        for (uint256 i = 0; i < steps.length; ++i) {
            Step memory step = steps[i];
            bytes32 hash;
            assembly ("memory-safe") {
                hash := keccak256(step, 0x280)
            }
            hashes[i] = hash;
        }
        bytes32 contentHash = keccak256(abi.encode(SPEC_ID, hashes, model.program.rowsRoot));
        return keccak256(abi.encode(networkId, model.registrant, contentHash, SPEC_ID, model.parent));
    }

    /// @dev Reverts unless QI8-1 allows every step, and every move fits a transaction.
    function _needPlayable(Step[] memory steps) private pure {
        uint256 count = steps.length;
        uint256 largest = 0;
        for (uint256 i = 0; i < count; ++i) {
            require(steps[i].isValid() && steps.findsTensors(i), StepInvalid(i));
            uint256 size = steps[i].outSize();
            if (size > largest) largest = size;
        }
        _needFitting(40 * count + 64 * (count + 1) + 32 * Qi8OpeningLib.chunksOf(largest));
        _needFitting(steps[0].inSize());
        _needFitting(steps[count - 1].outSize());
    }

    function _needFitting(uint256 size) private pure {
        require(size <= MAX_MOVE, ModelTooLarge(size, MAX_MOVE));
    }

    function _needPhase(Game storage game, Phase needed) private view {
        require(game.phase == needed, PhaseMismatch(game.phase, needed));
    }

    function _needChallenger(Dispute calldata dispute) private view {
        require(msg.sender == dispute.party, NotChallenger(msg.sender, dispute.party));
    }

    function _needLeaf(PreImage calldata preImage, Leaf calldata leaf) private pure {
        bytes32 hash = leaf.hash(preImage.batch.modelId, preImage.batch.operator);
        require(hash == preImage.dispute.leaf, LeafNotChallenged(hash, preImage.dispute.leaf));
    }

    function _needProgram(bytes32 caseId, Game storage game, GameProgram calldata program) private view {
        require(keccak256(abi.encode(program)) == game.program, ProgramMismatch(caseId));
    }

    function _needChunk(Game storage game, bytes calldata chunk) private view {
        bytes32 hash = keccak256(chunk);
        bool right = hash == game.hash && chunk.length == Qi8OpeningLib.chunkSize(game.size, game.chunk);
        require(right, ChunkMismatch(hash, game.hash));
    }

    function _needHashes(bytes calldata hashes, bytes32 root, uint256 count) private pure {
        require(hashes.length == 32 * count, HashesMismatch(0, root));
        if (count == 0) return;
        bytes32 found = Qi8OpeningLib.rootOfHashes(hashes);
        require(found == root, HashesMismatch(found, root));
    }
}
