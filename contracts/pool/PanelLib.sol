// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

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

    /// @dev keccak256(abi.encode(seed, keys)), straight from calldata. Bits beyond an address hash to what is no record.
    function recordOf(bytes32 seed, address[] calldata keys) internal pure returns (bytes32 record) {
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            let size := shl(5, keys.length)
            mstore(pointer, seed)
            mstore(add(pointer, 0x20), 0x40)
            mstore(add(pointer, 0x40), keys.length)
            calldatacopy(add(pointer, 0x60), keys.offset, size)
            record := keccak256(pointer, add(0x60, size))
        }
    }

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
        require(signatures.length % SIGNATURE_SIZE == 0, IPool.MalformedSignatures(signatures.length));
        (bytes memory preImage, address[] memory keys) = _recordOf(panel.seed, length);
        // Room for the last word written, of which eight bytes count.
        // slither-disable-next-line divide-before-multiply
        bytes memory masks = new bytes(8 * length + 24);
        bytes memory draw = abi.encode(PANEL, panel.seed, panel.id, uint256(0));
        bytes memory signed = abi.encode(panel.digest, uint256(0), uint256(0), uint256(0));
        uint256 filter = _filterOf(barred);
        uint256 free = (1 << panel.size) - 1;
        uint256 next = 0;
        // No sum here comes near a word's end; a difference that wraps is above what it is compared with.
        unchecked {
            for (uint256 i = 0; i != length; ++i) {
                (uint256 entry, uint256 places, address signer) = _read(signed, signatures, i);
                require(entry - next < panel.entries - next, IPool.SignersOutOfOrder(entry, next));
                require(places != 0 && places & free == places, IPool.PlaceTaken(entry, places));
                (next, free) = (entry + 1, free ^ places);

                Entry storage held = list[entry];
                (address key, uint256 first, uint256 seats) = (held.key, held.first, held.seats);
                // No entry's key is zero, which stands for no signature.
                require(signer == key, IPool.EntrySignatureInvalid(entry));
                require(filter >> (uint160(key) & 0xff) & 1 == 0 || !_holds(barred, key), IPool.SignerBarred(key));
                uint256 claimed = 0;
                for (uint256 rest = places; rest != 0; rest &= rest - 1) {
                    uint256 place = _lowest(rest);
                    require(_seatOf(draw, place, panel.seats) - first < seats, IPool.PlaceNotHeld(place, entry));
                    ++claimed;
                }
                _earn(members[key], key, fee * claimed);
                signers.count += claimed;
                assembly ("memory-safe") {
                    mstore(add(add(keys, 0x20), shl(5, i)), key)
                    mstore(add(add(masks, 0x20), shl(3, i)), shl(192, places))
                }
            }
        }
        assembly ("memory-safe") {
            // slither-disable-next-line divide-before-multiply
            mstore(masks, mul(8, length))
        }
        (signers.keys, signers.places) = (keys, masks);
        signers.record = keccak256(preImage);
    }

    /// @dev A signature: entry (3) | places (8) | r | s | v. Of each key one counts, so another form of it gains nothing.
    /// `signed` is what ecrecover takes, digest | v | r | s, of which all but the digest is written anew; its answer to
    /// what is no signature is empty.
    function _read(bytes memory signed, bytes calldata signatures, uint256 index)
        private
        view
        returns (uint256 entry, uint256 places, address signer)
    {
        assembly ("memory-safe") {
            let at := add(signatures.offset, mul(index, SIGNATURE_SIZE))
            entry := shr(232, calldataload(at))
            places := shr(192, calldataload(add(at, 3)))
            mstore(add(signed, 0x40), byte(0, calldataload(add(at, 75))))
            calldatacopy(add(signed, 0x60), add(at, 11), 0x40)
            mstore(0, 0)
            pop(staticcall(gas(), 1, add(signed, 0x20), 0x80, 0, 0x20))
            signer := mload(0)
        }
    }

    /// @dev Adds to what an unconvicted member has earned: one read and one write of its first word. seats (24) |
    /// lastEpoch (24) | heldUntil (40) | standing (8) | earned (128) | nothing (32), from the lowest bit.
    function _earn(PoolMember storage member, address key, uint256 amount) private {
        uint256 word;
        assembly ("memory-safe") {
            word := sload(member.slot)
        }
        require(word >> 88 & 0xff != uint8(Standing.Convicted), IPool.SignerBarred(key));
        word += amount << 96;
        require(word >> 224 == 0, SafeCast.SafeCastOverflowedUintDowncast(128, word >> 96));
        assembly ("memory-safe") {
            sstore(member.slot, word)
        }
    }

    /// @dev The place of the lowest bit of a word of 64 that is not zero.
    function _lowest(uint256 word) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            let bit := and(word, sub(0, word))
            place := shl(5, lt(0xffffffff, bit))
            place := or(place, shl(4, lt(0xffff, shr(place, bit))))
            place := or(place, shl(3, lt(0xff, shr(place, bit))))
            place := or(place, shl(2, lt(0xf, shr(place, bit))))
            // Of 1, 2, 4 and 8.
            place := or(
                place,
                byte(shr(place, bit), 0x0000010002000000030000000000000000000000000000000000000000000000)
            )
        }
    }

    /// @dev abi.encode(seed, keys) for so many keys, and the keys within it, to be filled in.
    function _recordOf(bytes32 seed, uint256 length)
        private
        pure
        returns (bytes memory preImage, address[] memory keys)
    {
        assembly ("memory-safe") {
            preImage := mload(0x40)
            keys := add(preImage, 0x60)
            let size := shl(5, length)
            mstore(0x40, add(add(keys, 0x20), size))
            mstore(preImage, add(0x60, size))
            mstore(add(preImage, 0x20), seed)
            mstore(add(preImage, 0x40), 0x40)
            mstore(keys, length)
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
        assembly ("memory-safe") {
            let end := add(addresses.offset, shl(5, addresses.length))
            for { let at := addresses.offset } lt(at, end) { at := add(at, 0x20) } {
                // slither-disable-next-line incorrect-shift
                filter := or(filter, shl(and(calldataload(at), 0xff), 1))
            }
        }
    }

    function _holds(address[] calldata addresses, address one) private pure returns (bool found) {
        assembly ("memory-safe") {
            let end := add(addresses.offset, shl(5, addresses.length))
            for { let at := addresses.offset } lt(at, end) { at := add(at, 0x20) } {
                found := or(found, eq(calldataload(at), one))
            }
        }
    }
}
