"""The notebook, which forgets what is old ten times a second."""

import service_runtime.service

from tests.integration.notebook import service

service_runtime.service.HOUSEKEEPING_SECONDS = 0.1

__all__ = ["service"]
