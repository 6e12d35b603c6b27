// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestor} from "../interfaces/IAttestor.sol";
import {ITallystick} from "../interfaces/ITallystick.sol";
import {Batch, BatchFacts, Dispute, Grade, Leaf, Opening, PreImage, State, Status} from "../interfaces/Types.sol";
import {LeafLib} from "../libraries/LeafLib.sol";
import {Stamp} from "../libraries/StampLib.sol";
import {TreeLib} from "../libraries/TreeLib.sol";
import {IProofVerifier} from "./IProofVerifier.sol";

/// @title An attestor of batches, spoken to as the draft of ERC-8274 has it
/// @notice An inference is shown by its place in a committed batch, and the batch by evidence that the attestor takes.
/// @dev metadata: abi.encode(Batch, Stamp, Opening); proof: the attestor's evidence for the batch. The stamp is held
/// against the registry's word, so the batch must be open or final, undisputed, and still in its slot. Of an archived
/// batch no stamp is kept: its grade tells what was accepted, and proof is unread.
/// Not asked: whether the batch's network names this attestor, or what becomes of an open batch later.
contract ProofVerifier is IProofVerifier {
    using LeafLib for Leaf;
    using TreeLib for bytes32;

    /// @notice Thrown when the attestor is no contract.
    error AttestorWithoutCode(address attestor);
    /// @notice Thrown when the registry is no contract.
    error CoreWithoutCode(address core);
    /// @notice Thrown when evidence has no such grade.
    error GradeWithoutEvidence(Grade grade);
    /// @notice Thrown when the registry holds no such batch, or holds it as rejected or disputed; also (as Unknown) when
    /// it is archived without any grade.
    error BatchNotStanding(bytes32 batchId, State state);
    /// @notice Thrown when the inference is not a leaf of the batch.
    error NotInBatch(bytes32 batchId, uint256 leafIndex);

    /// @dev What the registry says of an inference's batch.
    struct Checked {
        bytes32 batchId;
        Grade archived; // of an archived batch; else Unchallenged
        BatchFacts facts; // what an attestor is told
        bytes32 inputHash;
        bytes32 outputHash;
    }

    ITallystick public immutable CORE;
    IAttestor public immutable ATTESTOR;
    Grade public immutable GRADE;

    /// @param core the registry
    /// @param attestor an Audited, Enclave or Proven attestor
    /// @param grade the one that its evidence is for
    constructor(ITallystick core, IAttestor attestor, Grade grade) {
        require(address(core).code.length > 0, CoreWithoutCode(address(core)));
        require(address(attestor).code.length > 0, AttestorWithoutCode(address(attestor)));
        require(grade != Grade.Unchallenged, GradeWithoutEvidence(grade));
        (CORE, ATTESTOR, GRADE) = (core, attestor, grade);
    }

    /// @inheritdoc IProofVerifier
    /// @dev False for whatever is wrong, reverts of the attestor and malformed metadata included; `check` says what.
    function verify(bytes32 inputHash, bytes32 outputHash, bytes calldata metadata, bytes calldata proof)
        external
        view
        returns (bool)
    {
        // The metadata are the arguments of check, as calldata has them.
        (bool sound, bytes memory answer) = address(this).staticcall(bytes.concat(this.check.selector, metadata));
        if (!sound) return false;
        Checked memory found = abi.decode(answer, (Checked));
        if (found.inputHash != inputHash || found.outputHash != outputHash) return false;
        if (found.archived != Grade.Unchallenged) return found.archived == GRADE;
        bytes memory call = abi.encodeCall(IAttestor.attest, (found.batchId, found.facts, proof));
        (sound, answer) = address(ATTESTOR).staticcall(call);
        return sound && answer.length == 0x20 && bytes32(answer) == bytes32(uint256(1));
    }

    /// @inheritdoc IProofVerifier
    function proofSystem() external view returns (string memory) {
        if (GRADE == Grade.Audited) return "op/tallystick-audited";
        return GRADE == Grade.Enclave ? "tee/tallystick-enclave" : "zk/tallystick-proven";
    }

    /// @notice Holds metadata against the registry. Reverts with BatchNotStanding or NotInBatch.
    /// @param batch as its operator committed it
    /// @param stamp of the batch as it stands; unread where it is archived
    /// @param opening the inference and its proof
    /// @return found what verify goes by
    function check(Batch calldata batch, Stamp stamp, Opening calldata opening)
        external
        view
        returns (Checked memory found)
    {
        found.batchId = keccak256(abi.encode(batch));
        Status memory kept = CORE.archived(found.batchId);
        State state = kept.state;
        // None: all zero.
        // slither-disable-next-line uninitialized-local
        Dispute memory none;
        if (state == State.Unknown) state = CORE.stateOf(PreImage(batch, stamp, none));
        else if (kept.lapsed || kept.grade == Grade.Unchallenged) state = State.Unknown;
        require(state == State.Open || state == State.Final, BatchNotStanding(found.batchId, state));
        require(
            opening.leafIndex < batch.count && TreeLib.isDepthOf(opening.proof.length, batch.count)
                && opening.leaf.hash(batch.modelId, batch.operator).rootOf(opening.leafIndex, opening.proof)
                    == batch.root,
            NotInBatch(found.batchId, opening.leafIndex)
        );
        found.archived = kept.grade;
        found.facts = BatchFacts(batch, stamp.committedAt(), stamp.committedBlock(), stamp.closesAt());
        (found.inputHash, found.outputHash) = (opening.leaf.inputHash, opening.leaf.outputHash);
    }
}
