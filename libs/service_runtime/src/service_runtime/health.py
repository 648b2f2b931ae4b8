"""What operators and orchestrators ask: does the process live, can it work, what does it count."""

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from service_runtime import schema

DATABASE_ANSWERS_SECONDS = 3.0

router = APIRouter(tags=["operations"])


class Readiness(BaseModel):
    """Whether a process can work, and by part what keeps it from that."""

    status: str
    problems: dict[str, str]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
async def readyz(request: Request) -> JSONResponse:
    """Database, broker, migrations, consumer and relay work; 503 with the reasons when not."""
    runtime = request.app.state.runtime
    problems: dict[str, str] = runtime.problems()
    if broker_problem := await runtime.consumer.broker_problem():
        problems["broker"] = broker_problem
    try:
        async with asyncio.timeout(DATABASE_ANSWERS_SECONDS), runtime.units.reading() as session:
            problems |= await _migration_problems(session, runtime.service_name)
    except (SQLAlchemyError, OSError) as error:
        problems["database"] = f"the database cannot be used, is it migrated? {type(error).__name__}"
    status = "not ready" if problems else "ready"
    return JSONResponse({"status": status, "problems": problems}, 503 if problems else 200)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics of this process, and what its database and its partitions hold now."""
    await request.app.state.runtime.measure()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _migration_problems(session: AsyncSession, service: str) -> dict[str, str]:
    await session.execute(text("SELECT 1 FROM inbox LIMIT 1"))
    problem = await schema.problem(session, service)
    return {"migrations": problem} if problem else {}
