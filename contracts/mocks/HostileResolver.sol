// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Misbehaves to any call, as told by the mode.
contract HostileResolver {
    enum Mode {
        Revert,
        EatGas,
        Empty,
        TwoWords,
        OutOfRange,
        Reenter
    }

    error Hostile();

    Mode private immutable MODE;
    address private immutable TARGET;
    bytes private _call;

    /// @param target and call_ what Reenter calls back
    constructor(Mode mode, address target, bytes memory call_) {
        MODE = mode;
        TARGET = target;
        _call = call_;
    }

    fallback() external {
        if (MODE == Mode.Revert) revert Hostile();
        if (MODE == Mode.EatGas) {
            while (true) {}
        }
        if (MODE == Mode.Empty) return;
        if (MODE == Mode.Reenter) {
            (bool success, bytes memory answer) = TARGET.call(_call);
            if (!success) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
        }
        uint256 size = MODE == Mode.TwoWords ? 0x40 : 0x20;
        uint256 word = MODE == Mode.OutOfRange ? 3 : 1;
        assembly ("memory-safe") {
            mstore(0x00, word)
            mstore(0x20, word)
            return(0x00, size)
        }
    }
}
