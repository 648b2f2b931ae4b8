"""The essay lifecycle: start reading here, then `handlers.py`."""

from service_runtime import Service

from services.essay_lifecycle_service.api import routes
from services.essay_lifecycle_service.handlers import handlers

service = Service(name="essay-lifecycle", handlers=handlers, router=routes)
