"""Reads the texts of a batch over HTTP and compares them with the roster; slow, so outside any transaction."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

import httpx
from common_core.errors import NotYet
from common_core.events import EssayMatch, EssayRef
from common_core.status_enums import NoMatchReason
from service_runtime import Cause
from service_runtime.auth import Role, issue

from services.student_matching_service.matching import Match, Roster
from services.student_matching_service.models import MatchRequest
from services.student_matching_service.settings import Settings
from services.student_matching_service.weighing import Finding

TEXTS_AT_ONCE = 8
TOKEN_SECONDS = 300
"""Longer than the texts of a batch take to be read; a job that takes longer is tried again with a new token."""


@dataclass(frozen=True)
class Matches:
    """What was found out about a batch, and with which version of the roster; None: there was none."""

    results: list[EssayMatch]
    roster_version: int | None


@dataclass(frozen=True)
class Library:
    """Where texts are read, and how long they are waited for."""

    client: httpx.AsyncClient
    settings: Settings

    def token(self, at: datetime) -> str:
        """What we show the file service, from this database time on."""
        secret = self.settings.jwt_secret.get_secret_value()
        return issue(secret, "student-matching", [Role.SERVICE], TOKEN_SECONDS, at, **self.settings.token_scope)

    async def text(self, storage_id: str, token: str) -> str | None:
        """A stored text; None when it cannot be had now."""
        headers = {"Authorization": f"Bearer {token}"}
        try:
            response = await self.client.get(f"/v1/content/{quote(storage_id, safe='')}", headers=headers)
        except httpx.HTTPError:
            return None
        return response.text if response.status_code == httpx.codes.OK else None


@asynccontextmanager
async def library(settings: Settings) -> AsyncIterator[Library]:
    """The connection to the file service, for as long as the service runs."""
    timeout = settings.text_request_seconds
    async with httpx.AsyncClient(base_url=settings.file_service_url, timeout=timeout) as client:
        yield Library(client, settings)


async def find_matches(request: MatchRequest, cause: Cause, texts: Library) -> Matches:
    """Match every essay; raises NotYet while roster or texts cannot be had and there is patience left."""
    patience = timedelta(minutes=texts.settings.matching_patience_minutes)
    out_of_patience = cause.at - (request.requested_at or cause.at) > patience
    if request.roster is None:
        if not out_of_patience:
            raise NotYet("the roster of class", request.class_id)
        nobody = Match(no_match_reason=NoMatchReason.ROSTER_UNAVAILABLE)
        return Matches([_result(essay, nobody) for essay in request.essays], None)
    roster = Roster(request.roster.students)
    places, token = asyncio.Semaphore(TEXTS_AT_ONCE), texts.token(cause.at)

    async def look(essay: EssayRef) -> Finding | None:
        async with places:
            text = await texts.text(essay.text_storage_id, token)
        if text is not None:
            return await asyncio.to_thread(roster.look, text)
        if not out_of_patience:
            raise NotYet("text", essay.text_storage_id)
        return None

    findings = await asyncio.gather(*map(look, request.essays))
    results = await asyncio.to_thread(_results, request.essays, findings, roster)
    return Matches(results, request.roster.roster_version)


def _results(essays: Sequence[EssayRef], findings: Sequence[Finding | None], roster: Roster) -> list[EssayMatch]:
    """What the texts that could be had say, each beside the others; the rest is said to be unavailable."""
    had = [(essay, finding) for essay, finding in zip(essays, findings, strict=True) if finding]
    matches = roster.conclude([finding for _, finding in had], [essay.original_file_name for essay, _ in had])
    found = {essay.essay_id: match for (essay, _), match in zip(had, matches, strict=True)}
    unavailable = Match(no_match_reason=NoMatchReason.TEXT_UNAVAILABLE)
    return [_result(essay, found.get(essay.essay_id, unavailable)) for essay in essays]


def _result(essay: EssayRef, match: Match) -> EssayMatch:
    return EssayMatch(**essay.model_dump(), suggestions=match.suggestions, no_match_reason=match.no_match_reason)
