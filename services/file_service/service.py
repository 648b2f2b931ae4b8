"""The file service: start reading here, then `handlers.py`."""

from service_runtime import Service

from services.file_service.handlers import handlers
from services.file_service.originals import routes
from services.file_service.reading import reader
from services.file_service.settings import Settings

service = Service(name="file-service", handlers=handlers, router=routes, settings=Settings, tools=reader)
