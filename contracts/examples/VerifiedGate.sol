// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITallystick} from "../interfaces/ITallystick.sol";
import {Batch, BatchRef, Grade, Leaf, Opening, State, Status} from "../interfaces/Types.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {Stamp} from "../libraries/StampLib.sol";
import {TreeLib} from "../libraries/TreeLib.sol";

/// @title VerifiedGate
/// @notice Lets something happen once for each inference whose batch is final with a wanted grade; here it keeps the
/// answer. A contract of one's own would act on the output instead.
/// @dev Without an archive the registry forgets a batch when its slot is taken over: archive it first, or act in time.
contract VerifiedGate {
    using LeafLib for Leaf;
    using TreeLib for bytes32;

    /// @notice Thrown when the batch is not final, or its grade is below the one wanted.
    error NotVerified(bytes32 batchId, State state, Grade grade);
    /// @notice Thrown when the batch is another network's.
    error OtherNetwork(bytes32 networkId, bytes32 needed);
    /// @notice Thrown when the inference is not a leaf of the batch.
    error NotInBatch(bytes32 batchId, uint256 leafIndex);
    /// @notice Thrown when the inference was used already.
    error AlreadyUsed(bytes32 leaf);

    /// @notice An inference was accepted.
    event Accepted(bytes32 indexed batchId, bytes32 indexed leaf, bytes32 outputHash);

    ITallystick public immutable CORE;
    bytes32 public immutable NETWORK;
    Grade public immutable WANTED;

    mapping(bytes32 leaf => bytes32 outputHash) public outputOf;

    constructor(ITallystick core, bytes32 networkId, Grade wanted) {
        (CORE, NETWORK, WANTED) = (core, networkId, wanted);
    }

    /// @notice Accepts an inference of a batch that is final with the wanted grade or a higher one.
    /// @param batch hashed into the batch's id, so that nothing in it can be made up
    /// @param stamp of the batch as it stands; unread when the batch is archived
    /// @param opening the inference and its proof
    function accept(Batch calldata batch, Stamp stamp, Opening calldata opening) external {
        require(batch.networkId == NETWORK, OtherNetwork(batch.networkId, NETWORK));
        bytes32 batchId = keccak256(abi.encode(batch));
        Status memory status = CORE.status(batch.networkId, batch.operator, BatchRef(batchId, stamp));
        require(
            status.state == State.Final && status.grade >= WANTED && !status.lapsed,
            NotVerified(batchId, status.state, status.grade)
        );
        bytes32 leaf = opening.leaf.hash(batch.modelId, batch.operator);
        require(
            opening.leafIndex < batch.count && TreeLib.isDepthOf(opening.proof.length, batch.count)
                && leaf.rootOf(opening.leafIndex, opening.proof) == batch.root,
            NotInBatch(batchId, opening.leafIndex)
        );
        require(outputOf[leaf] == 0, AlreadyUsed(leaf));
        outputOf[leaf] = opening.leaf.outputHash;
        emit Accepted(batchId, leaf, opening.leaf.outputHash);
    }
}
