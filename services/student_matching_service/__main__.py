"""python -m services.student_matching_service."""

from services.student_matching_service.service import service

service.run()
