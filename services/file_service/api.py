"""What teachers and services ask the file service: take files, tell what became of them, give texts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from service_runtime import SetTimer, idempotency
from service_runtime.auth import AnyReader, Reader, Teacher
from service_runtime.http import Work, router
from uuid_utils.compat import uuid7

from services.file_service.models import EXTRACT, BatchIsCancelled, KnownBatch, Upload, raw_storage_id
from services.file_service.progress import EVENT_STREAM, Progress, wants_events
from services.file_service.receiving import ReceivedFile, fingerprint, received
from services.file_service.repository import Batches, Contents, Uploads
from services.file_service.settings import Settings
from services.file_service.spool import MAX_REQUEST_BYTES, Spool
from services.file_service.views import Accepted, FileView, file_views


@asynccontextmanager
async def shared(app: FastAPI) -> AsyncIterator[None]:
    """What all requests of this process share: room for uploads, and who watches which batch."""
    own: Settings = app.state.settings
    app.state.spool = Spool(own.uploads_at_once, own.upload_spool_bytes, own.upload_wait_seconds)
    app.state.progress = Progress(app.state.units, app.state.stopping, own.progress_watchers)
    yield


routes = router(lifespan=shared)

MULTIPART_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    }
}


@routes.post(
    "/batches/{batch_id}/files", status_code=202, max_body_size=MAX_REQUEST_BYTES, openapi_extra=MULTIPART_BODY
)
async def upload_files(work: Work, teacher: Teacher, batch_id: UUID, request: Request) -> list[Accepted]:
    """Upload files; with the 202 they are stored, whatever happens to the service. A zip counts as the files in it."""
    await Batches(work).visible(batch_id, teacher)
    await work.release()
    files = await received(request)
    await idempotency.claim(work, request, fingerprint(files))
    batch = await Batches(work).locked(batch_id)
    # Not before the key is claimed: a repetition gets its first answer, also from a batch cancelled meanwhile.
    if batch.cancelled:
        raise BatchIsCancelled(batch_id)
    uploads = await _store(work, batch, files, request.app.state.settings)
    work.publish([SetTimer(EXTRACT, batch_id, work.cause.at, unless_set=True)])
    return [Accepted.model_validate(upload, from_attributes=True) for upload in uploads]


async def _store(work: Work, batch: KnownBatch, files: Sequence[ReceivedFile], settings: Settings) -> list[Upload]:
    uploads = {file: work.add(_upload(batch, file, settings.max_file_bytes)) for file in files}
    for file in sorted(files, key=lambda each: each.digest):
        if storage_id := uploads[file].raw_file_storage_id:
            await Contents(work).store(storage_id, await file.data())
    return list(uploads.values())


def _upload(batch: KnownBatch, file: ReceivedFile, most_bytes: int) -> Upload:
    # Nothing is said about a file that is too large before its turn: it would take the slot of an earlier one.
    storage_id = raw_storage_id(file.digest) if file.size <= most_bytes else None
    return batch.receive(uuid7(), file.name, file.size, storage_id)


@routes.get(
    "/batches/{batch_id}/files",
    response_model=list[FileView],
    responses={200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
async def list_files(work: Work, caller: Reader, batch_id: UUID, request: Request) -> list[FileView] | Response:
    """The files of a batch in the order of their uploads, and what became of each.

    With `Accept: text/event-stream`, a stream of it: an event `file` for each file and each change, and `settled` with
    the numbers when nothing is pending.
    """
    await Batches(work).visible(batch_id, caller)
    if wants_events(request):
        progress: Progress = request.app.state.progress
        return progress.answer(batch_id)
    return file_views(await Uploads(work).of_batch(batch_id))


@routes.get("/content/{text_storage_id}", response_class=PlainTextResponse)
async def show_text(work: Work, caller: AnyReader, text_storage_id: str) -> PlainTextResponse:
    """A stored text."""
    return PlainTextResponse(await Contents(work).text(text_storage_id, caller))
