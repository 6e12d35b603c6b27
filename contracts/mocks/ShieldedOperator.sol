// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITallystick} from "../interfaces/ITallystick.sol";
import {Batch, Commitment, Opening, PreImage} from "../interfaces/Types.sol";
import {Stamp} from "../libraries/StampLib.sol";

/// @dev An operator that is a contract: demands of itself, and on each reveal demands again in the same transaction.
contract ShieldedOperator {
    ITallystick private immutable CORE;

    constructor(ITallystick core) payable {
        CORE = core;
        core.deposit{value: msg.value}(address(0), msg.value);
    }

    function join(bytes32 networkId, uint128 amount) external {
        CORE.stake(networkId, amount);
    }

    function commit(Commitment calldata commitment) external {
        // slither-disable-next-line unused-return
        CORE.commit(commitment);
    }

    function shield(Batch calldata batch, Stamp stamp) external {
        CORE.demand(batch, stamp, 0, false);
    }

    function renew(PreImage calldata preImage, Opening calldata opening, Stamp following) external {
        CORE.reveal(preImage, opening, "", "", "");
        CORE.demand(preImage.batch, following, 0, false);
    }

    function unshield(PreImage calldata preImage, Opening calldata opening) external {
        CORE.reveal(preImage, opening, "", "", "");
    }
}
