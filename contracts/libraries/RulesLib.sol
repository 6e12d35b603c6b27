// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";

import {Grade, Rules, Terms} from "../interfaces/Types.sol";

/// @dev A network's rules, kept as the code of an account of their own: what never changes need not be storage. One
/// cold account costs 2,600 gas, and a dispute needs three words of them, at 2,100 each.
library RulesLib {
    /// @dev PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: what follows becomes the code.
    bytes10 private constant RETURN_REST = 0x6101c180600a3d393df3;
    uint256 private constant SIZE = 14 * 0x20;

    /// @dev Writes the rules, once: STOP, so that nobody can run them, then abi.encode(rules).
    function store(bytes32 networkId, Rules calldata rules) internal {
        // slither-disable-next-line unused-return
        Create3.deploy(0, networkId, abi.encodePacked(RETURN_REST, bytes1(0), abi.encode(rules)));
    }

    /// @dev The rules; all zero of a network that does not exist. The account's address follows from the id alone.
    function load(bytes32 networkId) internal view returns (Terms memory terms) {
        address account = Create3.computeAddress(networkId);
        // Terms has a field for each word of abi.encode(rules), which `store` got clean from the ABI decoder.
        assembly ("memory-safe") {
            extcodecopy(account, terms, 1, SIZE)
        }
    }

    /// @dev The rules that another contract, a registry, has stored: as `load`, and without a call of it.
    function loadFrom(address registry, bytes32 networkId) internal view returns (Terms memory terms) {
        address account = Create3.computeAddress(networkId, registry);
        assembly ("memory-safe") {
            extcodecopy(account, terms, 1, SIZE)
        }
    }

    /// @dev Seconds from committedAt to the last closesAt that a dispute may leave a batch without marking it lapsed:
    /// 17 answered demands or five slow challenges outlast it.
    function span(Terms memory terms) internal pure returns (uint256) {
        return uint256(terms.challengeWindow) + 16 * uint256(terms.responseWindow) + 4 * uint256(terms.rulingWindow);
    }

    /// @dev Seconds from committedAt to the last closesAt that any dispute may leave.
    function life(Terms memory terms) internal pure returns (uint256) {
        return span(terms) + terms.responseWindow + terms.rulingWindow;
    }

    /// @dev The attestor of a grade above Unchallenged, or zero.
    function attestor(Terms memory terms, Grade grade) internal pure returns (address) {
        if (grade == Grade.Audited) return terms.auditor;
        return grade == Grade.Enclave ? terms.enclave : terms.prover;
    }

    function toRules(Terms memory terms) internal pure returns (Rules memory) {
        return Rules({
            asset: terms.asset,
            attestors: [terms.auditor, terms.enclave, terms.prover],
            arbiter: terms.arbiter,
            stakePerInference: terms.stakePerInference,
            challengeBond: terms.challengeBond,
            demandBond: terms.demandBond,
            maxBytes: terms.maxBytes,
            challengeWindow: terms.challengeWindow,
            responseWindow: terms.responseWindow,
            rulingWindow: terms.rulingWindow,
            permissionless: terms.permissionless,
            solicited: terms.solicited
        });
    }
}
