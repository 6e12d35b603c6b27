// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Most inferences in a batch; a leaf's index fits in 20 bits of an unsolicited leaf's nonce.
uint256 constant MAX_COUNT = 1 << 20;

/// @dev Longest window of a network's rules, in seconds.
uint256 constant MAX_WINDOW = 365 days;

/// @dev From closesAt until a commit may take the slot over, in seconds: time to archive the batch.
uint256 constant ARCHIVE_DELAY = 1 hours;

/// @dev A reward is at most this many challenge bonds, so that convicting oneself does not pay.
uint256 constant REWARD_BONDS = 16;

/// @dev Where burned amounts go on sweep.
address constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
