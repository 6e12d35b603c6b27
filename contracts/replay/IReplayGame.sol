// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {ITallystick} from "../interfaces/ITallystick.sol";
import {Leaf, PreImage, Ruling} from "../interfaces/Types.sol";

/// @dev A program, and the root of the tree of all its rows.
struct GameProgram {
    bytes steps; // 40 bytes a step: its 20 fields, 2 bytes each, big-endian
    bytes32 rowsRoot;
}

/// @dev What opens a QI8-1T model; its network is the batch's.
/// modelId = keccak256(abi.encode(networkId, registrant, contentHash, keccak256("QI8-1T"), parent)).
struct GameModel {
    address registrant; // sender of the model's registration
    bytes32 parent; // the model it is a new version of, or zero
    GameProgram program;
}

/// @dev Pre-images of nodes and chunks, each list in the order in which an element's computation first needs them.
struct ElementProof {
    bytes[] tensor; // of the tensor before the step
    bytes[] source; // of the tensor that the step names
    bytes[] rows;
}

/// @dev Evidence by which a leaf is wrong without a game.
struct GameDisproof {
    bytes32 networkId; // the model's network
    GameModel model;
    bytes input; // the canonical input bytes; unread where the leaf's traceRoot is zero
}

enum Phase {
    None, // not opened, or over
    Opened, // the operator has to answer
    Answered, // the challenger has to choose, or to prove the input's or the output's
    Chosen, // the operator has to show
    Shown // the challenger has to prove
}

/// @dev A game; four storage words, the last three hashes.
struct Game {
    Phase phase;
    uint40 due; // Unix seconds; the last second of whose move it is
    uint32 responseWindow; // of the network, seconds
    uint16 tensor; // the first whose root differs; 65,535 where none does
    uint32 size; // bytes of it
    uint32 chunk; // of it; the one chosen
    bytes32 program; // keccak256(abi.encode(GameProgram))
    bytes32 hash; // of the challenger's roots; then the tensor's root; then the chosen chunk's hash
}

/// @title Settles one leaf of a model of any size by one element of one step
/// @notice A challenger and an operator take turns, four at most, each within the network's responseWindow; who is
/// silent loses. The last move computes one output element again.
/// @dev Rules on leaves of models whose specHash is keccak256("QI8-1T"): QI8-1, but the rows' hash is the root of their
/// tree, and a leaf with another traceRoot than its inference's is wrong. Trees have chunks of 1,024 bytes and 8
/// hashes to a node. Tensor 0 is the input, tensor i + 1 what step i makes.
/// Every move takes the disputed batch's pre-image, whose challenge must stand in the registry. A game ends by
/// resolving that challenge in the same transaction; at no other time does rule know of it. Networks whose rulingWindow
/// is less than five responseWindows, or whose arbiter is another, are refused.
interface IReplayGame is IArbiter {
    /// @notice Emitted by open. `roots` are the challenger's, 32 bytes a tensor.
    event GameOpened(
        bytes32 indexed caseId, bytes32 indexed batchId, uint256 leafIndex, address challenger, uint40 due, bytes roots
    );
    /// @notice Emitted by answer. `roots` are the leaf's, `hashes` of the chunks of the tensor.
    event GameAnswered(bytes32 indexed caseId, uint256 tensor, uint40 due, bytes roots, bytes hashes);
    /// @notice Emitted by choose.
    event ChunkChosen(bytes32 indexed caseId, uint256 chunk, uint40 due);
    /// @notice Emitted by show.
    event ChunkShown(bytes32 indexed caseId, uint40 due, bytes chunk);
    /// @notice Emitted when a game is over; `silent`: a clock ran out.
    event GameEnded(bytes32 indexed caseId, bytes32 indexed batchId, uint256 leafIndex, Ruling ruling, bool silent);

