// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev RSASSA-PSS-VERIFY of RFC 8017, section 8.1.2, with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
/// A key is exponent (4 bytes, big-endian) || modulus (256 to 512 bytes, big-endian): each key has one encoding.
/// The modulus is odd and has its top bit set, so its length in bits is a multiple of 8, as key generators make it;
/// the exponent is odd and above 2^16, as FIPS 186-5 demands. A signature is as long as the modulus and below it.
library RsaPss {
    uint256 private constant EXPONENT_LENGTH = 4;
    uint256 private constant MIN_LENGTH = 256;
    uint256 private constant MAX_LENGTH = 512;
    uint256 private constant MIN_EXPONENT = 0x10001;
    /// @dev What follows the masked block in an encoded message: hash (32 bytes) || 0xbc.
    uint256 private constant TAIL_LENGTH = 33;
    uint256 private constant SALT_LENGTH = 32;

    /// @dev Whether `signature` is the key's over a message of this SHA-256 digest. False, never a revert, for a
    /// malformed key or signature, and on a chain without the precompiles of EIP-198 and SHA-256.
    function verify(bytes memory key, bytes32 digest, bytes memory signature) internal view returns (bool) {
        if (!isKey(key)) return false;
        uint256 length = key.length - EXPONENT_LENGTH;
        if (signature.length != length || !_isBelow(signature, key)) return false;
        (bool found, uint256 encoded) = _power(key, signature);
        return found && _encodes(encoded, length, digest);
    }

    /// @dev Whether these bytes are a key that this library takes; not whether the modulus has two large factors.
    function isKey(bytes memory key) internal pure returns (bool) {
        if (key.length < EXPONENT_LENGTH + MIN_LENGTH || key.length > EXPONENT_LENGTH + MAX_LENGTH) return false;
        uint256 exponent = uint32(bytes4(key));
        uint256 odd = exponent & uint8(key[key.length - 1]) & 1;
        return exponent >= MIN_EXPONENT && odd == 1 && uint8(key[EXPONENT_LENGTH]) >> 7 == 1;
    }

    /// @dev Whether the signature is below the key's modulus, which is as long.
    function _isBelow(bytes memory signature, bytes memory key) private pure returns (bool) {
        uint256 length = signature.length;
        uint256 last = length - 0x20;
        for (uint256 at = 0; at < length; at += 0x20) {
            // Where the length is no multiple of 32, the last word overlaps the one before it, in equal bytes.
            uint256 from = at < last ? at : last;
            uint256 ours;
            uint256 bound;
            assembly ("memory-safe") {
                ours := mload(add(add(signature, 0x20), from))
                bound := mload(add(add(key, add(0x20, EXPONENT_LENGTH)), from))
            }
            if (ours != bound) return ours < bound;
        }
        return false;
    }

    /// @dev RSAVP1: signature^exponent mod modulus, as long as the modulus. Returns where it begins in memory.
    function _power(bytes memory key, bytes memory signature) private view returns (bool found, uint256 encoded) {
        assembly ("memory-safe") {
            // EIP-198: three lengths, then base, exponent, modulus; the key has the last two side by side.
            encoded := mload(0x40)
            let length := mload(signature)
            let keyLength := mload(key)
            mstore(encoded, length)
            mstore(add(encoded, 0x20), EXPONENT_LENGTH)
            mstore(add(encoded, 0x40), length)
            mcopy(add(encoded, 0x60), add(signature, 0x20), length)
            mcopy(add(add(encoded, 0x60), length), add(key, 0x20), keyLength)
            let size := add(0x60, add(length, keyLength))
            found := staticcall(gas(), 0x05, encoded, size, encoded, length)
            // A call of an address without a precompile succeeds and returns nothing.
            found := and(found, eq(returndatasize(), length))
            mstore(0x40, add(encoded, and(add(size, 0x1f), not(0x1f))))
        }
    }

    /// @dev EMSA-PSS-VERIFY, section 9.1.2, of the `length` bytes in memory that begin at `encoded`:
    /// masked block || hash || 0xbc; the block is zeros || 0x01 || salt. Overwrites the block.
    function _encodes(uint256 encoded, uint256 length, bytes32 digest) private view returns (bool) {
        uint256 blockLength = length - TAIL_LENGTH;
        bytes32 hash;
        uint256 trailer;
        uint256 topByte;
        assembly ("memory-safe") {
            hash := mload(add(encoded, blockLength))
            trailer := byte(31, mload(add(encoded, sub(length, 0x20))))
            topByte := byte(0, mload(encoded))
        }
        // The modulus has 8 * length bits, the encoded message one less.
        if (trailer != 0xbc || topByte >> 7 != 0) return false;
        if (!_unmask(encoded, blockLength, hash)) return false;
        uint256 zeros = blockLength - SALT_LENGTH - 1;
        if (!_isPadding(encoded, zeros)) return false;
        bytes32 salt;
        assembly ("memory-safe") {
            salt := mload(add(encoded, add(zeros, 1)))
        }
        return sha256(abi.encodePacked(bytes8(0), digest, salt)) == hash;
    }

    /// @dev Xors the block with MGF1 of the seed, and clears its top bit. The last word may run up to 31 bytes into
    /// what follows the block. False if SHA-256 could not be had.
    function _unmask(uint256 encoded, uint256 blockLength, bytes32 seed) private view returns (bool found) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, seed)
            found := 1
            for { let at := 0 } lt(at, blockLength) { at := add(at, 0x20) } {
                // The counter, 4 bytes: at / 32, moved to the top of its word.
                mstore(add(input, 0x20), shl(219, at))
                found := and(found, staticcall(gas(), 0x02, input, 0x24, 0x00, 0x20))
                found := and(found, eq(returndatasize(), 0x20))
                mstore(add(encoded, at), xor(mload(add(encoded, at)), mload(0x00)))
            }
            mstore(encoded, shr(1, shl(1, mload(encoded))))
        }
    }

    /// @dev Whether `zeros` bytes of zero and then 0x01 begin at `encoded`; `zeros` is at least 31.
    function _isPadding(uint256 encoded, uint256 zeros) private pure returns (bool good) {
        assembly ("memory-safe") {
            // The word that ends at the 0x01, and all words before it, the last of which may overlap it by zeros.
            let end := add(encoded, sub(zeros, 0x1f))
            let wrong := iszero(eq(mload(end), 1))
            for { let at := encoded } lt(at, end) { at := add(at, 0x20) } { wrong := or(wrong, mload(at)) }
            good := iszero(wrong)
        }
    }
}
