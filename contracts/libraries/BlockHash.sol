// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Hashes of the last 8,191 blocks: the last 256 from the opcode, older ones from EIP-2935's history contract.
library BlockHash {
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @dev Zero where the chain does not know the hash, or has no history contract.
    function hashOf(uint256 number) internal view returns (bytes32 hash) {
        hash = blockhash(number);
        if (hash != 0 || number >= block.number) return hash;
        (bool found, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
        if (found && answer.length == 32) hash = abi.decode(answer, (bytes32));
    }

    /// @dev Whether the chain has the history contract.
    function isKept() internal view returns (bool) {
        return HISTORY.code.length > 0;
    }
}
