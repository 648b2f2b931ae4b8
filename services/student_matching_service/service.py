"""The student matcher: start reading here, then `handlers.py`."""

from service_runtime import Service
from service_runtime.http import router

from services.student_matching_service.handlers import handlers
from services.student_matching_service.settings import Settings
from services.student_matching_service.texts import library

service = Service(name="student-matching", handlers=handlers, router=router(), settings=Settings, tools=library)
