// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Stamp} from "../libraries/StampLib.sol";
import {Cause, Grade, Leaf, Outcome, Rules} from "./Types.sol";

/// @title Events of the registry
/// @notice Totals, every pre-image and every credit can be rebuilt from these alone. Amounts in units of the network's
/// asset, times in Unix seconds.
interface ITallystickEvents {
    /// @notice A network exists, with these rules for good.
    /// @param parent the network it succeeds, by its owner's word; or zero
    event NetworkRegistered(
        bytes32 indexed networkId,
        address indexed owner,
        bytes32 indexed parent,
        bytes32 salt,
        Rules rules,
        string name,
        string uri
    );
    /// @notice The owner admitted the operator, or opened a closed lane again.
    event OperatorAdmitted(bytes32 indexed networkId, address indexed operator);
    /// @notice The owner closed the lane to new commits.
    event OperatorClosed(bytes32 indexed networkId, address indexed operator);
    /// @notice A model exists in the network.
    /// @param parent the model it is a new version of, or zero
    event ModelRegistered(
        bytes32 indexed networkId,
        address indexed registrant,
        bytes32 indexed modelId,
        bytes32 contentHash,
        bytes32 specHash,
        bytes32 parent,
        string name,
        string uri
    );

    /// @notice The account's credit grew by what the registry received.
    event Deposited(address indexed asset, address indexed account, uint256 amount);
    /// @notice The account's credit shrank and the registry paid `to`.
    event Withdrawn(address indexed asset, address indexed account, address indexed to, uint256 amount);
    /// @notice The key may commit for the operator from now on, and the one before it no longer; zero: no key may.
    event KeySet(address indexed operator, address indexed key);
    /// @notice Credit of the operator became stake of its lane.
    event Staked(bytes32 indexed networkId, address indexed operator, uint256 amount);
    /// @notice Stake of the lane became credit of the operator.
    event Unstaked(bytes32 indexed networkId, address indexed operator, uint256 amount);
    /// @notice What the network had burned left the registry for 0x...dEaD.
    event Swept(bytes32 indexed networkId, address indexed asset, uint256 amount);

    /// @notice A batch is open: committed grew by the stamp's count. A batch whose slot it took is final: the
    /// outcome's counter grew by `finalizedCount`.
    /// @param stamp slot, count, committedAt, committedBlock and closesAt
    /// @param finalizedId the batch that became final in the same call, or zero
    event BatchCommitted(
        bytes32 indexed networkId,
        address indexed operator,
        bytes32 indexed batchId,
        bytes32 modelId,
        bytes32 root,
        uint256 index,
        uint256 commitDeadline,
        Stamp stamp,
        bytes32 finalizedId,
        Outcome outcome,
        uint256 finalizedCount
    );
    /// @notice The evidence that raised the batch's grade, in its attestor's encoding.
    /// @dev Of its own topic, so that whoever counts need not fetch it.
    event EvidenceAccepted(bytes32 indexed batchId, Grade grade, bytes evidence);
    /// @notice Evidence raised the batch's grade.
    event BatchAttested(bytes32 indexed networkId, address indexed operator, bytes32 indexed batchId, Grade grade);
    /// @notice A leaf is challenged; challengeBond left the challenger's credit.
    event BatchChallenged(
        bytes32 indexed networkId,
        address indexed operator,
        bytes32 indexed batchId,
        address challenger,
        uint256 leafIndex,
        bytes32 leaf,
        uint256 due
    );
    /// @notice A leaf is demanded; demandBond left the demander's credit.
    event BatchDemanded(
        bytes32 indexed networkId,
        address indexed operator,
        bytes32 indexed batchId,
        address demander,
        uint256 leafIndex,
        bool withBytes,
        uint256 due
    );
    /// @notice The demand is answered; the batch is open again, and the bond is the operator's credit.
    /// @dev A batch that a dispute reopens with closesAt more than challengeWindow + 16 responseWindow + 4 rulingWindow
    /// after committedAt has outlasted its life: it will count as unresolved. So too after ChallengeUpheld.
    event LeafRevealed(
        bytes32 indexed networkId,
        address indexed operator,
        bytes32 indexed batchId,
        uint256 leafIndex,
        Leaf leaf,
        uint256 closesAt,
        uint256 bond,
        bytes32[] proof
    );
    /// @notice The demand that asked for bytes is answered with these: keccak256 of each is the leaf's hash.
    /// @dev Of its own topic, so that whoever counts need not fetch bytes.
    event BytesRevealed(bytes32 indexed batchId, uint256 leafIndex, bytes input, bytes output);
    /// @notice The arbiter ruled for the operator; the batch is open again.
    /// @param credited to the operator, of the challenger's bond
    /// @param burned the rest of the bond
    event ChallengeUpheld(
        bytes32 indexed networkId,
        address indexed operator,
        bytes32 indexed batchId,
        uint256 closesAt,
        uint256 credited,
        uint256 burned
    );
    /// @notice The arbiter did not rule in time; the batch is open again and will count as unresolved.
    /// @param returned to the challenger, of its bond
    /// @param burned the rest of the bond
    event ChallengeLapsed(
        bytes32 indexed networkId,
        address indexed operator,
        bytes32 indexed batchId,
        uint256 closesAt,
        address challenger,
        uint256 returned,
        uint256 burned
    );
    /// @notice The batch is rejected and archived: rejected grew by `count`, the lane's stake shrank by reward + burned.
    /// @param payee challenger, demander or prover, whose credit grew by `reward`
    /// @param bondOwner whose credit grew by `bond`, of a dispute that this ended; zero where the batch was undisputed
    event BatchRejected(
        bytes32 indexed networkId,
        address indexed operator,
        bytes32 indexed batchId,
        Cause cause,
        uint256 leafIndex,
        uint256 count,
        address payee,
        uint256 reward,
        uint256 burned,
        address bondOwner,
        uint256 bond
    );
    /// @notice The batch is final: the outcome's counter grew by `count`.
    event BatchFinalized(
        bytes32 indexed networkId, address indexed operator, bytes32 indexed batchId, Outcome outcome, uint256 count
    );
    /// @notice A final batch is archived: its outcome can be read for good.
    event BatchArchived(bytes32 indexed networkId, address indexed operator, bytes32 indexed batchId);
}
