// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Entry, IPool, PoolMember, Standing} from "./IPool.sol";

/// @dev Places that are drawn from an epoch's list.
struct Panel {
    bytes32 digest; // what its keys sign
    bytes32 seed;
    bytes32 id; // batchId, or caseId
    uint256 size; // places
    uint256 epoch; // of the list
    uint256 seats; // of the list
    uint256 entries; // of the list
}

/// @dev Who signed, and for which places.
struct Signers {
    address[] keys; // in the order of their entries
    bytes places; // 8 bytes a key, bit j = place j
    uint256 count; // of places
    bytes32 record; // keccak256(abi.encode(seed, keys))
}

/// @dev Draws panels, and reads who of them signed. A signature serves all places of its key.
library PanelLib {
    bytes32 private constant PANEL = keccak256("panel");
    uint256 private constant SIGNATURE_SIZE = 76;

    /// @dev The seat that holds a place.
    function seatOf(bytes32 seed, bytes32 id, uint256 place, uint256 seats) internal pure returns (uint256) {
        return _seatOf(abi.encode(PANEL, seed, id, place), place, seats);
    }

    // slither-disable-start divide-before-multiply
    /// @dev Reads signatures, and adds `fee` for each place to what its key has earned. `barred` have no say.
    function claim(
        Panel memory panel,
        mapping(uint256 entry => Entry) storage list,
        mapping(address key => PoolMember member) storage members,
        bytes calldata signatures,
        address[] calldata barred,
        uint256 fee
    ) internal returns (Signers memory signers) {
        uint256 length = signatures.length / SIGNATURE_SIZE;
        require(signatures.length == length * SIGNATURE_SIZE, IPool.MalformedSignatures(signatures.length));
        (bytes memory preImage, address[] memory keys) = _recordOf(panel.seed, length);
        // Room for the last word written, of which eight bytes count.
        bytes memory masks = new bytes(8 * length + 24);
        bytes memory draw = abi.encode(PANEL, panel.seed, panel.id, uint256(0));
        uint256 filter = _filterOf(barred);
        uint256 taken = 0;
        uint256 next = 0;
        uint256 count = 0;
        for (uint256 i = 0; i < length;) {
            (uint256 entry, uint256 places, address signer) = _read(panel.digest, signatures, i);
            require(entry >= next && entry < panel.entries, IPool.SignersOutOfOrder(entry, next));
            require(places != 0 && places & taken == 0 && places >> panel.size == 0, IPool.PlaceTaken(entry, places));
            (next, taken) = (entry + 1, taken | places);

            Entry storage held = list[entry];
            (address key, uint256 first, uint256 seats) = (held.key, held.first, held.seats);
            require(signer == key && key != address(0), IPool.EntrySignatureInvalid(entry));
            require(filter >> (uint160(key) & 0xff) & 1 == 0 || !_holds(barred, key), IPool.SignerBarred(key));
            uint256 claimed = 0;
            for (uint256 rest = places; rest != 0; rest &= rest - 1) {
                uint256 place = Math.log2(rest & (~rest + 1));
                uint256 seat = _seatOf(draw, place, panel.seats);
                require(seat >= first && seat < first + seats, IPool.PlaceNotHeld(place, entry));
                unchecked {
                    ++claimed;
                }
            }
            PoolMember storage member = members[key];
            require(member.standing != Standing.Convicted, IPool.SignerBarred(key));
            member.earned += uint128(fee * claimed);
            assembly ("memory-safe") {
                i := add(i, 1)
                count := add(count, claimed)
                mstore(add(keys, mul(0x20, i)), key)
                mstore(add(masks, add(0x18, mul(8, i))), shl(192, places))
            }
        }
        assembly ("memory-safe") {
            mstore(masks, mul(8, length))
        }
        (signers.keys, signers.places, signers.count) = (keys, masks, count);
        signers.record = keccak256(preImage);
    }

    // slither-disable-end divide-before-multiply

    /// @dev A signature: entry (3) | places (8) | r | s | v. Of each key one counts, so another form of it gains nothing.
    function _read(bytes32 digest, bytes calldata signatures, uint256 index)
        private
        pure
        returns (uint256 entry, uint256 places, address signer)
    {
        uint256 head;
        uint8 v;
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            let at := add(signatures.offset, mul(index, SIGNATURE_SIZE))
            head := shr(168, calldataload(at))
            r := calldataload(add(at, 11))
            s := calldataload(add(at, 43))
            v := byte(0, calldataload(add(at, 75)))
        }
        (entry, places) = (head >> 64, uint64(head));
        signer = ecrecover(digest, v, r, s);
    }

    /// @dev abi.encode(seed, keys) for so many keys, and the keys within it, to be filled in.
    function _recordOf(bytes32 seed, uint256 length)
        private
        pure
        returns (bytes memory preImage, address[] memory keys)
    {
        preImage = abi.encode(seed, new address[](length));
        assembly ("memory-safe") {
            keys := add(preImage, 0x60)
        }
    }

    /// @dev The seat of a place; `draw` is abi.encode(PANEL, seed, id, place), of which the place is written anew.
    function _seatOf(bytes memory draw, uint256 place, uint256 seats) private pure returns (uint256 seat) {
        assembly ("memory-safe") {
            mstore(add(draw, 0x80), place)
            seat := mod(keccak256(add(draw, 0x20), 0x80), seats)
        }
    }

    /// @dev A bit for the last byte of each address: most that are not among them have none.
    function _filterOf(address[] calldata addresses) private pure returns (uint256 filter) {
        for (uint256 i = 0; i < addresses.length; ++i) {
            filter |= 1 << (uint160(addresses[i]) & 0xff);
        }
    }

    function _holds(address[] calldata addresses, address one) private pure returns (bool) {
        for (uint256 i = 0; i < addresses.length; ++i) {
            if (addresses[i] == one) return true;
        }
        return false;
    }
}
