// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Emits what the mech marketplace emits, whatever its arguments say.
contract Olas {
    event MarketplaceRequest(
        address indexed priorityMech,
        address indexed requester,
        uint256 numRequests,
        bytes32[] requestIds,
        bytes[] requestDatas
    );
    event MarketplaceDelivery(
        address indexed deliveryMech,
        address[] requesters,
        uint256 numDeliveries,
        bytes32[] requestIds,
        bool[] deliveredRequests
    );
    event MarketplaceDeliveryWithSignatures(
        address indexed deliveryMech, address indexed requester, uint256 numDeliveries, bytes32[] requestIds
    );

    function request(address mech, address requester, bytes32[] calldata ids, bytes[] calldata payloads) external {
        emit MarketplaceRequest(mech, requester, ids.length, ids, payloads);
    }

    function deliver(
        address mech,
        address[] calldata requesters,
        uint256 said,
        bytes32[] calldata ids,
        bool[] calldata delivered
    ) external {
        emit MarketplaceDelivery(mech, requesters, said, ids, delivered);
    }

    function deliverSigned(address mech, address requester, uint256 said, bytes32[] calldata ids) external {
        emit MarketplaceDeliveryWithSignatures(mech, requester, said, ids);
    }
}
