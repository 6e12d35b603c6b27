// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC7913SignatureVerifier} from "@openzeppelin/contracts/interfaces/IERC7913.sol";

import {RsaPss} from "./RsaPss.sol";

/// @title RsaPssVerifier
/// @notice Verifies RSASSA-PSS signatures with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes, for ERC-7913.
/// @dev Key: exponent (4 bytes, big-endian, odd, above 2^16) || modulus (256 to 512 bytes, big-endian, odd, its top bit
/// set). Signature: as long as the modulus. The signed message is the 32 bytes of the hash, so that the digest inside
/// the padding is SHA-256 of the hash: what an ordinary RSA-PSS signer makes of these 32 bytes. Stateless.
contract RsaPssVerifier is IERC7913SignatureVerifier {
    bytes4 private constant REFUSED = 0xffffffff;

    /// @inheritdoc IERC7913SignatureVerifier
    function verify(bytes calldata key, bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bool good = RsaPss.verify(key, sha256(abi.encodePacked(hash)), signature);
        return good ? IERC7913SignatureVerifier.verify.selector : REFUSED;
    }
}
