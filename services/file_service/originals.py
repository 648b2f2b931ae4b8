"""Files as they were uploaded, for the copy of a student's data."""

from typing import Any
from uuid import UUID

from fastapi import Response
from service_runtime.auth import Reader
from service_runtime.http import Work

from services.file_service.api import routes
from services.file_service.repository import Batches, Contents

__all__ = ["routes"]


BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


@routes.get("/batches/{batch_id}/files/{file_upload_id}/original", response_class=Response, responses=BYTES)
async def show_original(work: Work, caller: Reader, batch_id: UUID, file_upload_id: UUID) -> Response:
    """The bytes of a file as it was uploaded."""
    await Batches(work).visible(batch_id, caller)
    data = await Contents(work).original(batch_id, file_upload_id)
    return Response(data, media_type="application/octet-stream", headers={"Content-Disposition": "attachment"})