    /// @notice Thrown when the registry has no code.
    error CoreWithoutCode(address core);
    /// @notice Thrown when the registry knows no such challenge, or no more.
    error NoChallenge(bytes32 batchId);
    /// @notice Thrown when the network's arbiter is not this contract.
    error NetworkForeign(bytes32 networkId, address arbiter);
    /// @notice Thrown when a network leaves no time for four moves.
    error WindowsTooShort(uint256 rulingWindow, uint256 needed);
    /// @notice Thrown when a move is the challenger's alone, and somebody else makes it.
    error NotChallenger(address sender, address challenger);
    /// @notice Thrown when the leaf is not the challenged one.
    error LeafNotChallenged(bytes32 leaf, bytes32 challenged);
    /// @notice Thrown when the id of the opened model is not the batch's.
    error ModelMismatch(bytes32 modelId, bytes32 needed);
    /// @notice Thrown when the program is not the one that the game was opened with.
    error ProgramMismatch(bytes32 caseId);
    /// @notice Thrown when QI8-1 does not allow a step, or not on the tensors before it.
    error StepInvalid(uint256 index);
    /// @notice Thrown when a move of the model's may not fit a transaction.
    error ModelTooLarge(uint256 size, uint256 limit);
    /// @notice Thrown when it is another phase's turn.
    error PhaseMismatch(Phase phase, Phase needed);
    /// @notice Thrown when a move comes after its last second.
    error MoveTooLate(uint256 due);
    /// @notice Thrown when a clock has not run out.
    error ClaimTooEarly(uint256 due);
    /// @notice Thrown when roots are not one a tensor, or not those that were committed to.
    error RootsMismatch(bytes32 hash, bytes32 needed);
    /// @notice Thrown when hashes are not those of the tensor's chunks.
    error HashesMismatch(bytes32 root, bytes32 needed);
    /// @notice Thrown when a tensor has no such chunk.
    error ChunkOutOfRange(uint256 chunk, uint256 count);
    /// @notice Thrown when an element lies outside of the chunk, or of the tensor.
    error ElementOutOfRange(uint256 place, uint256 count);
    /// @notice Thrown when bytes are not the chosen chunk's.
    error ChunkMismatch(bytes32 hash, bytes32 needed);
    /// @notice Thrown when the move is for another tensor than the one in question.
    error TensorMismatch(uint256 tensor);
    /// @notice Thrown when bytes don't hash to the leaf's inputHash, or don't give the output tensor's root.
    error HashMismatch(bytes32 hash, bytes32 needed);
    /// @notice Thrown when an opening ends too early.
    error NodeMissing(uint256 level, uint256 index);
    /// @notice Thrown when a pre-image has another length or hash than it must have.
    error NodeMismatch(uint256 level, uint256 index);
    /// @notice Thrown when an opening has more pre-images than are needed.
    error NodesLeft(uint256 count, uint256 used);
    /// @notice Thrown when what was to be proved wrong is right.
    error NotWrong(bytes32 caseId);

    /// @notice Opens the game of a challenge. By the challenger, until rulingWindow - 4.5 responseWindow after it.
    /// @dev Emits GameOpened. Reverts with NoChallenge, NetworkForeign, WindowsTooShort, NotChallenger, LeafMismatch,
    /// ModelMismatch, StepsMalformed, StepInvalid, ModelTooLarge, RootsMismatch, PhaseMismatch, MoveTooLate.
    /// @param preImage of the challenged batch as it stands
    /// @param leaf the challenged leaf
    /// @param model what opens the batch's model
    /// @param roots of each tensor of the challenger's own trace, 32 bytes each, the input's first
    function open(PreImage calldata preImage, Leaf calldata leaf, GameModel calldata model, bytes calldata roots)
        external;

    /// @notice Brings the roots that the leaf commits to, and the hashes of all chunks of the first tensor whose root
    /// is not the challenger's. By anyone, in the operator's name.
    /// @dev Emits GameAnswered. Reverts with NoChallenge, PhaseMismatch, MoveTooLate, LeafMismatch, ProgramMismatch,
    /// RootsMismatch, HashesMismatch.
    /// @param preImage of the challenged batch as it stands
    /// @param leaf the challenged leaf
    /// @param program as the game was opened
    /// @param theirs the challenger's roots, as the game was opened
    /// @param roots pre-image of the leaf's traceRoot: 32 bytes a tensor
    /// @param hashes of the tensor's chunks, 32 bytes each; empty where that is the input, or where no root differs
    function answer(
        PreImage calldata preImage,
        Leaf calldata leaf,
        GameProgram calldata program,
        bytes calldata theirs,
        bytes calldata roots,
        bytes calldata hashes
    ) external;

