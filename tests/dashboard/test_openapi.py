"""The API against its own OpenAPI document, with whatever schemathesis thinks of."""

from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live


@pytest.fixture(scope="module")
def described(live: Live, client: TestClient) -> Any:
    app = create_app(live)
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


# A stream of events does not end.
schema = schemathesis.pytest.from_fixture("described").exclude(path="/api/v1/live")


@schema.parametrize()
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_openapi__any_request__answered_as_documented(case: Any) -> None:
    case.call_and_validate()
