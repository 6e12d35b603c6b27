// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev An account that is a contract: calls what anybody tells it to, several calls in one transaction.
contract Forwarder {
    receive() external payable {}

    /// @dev Coins go with the first call. A refusal is passed on.
    function forward(address to, bytes[] calldata calls) external payable {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory answer) = to.call{value: i == 0 ? msg.value : 0}(calls[i]);
            if (success) continue;
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}
