// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IReplay, ReplayEvidence} from "./IReplay.sol";
import {Inference, Ruling} from "../interfaces/Types.sol";
import {MemoryLib} from "./MemoryLib.sol";
import {Qi8ConvolutionLib} from "./Qi8ConvolutionLib.sol";
import {Qi8DenseLib} from "./Qi8DenseLib.sol";
import {Qi8JoinLib} from "./Qi8JoinLib.sol";
import {Qi8PoolLib} from "./Qi8PoolLib.sol";
import {
    AVERAGE_POOL,
    CONCAT,
    CONVOLUTION,
    DENSE,
    LOOKUP,
    MAX_POOL,
    Qi8StepLib,
    RECALL,
    SUM,
    Step
} from "./Qi8StepLib.sol";

/// @title Replay
/// @notice Rules on a leaf by running the whole inference again.
/// @dev No storage, no owner, no deployer's say: one deployment serves every network.
contract Replay is IReplay {
    using MemoryLib for bytes;
    using Qi8StepLib for bytes;
    using Qi8StepLib for Step;
    using Qi8StepLib for Step[];

    bytes32 private constant SPEC_ID = keccak256("QI8-1");

    /// @inheritdoc IArbiter
    function rule(bytes32, Inference calldata leaf, uint256, bytes calldata evidence) external pure returns (Ruling) {
        ReplayEvidence memory opened = abi.decode(evidence, (ReplayEvidence));
        Step[] memory program = opened.steps.unpack();
        bytes32 modelId = _modelIdOf(opened, program);
        require(modelId == leaf.modelId, ModelMismatch(modelId, leaf.modelId));
        bytes32 inputHash = keccak256(opened.input);
        require(inputHash == leaf.inputHash, InputMismatch(inputHash, leaf.inputHash));

        if (opened.input.length != program[0].inSize()) return Ruling.Rejected;
        bytes32 outputHash = keccak256(_run(program, opened.rows, opened.input));
        return outputHash == leaf.outputHash ? Ruling.Upheld : Ruling.Rejected;
    }

    /// @inheritdoc IReplay
    function run(bytes calldata steps, bytes calldata rows, bytes calldata input) external pure returns (bytes memory) {
        Step[] memory program = Qi8StepLib.unpack(steps);
        uint256 needed = program[0].inSize();
        require(input.length == needed, InputLengthMismatch(input.length, needed));
        return _run(program, rows, input);
    }

    /// @inheritdoc IReplay
    function modelIdOf(ReplayEvidence calldata evidence) external pure returns (bytes32) {
        return _modelIdOf(evidence, Qi8StepLib.unpack(evidence.steps));
    }

    function _modelIdOf(ReplayEvidence memory opened, Step[] memory program) private pure returns (bytes32) {
        bytes32 contentHash = program.contentHash(opened.rows, SPEC_ID);
        return keccak256(abi.encode(opened.networkId, opened.registrant, contentHash, SPEC_ID, opened.parent));
    }

    /// @dev Applies each step to what the one before gave, and to the tensor that it names.
    function _run(Step[] memory program, bytes memory rows, bytes memory input) private pure returns (bytes memory) {
        bytes[] memory tensors = new bytes[](program.length + 1);
        tensors[0] = input;
        uint256 used = 0;
        // No step takes 2^33 bytes of rows.
        unchecked {
            for (uint256 i = 0; i < program.length; ++i) {
                Step memory step = program[i];
                require(step.isValid() && program.findsTensors(i), StepInvalid(i));
                uint256 end = used + step.rowsSize();
                require(end <= rows.length, RowsMismatch(rows.length, end));
                if (step.kind == RECALL) tensors[i + 1] = tensors[step.groups];
                else tensors[i + 1] = _apply(step, tensors, i, rows.contentOf() + used);
                used = end;
            }
        }
        require(used == rows.length, RowsMismatch(rows.length, used));
        return tensors[program.length];
    }

    function _apply(Step memory step, bytes[] memory tensors, uint256 index, uint256 rows)
        private
        pure
        returns (bytes memory result)
    {
        result = new bytes(step.outSize());
        (uint256 input, uint256 output) = (tensors[index].contentOf(), result.contentOf());
        // A max pool writes whole words.
        // slither-disable-next-line unused-return
        MemoryLib.take(0x20);
        uint256 mark = MemoryLib.mark();
        if (step.kind == DENSE) Qi8DenseLib.dense(step, input, rows, output);
        else if (step.kind == CONVOLUTION) Qi8ConvolutionLib.convolve(step, input, rows, output);
        else if (step.kind == MAX_POOL) Qi8PoolLib.maxPool(step, input, output);
        else if (step.kind == AVERAGE_POOL) Qi8PoolLib.averagePool(step, input, rows, output);
        else if (step.kind == LOOKUP) Qi8PoolLib.lookup(input, result.length, rows, output);
        else if (step.kind == SUM) Qi8JoinLib.sum(step, input, tensors[step.groups].contentOf(), rows, output);
        else if (step.kind == CONCAT) Qi8JoinLib.concat(step, input, tensors[step.groups].contentOf(), output);
        MemoryLib.giveBack(mark);
    }
}
