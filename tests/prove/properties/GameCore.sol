// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbiter} from "../../../contracts/interfaces/IArbiter.sol";
import {Inference, Leaf, PreImage, Rules, Ruling, State} from "../../../contracts/interfaces/Types.sol";

/// @dev In the registry's place beside a replay game: answers what it is told, and while it resolves asks the game as the
/// registry does, once about the challenged leaf and once about another.
contract GameCore {
    State private _state;
    uint32 private _responseWindow;
    uint32 private _rulingWindow;
    address private _arbiter;
    address private _game;

    uint256 public resolved; // times
    bytes32 public about; // keccak256 of the pre-image and leaf that were brought
    Ruling public ruling;
    Ruling public elsewhere;

    function tell(State state, uint32 responseWindow, uint32 rulingWindow, address arbiter, address game) external {
        (_state, _responseWindow, _rulingWindow, _arbiter, _game) = (state, responseWindow, rulingWindow, arbiter, game);
    }

    function stateOf(PreImage calldata) external view returns (State) {
        return _state;
    }

    function rulesOf(bytes32) external view returns (Rules memory rules) {
        (rules.responseWindow, rules.rulingWindow, rules.arbiter) = (_responseWindow, _rulingWindow, _arbiter);
    }

    function resolve(PreImage calldata preImage, Leaf calldata leaf, bytes calldata evidence) external {
        ++resolved;
        about = keccak256(abi.encode(preImage, leaf));
        bytes32 batchId = keccak256(abi.encode(preImage.batch));
        Inference memory inference;
        uint256 index = preImage.dispute.leafIndex;
        ruling = IArbiter(_game).rule(batchId, inference, index, evidence);
        elsewhere = IArbiter(_game).rule(batchId, inference, index + 1, evidence);
    }
}
