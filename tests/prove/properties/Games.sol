// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITallystick} from "../../../contracts/interfaces/ITallystick.sol";
import {DisputeKind, Inference, Leaf, PreImage, Ruling, State} from "../../../contracts/interfaces/Types.sol";
import {
    ElementProof,
    Game,
    GameModel,
    GameProgram,
    IReplayGame,
    Phase
} from "../../../contracts/replay/IReplayGame.sol";
import {GameCore} from "./GameCore.sol";
import {Leaves} from "./Leaves.sol";
import {vm} from "./Vm.sol";

/// @dev A replay game as it is deployed: its clock, and how it ends. The registry is told what to answer (GameCore), so
/// that a game's whole effect is one call of resolve; whom that pays is in Rejections.sol and Reopenings.sol. The model is
/// one recall of four bytes: what other steps compute is the tests' business.
contract Games {
    uint256 private constant NONE = type(uint16).max;
    uint256 private constant GAMES = 0;
    uint32 private constant WINDOW = 3601;
    /// @dev A recall of tensor 0, of 1 x 1 x 4: kind, in, out; the source is zero.
    bytes private constant STEPS =
        hex"00080001000100040001000100040000000000000000000000000000000000000000000000000000";

    IReplayGame private game;
    GameCore private core;

    /// @dev Everything that a move depends on but what it brings.
    struct Scene {
        address sender;
        uint40 time;
        PreImage preImage;
        Leaf leaf;
        uint8 state; // of the batch
        uint32 responseWindow; // of the network
        uint32 rulingWindow;
        address arbiter;
        // Of the game.
        uint8 phase;
        uint40 due;
        uint32 window;
        uint16 tensor;
        uint32 size;
        bytes32 program;
        bytes32 hash;
        bytes32 other; // another game
    }

    function setUp() public {
        core = new GameCore();
        bytes memory code = bytes.concat(vm.getCode(".cache/prove/ReplayGame.json"), abi.encode(core));
        address account;
        assembly ("memory-safe") {
            account := create(0, add(code, 0x20), mload(code))
        }
        game = IReplayGame(account);
    }

    // WHO IS SILENT LOSES

    /// @notice claim, of a game that was opened: of a challenge that stands, after the last second of whose turn it is,
    /// rejects the batch if that is the operator, else upholds it; before that it does nothing. Any sender, scene.
    function check_game_claim(Scene memory scene) public {
        vm.assume(scene.phase != uint8(Phase.None));
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.claim(scene.preImage, scene.leaf);
        _stood(scene);
        assert(scene.time > scene.due);
        bool operators = scene.phase == uint8(Phase.Opened) || scene.phase == uint8(Phase.Chosen);
        _ended(scene, slot, operators ? Ruling.Rejected : Ruling.Upheld);
    }

    /// @notice claim, of a challenge without a game: upholds the batch where nobody may open one any more, and before
    /// that does nothing. Any sender, scene, rulingWindow; responseWindow is a number.
    function check_game_unopened(Scene memory scene) public {
        (scene.phase, scene.responseWindow) = (uint8(Phase.None), WINDOW);
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.claim(scene.preImage, scene.leaf);
        _stood(scene);
        assert(_suits(scene) && !_mayOpen(scene));
        _ended(scene, slot, Ruling.Upheld);
    }

    // MOVES

    /// @notice open: only by the challenger, of its challenge that stands, once, and until four windows and a half before
    /// that lapses; then the operator has a window. Any scene, roots, rulingWindow; responseWindow is a number.
    function check_game_open(Scene memory scene, bytes32[2] memory roots, address registrant, bytes32 rowsRoot) public {
        GameModel memory model = GameModel(registrant, 0, GameProgram(STEPS, rowsRoot));
        vm.assume(scene.preImage.batch.modelId == game.modelIdOf(scene.preImage.batch.networkId, model));
        scene.responseWindow = WINDOW;
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.open(scene.preImage, scene.leaf, model, abi.encodePacked(roots));
        _stood(scene);
        assert(scene.phase == uint8(Phase.None) && scene.sender == scene.preImage.dispute.party);
        assert(_suits(scene) && _mayOpen(scene));
        (scene.program, scene.hash) = (keccak256(abi.encode(model.program)), keccak256(abi.encodePacked(roots)));
        (scene.window, scene.tensor, scene.size) = (scene.responseWindow, 0, 0);
        _moved(scene, slot, Phase.Opened);
    }

    /// @notice answer: only in the operator's turn and time; brings what hashes to the traceRoot, and finds the first root
    /// that differs; then the challenger has a window. Any scene, any two lists of two roots; hashes of the tensor where
    /// that is the output.
    function check_game_answer(
        Scene memory scene,
        bytes32[2] memory theirs,
        bytes32[2] memory roots,
        bytes32 rowsRoot,
        bool withHashes
    ) public {
        GameProgram memory program = GameProgram(STEPS, rowsRoot);
        bytes32 slot = _enter(scene);
        bytes memory hashes = withHashes ? abi.encode(roots[1]) : bytes("");
        vm.prank(scene.sender);
        game.answer(scene.preImage, scene.leaf, program, abi.encodePacked(theirs), abi.encodePacked(roots), hashes);
        _inTurn(scene, Phase.Opened);
        assert(scene.hash == keccak256(abi.encodePacked(theirs)));
        assert(scene.leaf.traceRoot == keccak256(abi.encodePacked(roots)));
        assert(scene.program == keccak256(abi.encode(program)));
        uint256 tensor = theirs[0] != roots[0] ? 0 : theirs[1] != roots[1] ? 1 : NONE;
        assert(withHashes == (tensor == 1));
        (scene.tensor, scene.size, scene.hash) = (uint16(tensor), 4, tensor == 0 ? roots[0] : roots[1]);
        _moved(scene, slot, Phase.Answered);
    }

    /// @notice choose: only by the challenger, in its turn and time, and of a tensor that is neither the input nor the
    /// output's bytes; then the operator has a window. Any scene; tensors of one chunk.
    function check_game_choose(Scene memory scene) public {
        vm.assume(scene.size > 0 && scene.size <= 1024);
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.choose(scene.preImage, 0, new bytes[](0));
        _inTurn(scene, Phase.Answered);
        assert(scene.sender == scene.preImage.dispute.party);
        assert(scene.tensor != 0 && scene.tensor != NONE);
        _moved(scene, slot, Phase.Chosen);
    }

    /// @notice show: only in the operator's turn and time, and of the bytes that were chosen; then the challenger has a
    /// window. Any scene; a chunk of four bytes.
    function check_game_show(Scene memory scene, bytes4 chunk) public {
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.show(scene.preImage, abi.encodePacked(chunk));
        _inTurn(scene, Phase.Chosen);
        assert(scene.hash == keccak256(abi.encodePacked(chunk)) && scene.size == 4);
        _moved(scene, slot, Phase.Shown);
    }

    // WHO IS WRONG LOSES

    /// @notice proveElement: only in the challenger's turn and time; rejects the batch where what was shown differs from
    /// what the step computes, and else does nothing. Any scene, inputs, chunk of four bytes; the third.
    function check_game_element(
        Scene memory scene,
        bytes32[2] memory roots,
        bytes32 rowsRoot,
        bytes4 shown,
        bytes4 input
    ) public {
        vm.assume(scene.tensor == 1);
        ElementProof memory proof = ElementProof(new bytes[](0), new bytes[](1), new bytes[](0));
        proof.source[0] = abi.encodePacked(input);
        GameProgram memory program = GameProgram(STEPS, rowsRoot);
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.proveElement(
            scene.preImage, scene.leaf, program, abi.encodePacked(roots), abi.encodePacked(shown), 2, proof
        );
        _inTurn(scene, Phase.Shown);
        assert(scene.leaf.traceRoot == keccak256(abi.encodePacked(roots)));
        assert(scene.program == keccak256(abi.encode(program)));
        assert(scene.hash == keccak256(abi.encodePacked(shown)) && roots[0] == keccak256(abi.encodePacked(input)));
        assert(shown[2] != input[2]);
        _ended(scene, slot, Ruling.Rejected);
    }

    /// @notice proveInput: only in the challenger's turn and time, where the input's root differs; rejects the batch where
    /// that is not the root of what hashes to the inputHash. Any scene; an input of four bytes.
    function check_game_input(Scene memory scene, bytes4 input) public {
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.proveInput(scene.preImage, scene.leaf, abi.encodePacked(input));
        _inTurn(scene, Phase.Answered);
        assert(scene.tensor == 0 && scene.leaf.inputHash == keccak256(abi.encodePacked(input)));
        assert(scene.size != 4 || scene.hash != scene.leaf.inputHash);
        _ended(scene, slot, Ruling.Rejected);
    }

    /// @notice proveOutput: only in the challenger's turn and time, where no root differs; rejects the batch where what
    /// the output's root is of does not hash to the outputHash. Any scene, but a root of zero, which no output has; an
    /// output of four bytes.
    function check_game_output(Scene memory scene, bytes4 output) public {
        vm.assume(scene.hash != 0);
        bytes32 slot = _enter(scene);
        vm.prank(scene.sender);
        game.proveOutput(scene.preImage, scene.leaf, abi.encodePacked(output));
        _inTurn(scene, Phase.Answered);
        assert(scene.tensor == NONE && scene.size == 4 && scene.hash == keccak256(abi.encodePacked(output)));
        assert(scene.leaf.outputHash != scene.hash);
        _ended(scene, slot, Ruling.Rejected);
    }

    /// @notice rule without evidence, at any other time than a game's end, is Undecided: any storage, batch, inference.
    function check_game_rule(bytes32 batchId, Inference calldata inference, uint256 leafIndex) public {
        vm.setArbitraryStorage(address(game));
        assert(game.rule(batchId, inference, leafIndex, "") == Ruling.Undecided);
        _end();
    }

    // INSIDE

    /// @dev Stores the game, and what the registry says; returns the game's first slot.
    function _enter(Scene memory scene) private returns (bytes32 slot) {
        vm.assume(scene.state <= uint8(State.Rejected) && scene.phase <= uint8(Phase.Shown));
        // The registry's, of a challenge of this network.
        vm.assume(scene.preImage.dispute.due >= scene.rulingWindow && scene.sender.code.length == 0);
        vm.assume(scene.other != _caseId(scene));
        core.tell(State(scene.state), scene.responseWindow, scene.rulingWindow, scene.arbiter, address(game));
        slot = _slot(_caseId(scene));
        if (scene.phase == uint8(Phase.None)) {
            // A game that isn't open is all zero.
            (scene.due, scene.window, scene.tensor, scene.size, scene.program, scene.hash) = (0, 0, 0, 0, 0, 0);
        }
        vm.store(address(game), slot, _word(scene));
        vm.store(address(game), _at(slot, 1), scene.program);
        vm.store(address(game), _at(slot, 2), scene.hash);
        vm.warp(scene.time);
    }

    /// @dev Whether the network is the game's, and has five windows.
    function _suits(Scene memory scene) private view returns (bool) {
        return scene.arbiter == address(game) && scene.rulingWindow >= 5 * WINDOW;
    }

    /// @dev Four windows, and half of one, before the challenge lapses, or more.
    function _mayOpen(Scene memory scene) private pure returns (bool) {
        return uint256(scene.time) + 4 * WINDOW + WINDOW / 2 <= scene.preImage.dispute.due;
    }

    function _stood(Scene memory scene) private pure {
        assert(scene.state == uint8(State.Disputed) && scene.preImage.dispute.kind == DisputeKind.Challenge);
    }

    function _inTurn(Scene memory scene, Phase phase) private pure {
        _stood(scene);
        assert(scene.phase == uint8(phase) && scene.time <= scene.due);
    }

    /// @dev The game is as the scene says, in a phase, with a whole window from now on; nothing was resolved.
    function _moved(Scene memory scene, bytes32 slot, Phase phase) private {
        (scene.phase, scene.due) = (uint8(phase), uint40(uint256(scene.time) + scene.window));
        assert(vm.load(address(game), slot) == _word(scene));
        assert(vm.load(address(game), _at(slot, 1)) == scene.program);
        assert(vm.load(address(game), _at(slot, 2)) == scene.hash);
        assert(core.resolved() == 0);
        _elsewhere(scene);
    }

    /// @dev The game is forgotten; its challenge was resolved, once, by this ruling, which is about no other leaf and which
    /// nobody hears now; no coin moved.
    function _ended(Scene memory scene, bytes32 slot, Ruling ruling) private {
        assert(vm.load(address(game), slot) == 0 && vm.load(address(game), _at(slot, 1)) == 0);
        assert(vm.load(address(game), _at(slot, 2)) == 0);
        assert(core.resolved() == 1 && core.about() == keccak256(abi.encode(scene.preImage, scene.leaf)));
        assert(core.ruling() == ruling && core.elsewhere() == Ruling.Undecided);
        Inference memory inference;
        bytes32 batchId = keccak256(abi.encode(scene.preImage.batch));
        assert(game.rule(batchId, inference, scene.preImage.dispute.leafIndex, "") == Ruling.Undecided);
        _elsewhere(scene);
    }

    function _elsewhere(Scene memory scene) private {
        assert(vm.load(address(game), _slot(scene.other)) == 0);
        assert(address(game).balance == 0 && address(core).balance == 0);
        _end();
    }

    function _caseId(Scene memory scene) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(scene.preImage.batch)), scene.preImage.dispute));
    }

    function _slot(bytes32 caseId) private pure returns (bytes32) {
        return keccak256(abi.encode(caseId, GAMES));
    }

    function _at(bytes32 slot, uint256 number) private pure returns (bytes32) {
        unchecked {
            return bytes32(uint256(slot) + number);
        }
    }

    /// @dev Phase, due, window, tensor, size and chunk, zero, from the lowest byte up.
    function _word(Scene memory scene) private pure returns (bytes32) {
        return bytes32(
            uint256(scene.phase) | uint256(scene.due) << 8 | uint256(scene.window) << 48 | uint256(scene.tensor) << 80
                | uint256(scene.size) << 96
        );
    }

    function _end() internal virtual {}
}

contract GamesReached is Games {
    function _end() internal pure override {
        assert(false);
    }
}
