// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbiter} from "../interfaces/IArbiter.sol";
import {IReplay, ReplayEvidence} from "../interfaces/IReplay.sol";
import {Inference, Ruling} from "../interfaces/Types.sol";
import {MemoryLib} from "../libraries/MemoryLib.sol";
import {Qi8ConvolutionLib} from "../libraries/Qi8ConvolutionLib.sol";
import {Qi8DenseLib} from "../libraries/Qi8DenseLib.sol";
import {Qi8PoolLib} from "../libraries/Qi8PoolLib.sol";
import {AVERAGE_POOL, CONVOLUTION, DENSE, MAX_POOL, Qi8StepLib, Step} from "../libraries/Qi8StepLib.sol";

/// @title Replay
/// @notice Rules on a leaf by running the whole inference again.
/// @dev No storage, no owner, no deployer's say: one deployment serves every network.
contract Replay is IReplay {
    using MemoryLib for bytes;
    using Qi8StepLib for bytes;
    using Qi8StepLib for Step;

    bytes32 private constant SPEC_ID = keccak256("QI8-1");

    /// @inheritdoc IArbiter
    function rule(bytes32, Inference calldata leaf, uint256, bytes calldata evidence)
        external
        pure
        returns (Ruling)
    {
        ReplayEvidence memory opened = abi.decode(evidence, (ReplayEvidence));
        bytes32 modelId = _modelIdOf(opened);
        require(modelId == leaf.modelId, ModelMismatch(modelId, leaf.modelId));
        bytes32 inputHash = keccak256(opened.input);
        require(inputHash == leaf.inputHash, InputMismatch(inputHash, leaf.inputHash));

        if (opened.input.length != _inputLength(opened.steps)) return Ruling.Rejected;
        bytes32 outputHash = keccak256(_run(opened.steps, opened.rows, opened.input));
        return outputHash == leaf.outputHash ? Ruling.Upheld : Ruling.Rejected;
    }

    /// @inheritdoc IReplay
    function run(bytes calldata steps, bytes calldata rows, bytes calldata input)
        external
        pure
        returns (bytes memory)
    {
        uint256 needed = _inputLength(steps);
        require(input.length == needed, InputLengthMismatch(input.length, needed));
        return _run(steps, rows, input);
    }

    /// @inheritdoc IReplay
    function modelIdOf(ReplayEvidence calldata evidence) external pure returns (bytes32) {
        return _modelIdOf(evidence);
    }

    function _modelIdOf(ReplayEvidence memory opened) private pure returns (bytes32) {
        bytes32 contentHash = opened.steps.contentHash(opened.rows, SPEC_ID);
        return keccak256(abi.encode(opened.networkId, opened.registrant, contentHash, SPEC_ID, opened.parent));
    }

    /// @dev Bytes that the model takes in.
    function _inputLength(bytes memory steps) private pure returns (uint256) {
        Step memory first;
        steps.count();
        steps.load(0, first);
        require(first.isValid(), StepInvalid(0));
        return first.inSize();
    }

    /// @dev Applies each step to what the one before gave.
    function _run(bytes memory steps, bytes memory rows, bytes memory tensor) private pure returns (bytes memory) {
        uint256 count = steps.count();
        uint256 used = 0;
        Step memory step;
        Step memory before;
        for (uint256 i = 0; i < count; ++i) {
            steps.load(i, step);
            require(step.isValid() && (i == 0 || step.follows(before)), StepInvalid(i));
            uint256 end = used + step.rowsSize();
            require(end <= rows.length, RowsMismatch(rows.length, end));
            tensor = _apply(step, tensor, rows.contentOf() + used);
            used = end;
            (step, before) = (before, step);
        }
        require(used == rows.length, RowsMismatch(rows.length, used));
        return tensor;
    }

    function _apply(Step memory step, bytes memory tensor, uint256 rows) private pure returns (bytes memory result) {
        result = new bytes(step.outSize());
        (uint256 input, uint256 output) = (tensor.contentOf(), result.contentOf());
        // A max pool writes whole words.
        MemoryLib.take(0x20);
        uint256 mark = MemoryLib.mark();
        if (step.kind == DENSE) Qi8DenseLib.dense(step, input, rows, output);
        else if (step.kind == CONVOLUTION) Qi8ConvolutionLib.convolve(step, input, rows, output);
        else if (step.kind == MAX_POOL) Qi8PoolLib.maxPool(step, input, output);
        else if (step.kind == AVERAGE_POOL) Qi8PoolLib.averagePool(step, input, rows, output);
        else Qi8PoolLib.lookup(input, tensor.length, rows, output);
        MemoryLib.giveBack(mark);
    }
}
