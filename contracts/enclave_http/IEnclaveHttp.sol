// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ISignedItems} from "../enclave/ISignedItems.sol";

/// @title Takes answers over HTTP that an enclave signed, as dstack's vLLM proxy, NEAR AI and 0G do
/// @dev Such an enclave signs a text by EIP-191 (personal_sign, secp256k1), in one of two forms:
/// plain: sha256hex(request) ":" sha256hex(response), 129 bytes,
/// named: model ":" sha256hex(request) ":" sha256hex(response),
/// where request and response are the two HTTP bodies, byte for byte (a stream as it was sent), and sha256hex is 64
/// lower-case hex digits. The contract makes the text itself, so a text in any other spelling is not signed for it.
/// A contract takes one form, NAMED, fixed at deployment: a key that signs in one form may let others choose a part of its
/// text, and would then sign what reads well in the other; and an answer that two enclaves in a row signed, each in its own
/// form, would count twice.
/// The leaf's inputHash is keccak256 of the request, its outputHash keccak256 of the response. Its model has the spec
/// keccak256("ENCLAVE-HTTP"), and as its content the model's name as the enclave signs it: contentHash = keccak256(name).
/// In the plain form no signature covers the name, but what the request says.
/// Evidence to rule, packed, so that no byte of it is without meaning:
/// signer (20) || r || s || v (65) || networkId (32) || registrant (20) || parent (32) || length of the name (1) ||
/// length of the request (4) || name || request || response. Both bodies together have at most 90,000 bytes.
/// The signer is an endorsed key, valid when the batch was committed, not revoked when it is used; s is low, v 27 or 28.
/// The text has no time: an answer may be committed as long as its key is valid.
/// An item is keccak256(inputHash || outputHash): whoever signed it, in whichever leaf it stands.
interface IEnclaveHttp is ISignedItems {
    /// @notice Thrown when the bodies shown are not the leaf's: `item` is theirs, `needed` the leaf's.
    error BodiesMismatch(bytes32 item, bytes32 needed);
    /// @notice Thrown when the leaf's model is not of the spec ENCLAVE-HTTP, or not the one that the evidence names.
    error ModelMismatch(bytes32 modelId, bytes32 needed);
    /// @notice Thrown when both bodies together have more bytes than any network lets a demand ask for.
    error BodiesTooLong(uint256 length, uint256 highest);

    /// @notice Whether the text begins with the model's name.
    function NAMED() external view returns (bool);
}