    /// @notice Chooses a chunk of the tensor. By the challenger.
    /// @dev Emits ChunkChosen. Reverts with NoChallenge, PhaseMismatch, MoveTooLate, NotChallenger, TensorMismatch,
    /// ChunkOutOfRange, NodeMissing, NodeMismatch, NodesLeft.
    /// @param preImage of the challenged batch as it stands
    /// @param chunk its index
    /// @param nodes pre-images from the tensor's root down to the node that has the chunk's hash
    function choose(PreImage calldata preImage, uint256 chunk, bytes[] calldata nodes) external;

    /// @notice Shows the bytes of the chosen chunk. By anyone, in the operator's name.
    /// @dev Emits ChunkShown. Reverts with NoChallenge, PhaseMismatch, MoveTooLate, ChunkMismatch.
    /// @param preImage of the challenged batch as it stands
    /// @param chunk its bytes
    function show(PreImage calldata preImage, bytes calldata chunk) external;

    /// @notice Computes an element of the chunk again; one that is not as shown ends the game. By anyone.
    /// @dev Emits GameEnded, and as the registry's resolve. Reverts with NoChallenge, PhaseMismatch, MoveTooLate,
    /// LeafMismatch, ProgramMismatch, RootsMismatch, ChunkMismatch, ElementOutOfRange, NodeMissing, NodeMismatch,
    /// NodesLeft, ScaleInvalid, NotWrong, or as the registry does.
    /// @param preImage of the challenged batch as it stands
    /// @param leaf the challenged leaf
    /// @param program as the game was opened
    /// @param roots as answered
    /// @param chunk as shown
    /// @param offset of the element in the chunk
    /// @param proof the inputs that the element depends on, and its row
    function proveElement(
        PreImage calldata preImage,
        Leaf calldata leaf,
        GameProgram calldata program,
        bytes calldata roots,
        bytes calldata chunk,
        uint256 offset,
        ElementProof calldata proof
    ) external;

    /// @notice Ends a game in which the input's root differs: it is not that of the input. By anyone.
    /// @dev As proveElement; reverts with TensorMismatch and BytesMismatch too.
    /// @param preImage of the challenged batch as it stands
    /// @param leaf the challenged leaf
    /// @param input the canonical input bytes
    function proveInput(PreImage calldata preImage, Leaf calldata leaf, bytes calldata input) external;

    /// @notice Ends a game in which no root differs: the output's root is not that of the leaf's output. By anyone.
    /// @dev As proveElement; reverts with TensorMismatch and BytesMismatch too.
    /// @param preImage of the challenged batch as it stands
    /// @param leaf the challenged leaf
    /// @param output bytes of the last tensor
    function proveOutput(PreImage calldata preImage, Leaf calldata leaf, bytes calldata output) external;

    /// @notice Ends a game whose clock ran out: Rejected if it was the operator's, Upheld if the challenger's, who may
    /// also not have opened any. By anyone.
    /// @dev Emits GameEnded, and as the registry's resolve. Reverts with NoChallenge, NetworkForeign, WindowsTooShort,
    /// ClaimTooEarly, or as the registry does.
    /// @param preImage of the challenged batch as it stands
    /// @param leaf the challenged leaf
    function claim(PreImage calldata preImage, Leaf calldata leaf) external;

    /// @notice The registry whose challenges are played for.
    function CORE() external view returns (ITallystick);

    /// @notice A game by its case; all zero before it was opened and once it is over.
    /// @param caseId keccak256(abi.encode(batchId, dispute))
    function gameOf(bytes32 caseId) external view returns (Game memory);

    /// @notice Computes an element. For calls from outside of the chain: what would proveElement find, at which cost?
    /// @dev Reverts as proveElement does of its openings and steps.
    /// @param program any that QI8-1 allows
    /// @param roots one a tensor, 32 bytes each; those that the step reads are needed
    /// @param step its index
    /// @param place of the element in the step's output
    /// @param proof the inputs that the element depends on, and its row
    function compute(
        GameProgram calldata program,
        bytes calldata roots,
        uint256 step,
        uint256 place,
        ElementProof calldata proof
    ) external pure returns (uint256 value);

    /// @notice The id of a model in a network. Reverts with StepsMalformed.
    /// @param networkId the model's network
    /// @param model see GameModel
    function modelIdOf(bytes32 networkId, GameModel calldata model) external pure returns (bytes32 modelId);
}
