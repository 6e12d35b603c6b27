// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITallystick} from "../interfaces/ITallystick.sol";
import {Batch, Commitment, Grade, Opening, PreImage} from "../interfaces/Types.sol";
import {Stamp} from "../libraries/StampLib.sol";

/// @dev An operator that is a contract: what it does is in no transaction's calldata.
contract ContractOperator {
    ITallystick private immutable CORE;

    constructor(ITallystick core) payable {
        CORE = core;
        core.deposit{value: msg.value}(address(0), msg.value);
    }

    function join(bytes32 networkId, uint128 amount) external {
        CORE.stake(networkId, amount);
    }

    function commit(Commitment calldata commitment) external {
        CORE.commit(commitment);
    }

    function demand(Batch calldata batch, Stamp stamp, uint256 leafIndex, bool withBytes) external {
        CORE.demand(batch, stamp, leafIndex, withBytes);
    }

    function reveal(PreImage calldata preImage, Opening calldata opening, bytes calldata input, bytes calldata output)
        external
    {
        CORE.reveal(preImage, opening, "", input, output);
    }

    /// @dev Shields its batch: demands again in the transaction that answers.
    function renew(PreImage calldata preImage, Opening calldata opening, Stamp following) external {
        CORE.reveal(preImage, opening, "", "", "");
        CORE.demand(preImage.batch, following, 0, false);
    }

    function attest(Batch calldata batch, Stamp stamp, Grade grade, bytes calldata evidence) external {
        CORE.attest(batch, stamp, grade, evidence);
    }
}
