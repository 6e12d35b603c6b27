// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITallystick} from "../../../contracts/interfaces/ITallystick.sol";
import {Lane, Totals} from "../../../contracts/interfaces/Types.sol";
import {vm} from "./Vm.sol";

/// @dev The registry's storage, read without a jump: views that jump would double the paths. Layout.sol proves that the
/// views answer the same.
library Storage {
    uint256 private constant NETWORKS = 2;
    uint256 private constant CREDITS = 4;

    function lane(ITallystick registry, bytes32 networkId, address operator) internal view returns (Lane memory) {
        uint256 word = uint256(vm.load(address(registry), bytes32(_lane(networkId, operator))));
        return Lane({
            stake: uint128(word),
            openInferences: uint48(word >> 128),
            nextIndex: uint48(word >> 176),
            admitted: (word >> 224) & 0xff != 0,
            closed: (word >> 232) & 0xff != 0
        });
    }

    function totals(ITallystick registry, bytes32 networkId) internal view returns (Totals memory) {
        uint256 slot = _network(networkId);
        uint256 mask = (1 << 51) - 1;
        unchecked {
            uint256 counts = uint256(vm.load(address(registry), bytes32(slot)));
            uint256 losses = uint256(vm.load(address(registry), bytes32(slot + 1)));
            return Totals({
                committed: counts & mask,
                unchallenged: counts >> 51 & mask,
                audited: counts >> 102 & mask,
                enclave: counts >> 153 & mask,
                proven: counts >> 204 & mask,
                rejected: losses & mask,
                unresolved: losses >> 51 & mask,
                burned: losses >> 102
            });
        }
    }

    function swept(ITallystick registry, bytes32 networkId) internal view returns (uint256) {
        unchecked {
            return uint256(vm.load(address(registry), bytes32(_network(networkId) + 3)));
        }
    }

    function word(ITallystick registry, bytes32 networkId, address operator, uint32 slot)
        internal
        view
        returns (bytes32)
    {
        unchecked {
            return vm.load(address(registry), bytes32(_lane(networkId, operator) + 1 + slot));
        }
    }

    function credit(ITallystick registry, address asset, address account) internal view returns (uint256) {
        bytes32 slot = keccak256(abi.encode(account, keccak256(abi.encode(asset, CREDITS))));
        return uint256(vm.load(address(registry), slot));
    }

    function _network(bytes32 networkId) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(networkId, NETWORKS)));
    }

    function _lane(bytes32 networkId, address operator) private pure returns (uint256) {
        unchecked {
            return uint256(keccak256(abi.encode(operator, _network(networkId) + 5)));
        }
    }
}
