// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IKeyring} from "./IKeyring.sol";
import {KeyLib} from "./KeyLib.sol";

/// @title Keyring
/// @notice Up to 16 keys, fixed at deployment, and a threshold.
/// @dev Keys that are addresses are immutables, in the code, so that a further signature costs its own check and
/// calldata only; others are in storage, which is written by the constructor alone.
abstract contract Keyring is IKeyring {
    uint256 private constant MAX_KEYS = 16;

    uint256 internal immutable THRESHOLD;
    uint256 internal immutable KEYS;
    // By place: the address that a key is, or zero for a key of another kind.
    address private immutable ACCOUNT_0;
    address private immutable ACCOUNT_1;
    address private immutable ACCOUNT_2;
    address private immutable ACCOUNT_3;
    address private immutable ACCOUNT_4;
    address private immutable ACCOUNT_5;
    address private immutable ACCOUNT_6;
    address private immutable ACCOUNT_7;
    address private immutable ACCOUNT_8;
    address private immutable ACCOUNT_9;
    address private immutable ACCOUNT_10;
    address private immutable ACCOUNT_11;
    address private immutable ACCOUNT_12;
    address private immutable ACCOUNT_13;
    address private immutable ACCOUNT_14;
    address private immutable ACCOUNT_15;

    mapping(uint256 place => bytes key) private _keys;

    /// @param keys 1 to 16, all different; a key's place is its index here
    /// @param threshold how many have to sign, 1 to the number of keys
    constructor(bytes[] memory keys, uint256 threshold) {
        require(
            keys.length <= MAX_KEYS && threshold > 0 && threshold <= keys.length, KeysOutOfRange(keys.length, threshold)
        );
        // Memory arrays begin as zeros: no address.
        // slither-disable-next-line uninitialized-local
        address[MAX_KEYS] memory accounts;
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes memory key = keys[i];
            KeyLib.check(key);
            for (uint256 j = 0; j < i; ++j) {
                require(keccak256(keys[j]) != keccak256(key), KeyRepeated(key));
            }
            accounts[i] = KeyLib.accountOf(key);
            _keys[i] = key;
        }
        THRESHOLD = threshold;
        KEYS = keys.length;
        ACCOUNT_0 = accounts[0];
        ACCOUNT_1 = accounts[1];
        ACCOUNT_2 = accounts[2];
        ACCOUNT_3 = accounts[3];
        ACCOUNT_4 = accounts[4];
        ACCOUNT_5 = accounts[5];
        ACCOUNT_6 = accounts[6];
        ACCOUNT_7 = accounts[7];
        ACCOUNT_8 = accounts[8];
        ACCOUNT_9 = accounts[9];
        ACCOUNT_10 = accounts[10];
        ACCOUNT_11 = accounts[11];
        ACCOUNT_12 = accounts[12];
        ACCOUNT_13 = accounts[13];
        ACCOUNT_14 = accounts[14];
        ACCOUNT_15 = accounts[15];
    }

    /// @dev The key at a place, or no bytes beyond the last.
    function _keyAt(uint256 place) internal view returns (bytes memory) {
        return _keys[place];
    }

    /// @dev Reverts unless every signature is its key's and they are as many as the threshold. Returns a bit for each
    /// key that signed.
    function _checkEnough(bytes32 digest, bytes calldata signatures) internal view returns (uint256 signers) {
        uint256 signed;
        (signers, signed) = _signersOf(digest, signatures);
        require(signed >= THRESHOLD, TooFewSigners(signed, THRESHOLD));
    }

    /// @dev Reverts unless every signature is its key's. Returns a bit for each key that signed, and how many they are.
    function _signersOf(bytes32 digest, bytes calldata signatures)
        internal
        view
        returns (uint256 signers, uint256 signed)
    {
        uint256 at_ = 0;
        while (at_ < signatures.length) {
            uint256 place;
            uint256 end;
            // Its offset and its length are written, not one thing twice.
            // slither-disable-next-line write-after-write
            bytes calldata signature;
            // No overflow: an end is at most 2^16 + 2 beyond the calldata. What is read beyond it is refused below.
            assembly ("memory-safe") {
                let start := add(signatures.offset, at_)
                let head := shr(232, calldataload(start))
                place := shr(16, head)
                signature.offset := add(start, 3)
                signature.length := and(head, 0xffff)
                end := add(add(at_, 3), signature.length)
            }
            require(end <= signatures.length, SignaturesCutShort(signatures.length, end));
            require(place < KEYS && signers >> place == 0, SignersOutOfOrder(place));
            require(_signed(place, digest, signature), SignatureInvalid(place));
            signers |= 1 << place;
            ++signed;
            at_ = end;
        }
    }

    function _signed(uint256 place, bytes32 digest, bytes calldata signature) private view returns (bool) {
        address account = _accountAt(place);
        if (account == address(0)) return KeyLib.signed(_keys[place], digest, signature);
        // One that does not recover gives the zero address, which is no account here.
        // slither-disable-next-line unused-return
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return recovered == account;
    }

    // A list of immutables cannot be indexed.
    // solhint-disable-next-line code-complexity
    function _accountAt(uint256 place) private view returns (address) {
        if (place < 8) {
            if (place == 0) return ACCOUNT_0;
            if (place == 1) return ACCOUNT_1;
            if (place == 2) return ACCOUNT_2;
            if (place == 3) return ACCOUNT_3;
            if (place == 4) return ACCOUNT_4;
            if (place == 5) return ACCOUNT_5;
            if (place == 6) return ACCOUNT_6;
            return ACCOUNT_7;
        }
        if (place == 8) return ACCOUNT_8;
        if (place == 9) return ACCOUNT_9;
        if (place == 10) return ACCOUNT_10;
        if (place == 11) return ACCOUNT_11;
        if (place == 12) return ACCOUNT_12;
        if (place == 13) return ACCOUNT_13;
        if (place == 14) return ACCOUNT_14;
        return ACCOUNT_15;
    }
}
