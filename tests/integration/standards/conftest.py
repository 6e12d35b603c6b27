"""What the networks' tests follow by, here too."""

from tests.integration.networks.conftest import follower as follower
