// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Totals} from "../../../contracts/interfaces/Types.sol";
import {Registry} from "./Registry.sol";
import {Storage} from "./Storage.sol";
import {vm} from "./Vm.sol";

/// @dev The views answer what storage holds, by the layout from which the other properties read it.
contract Layout is Registry {
    /// @notice laneOf, wordOf and creditOf answer what storage holds; any storage, operator, slot, asset, account.
    function check_lane(address operator, uint32 slot, address asset, address account) public view {
        vm.assume(registry.ownerOf(NETWORK) != address(0));
        assert(registry.creditOf(asset, account) == Storage.credit(registry, asset, account));
        assert(registry.wordOf(NETWORK, operator, slot) == Storage.word(registry, NETWORK, operator, slot));
        bytes32 found = keccak256(abi.encode(registry.laneOf(NETWORK, operator)));
        assert(found == keccak256(abi.encode(Storage.lane(registry, NETWORK, operator))));
        _end();
    }

    /// @notice totals and sweptOf answer what storage holds; any storage.
    function check_network() public view {
        vm.assume(registry.ownerOf(NETWORK) != address(0));
        assert(registry.sweptOf(NETWORK) == Storage.swept(registry, NETWORK));
        (Totals memory a, Totals memory b) = (registry.totals(NETWORK), Storage.totals(registry, NETWORK));
        assert(a.committed == b.committed && a.unchallenged == b.unchallenged && a.audited == b.audited);
        assert(a.enclave == b.enclave && a.proven == b.proven && a.rejected == b.rejected);
        assert(a.unresolved == b.unresolved && a.burned == b.burned);
        _end();
    }

    function _end() internal pure virtual {}
}

contract LayoutReached is Layout {
    function _end() internal pure override {
        assert(false);
    }
}
