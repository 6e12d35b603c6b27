// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITallystick} from "../interfaces/ITallystick.sol";
import {Totals} from "../interfaces/Types.sol";

/// @title VerifiedMilestone
/// @notice Reached once a network has a wanted number of verified inferences; a contract of one's own would pay a
/// grant then. It shows how to read totals so that a network that does not exist is never taken for one with nothing
/// verified.
/// @dev The registry reverts with `NetworkNotFound` for an unknown network: call it by its interface, let the revert
/// pass, and never answer it with zeros (`try ... catch { return 0; }`, or a low-level call whose success is not
/// looked at). By the interface, an address without code reverts too; a low-level call to it succeeds with nothing.
/// Verified counters only grow, and only at finality: what was reached stays reached. Totals of different networks
/// don't add up, since one work may be committed in several; and what verified is worth depends on who gives the
/// network's grades.
contract VerifiedMilestone {
    /// @notice Thrown when so many verified inferences are not there yet.
    error NotYet(bytes32 networkId, uint256 verified, uint256 wanted);
    /// @notice Thrown when it was reached already.
    error ReachedAlready();

    /// @notice The network had the wanted number of verified inferences.
    event Reached(bytes32 indexed networkId, uint256 verified);

    ITallystick public immutable CORE;
    bytes32 public immutable NETWORK;
    uint256 public immutable WANTED;

    bool public reached;

    /// @notice Fixes the network; a network that the registry does not know reverts here, and not months later.
    /// @param core the registry
    /// @param networkId the network whose totals count
    /// @param wanted verified inferences
    constructor(ITallystick core, bytes32 networkId, uint256 wanted) {
        (CORE, NETWORK, WANTED) = (core, networkId, wanted);
        core.totals(networkId);
    }

    /// @notice Notes that the milestone is reached, once.
    function reach() external {
        require(!reached, ReachedAlready());
        uint256 found = verified();
        require(found >= WANTED, NotYet(NETWORK, found, WANTED));
        reached = true;
        emit Reached(NETWORK, found);
    }

    /// @notice Inferences of the network that are final with positive evidence of any kind.
    /// @return number of inferences; zero says that there are none, never that there is no network
    function verified() public view returns (uint256 number) {
        Totals memory totals = CORE.totals(NETWORK);
        return totals.audited + totals.enclave + totals.proven;
    }
}
