// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules, Terms} from "../interfaces/Types.sol";

/// @dev Between a network's rules as hashed and told, and as kept in storage.
library RulesLib {
    function toTerms(Rules calldata rules) internal pure returns (Terms memory) {
        return Terms({
            asset: rules.asset,
            challengeWindow: rules.challengeWindow,
            responseWindow: rules.responseWindow,
            rulingWindow: rules.rulingWindow,
            arbiter: rules.arbiter,
            challengeBond: rules.challengeBond,
            stakePerInference: rules.stakePerInference,
            demandBond: rules.demandBond,
            maxBytes: rules.maxBytes,
            open: rules.open,
            solicited: rules.solicited,
            attestors: rules.attestors
        });
    }

    function toRules(Terms memory terms) internal pure returns (Rules memory) {
        return Rules({
            asset: terms.asset,
            attestors: terms.attestors,
            arbiter: terms.arbiter,
            stakePerInference: terms.stakePerInference,
            challengeBond: terms.challengeBond,
            demandBond: terms.demandBond,
            maxBytes: terms.maxBytes,
            challengeWindow: terms.challengeWindow,
            responseWindow: terms.responseWindow,
            rulingWindow: terms.rulingWindow,
            open: terms.open,
            solicited: terms.solicited
        });
    }
}
