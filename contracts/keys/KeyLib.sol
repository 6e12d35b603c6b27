// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {RsaPss} from "./RsaPss.sol";

/// @dev Signatures by keys, of which the length says the kind:
/// 20 bytes: an address, of secp256k1 by ecrecover; signature r || s || v, low s, v 27 or 28.
/// 64 bytes: x || y, of P-256; signature r || s, low s.
/// 260 to 516 bytes: exponent (4 bytes) || modulus, of RSASSA-PSS, see RsaPss; signature as long as the modulus.
/// No account is asked and no state is read, code at an address included: what a key has signed once, it has signed for
/// ever. That is what makes a signature good for a conviction later.
library KeyLib {
    /// @notice Thrown for the zero address, a point not on the curve, an RSA key that RsaPss refuses, and bytes of
    /// another length.
    error KeyInvalid(bytes key);

    uint256 private constant ACCOUNT_LENGTH = 20;
    uint256 private constant P256_LENGTH = 64;

    /// @dev Reverts with KeyInvalid.
    function check(bytes memory key) internal pure {
        require(_isKey(key), KeyInvalid(key));
    }

    /// @dev The address that a key is, or zero where it is a key of another kind.
    function accountOf(bytes memory key) internal pure returns (address account) {
        if (key.length == ACCOUNT_LENGTH) account = address(bytes20(key));
    }

    /// @dev Whether the key signed the digest. False, never a revert, for a malformed signature or what is no key.
    function signed(bytes memory key, bytes32 digest, bytes memory signature) internal view returns (bool) {
        if (key.length == ACCOUNT_LENGTH) {
            // A signature that does not recover gives the zero address.
            // slither-disable-next-line unused-return
            (address recovered,,) = ECDSA.tryRecover(digest, signature);
            return recovered != address(0) && recovered == accountOf(key);
        }
        if (key.length == P256_LENGTH) {
            (bytes32 x, bytes32 y) = _halves(key);
            if (signature.length != P256_LENGTH) return false;
            (bytes32 r, bytes32 s) = _halves(signature);
            return P256.verify(digest, r, s, x, y);
        }
        // An ordinary RSA-PSS signer hashes its message, here the 32 bytes of the digest.
        return RsaPss.verify(key, sha256(abi.encodePacked(digest)), signature);
    }

    function _isKey(bytes memory key) private pure returns (bool) {
        if (key.length == ACCOUNT_LENGTH) return accountOf(key) != address(0);
        if (key.length == P256_LENGTH) {
            (bytes32 x, bytes32 y) = _halves(key);
            return P256.isValidPublicKey(x, y);
        }
        return RsaPss.isKey(key);
    }

    function _halves(bytes memory pair) private pure returns (bytes32 first, bytes32 second) {
        assembly ("memory-safe") {
            first := mload(add(pair, 0x20))
            second := mload(add(pair, 0x40))
        }
    }
}
