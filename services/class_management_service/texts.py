"""Asks the file service for a student's texts and files, for the copy of their data."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from fastapi import HTTPException
from service_runtime.auth import Role, issue

from services.class_management_service.models import StudentAssociation
from services.class_management_service.settings import Settings

TOKEN_SECONDS = 60
AT_ONCE = 8


async def files_and_texts(
    essays: Sequence[StudentAssociation], settings: Settings, at: datetime
) -> list[tuple[list[dict[str, Any]], str | None]]:
    """The files that have each essay's text, and that text; raises 503 when the file service does not answer."""
    secret = settings.jwt_secret.get_secret_value()
    token = issue(secret, "class-management", [Role.OPERATOR], TOKEN_SECONDS, at, **settings.token_scope)
    headers, timeout = {"Authorization": f"Bearer {token}"}, settings.text_request_seconds
    places = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(
        base_url=settings.file_service_url, headers=headers, timeout=timeout, trust_env=False
    ) as client:

        async def look(essay: StudentAssociation) -> tuple[list[dict[str, Any]], str | None]:
            async with places:
                files = await _ask(client, f"/v1/batches/{essay.batch_id}/files")
                text = await _ask(client, f"/v1/content/{quote(essay.text_storage_id, safe='')}")
            theirs = [each for each in (files.json() if files else []) if _has(each, essay)]
            return theirs, text.text if text else None

        return await asyncio.gather(*map(look, essays))


def _has(file: dict[str, Any], essay: StudentAssociation) -> bool:
    return bool(file["text_storage_id"] == essay.text_storage_id)


async def _ask(client: httpx.AsyncClient, path: str) -> httpx.Response | None:
    """The answer; None where there is no such thing, as of texts that are elsewhere or erased."""
    try:
        response = await client.get(path)
    except httpx.HTTPError:
        response = None
    if response is None or response.status_code not in (httpx.codes.OK, httpx.codes.NOT_FOUND):
        raise HTTPException(503, "the file service does not answer, so the copy would lack texts; try again later")
    return response if response.status_code == httpx.codes.OK else None
