"""`/ops/lag`: what a service is behind, whichever of its processes is asked."""

import asyncio

from aiokafka.errors import KafkaError
from common_core.events.base import Contract
from fastapi import HTTPException, Request

from service_runtime.auth import Operator
from service_runtime.gauges import PATIENCE_SECONDS
from service_runtime.http import Work, router

routes = router("/ops")


class Lag(Contract):
    """How many records of each topic the service has not handled or parked yet, all its processes together."""

    topics: dict[str, int]


@routes.get("/lag")
async def show_lag(work: Work, request: Request, _: Operator) -> Lag:
    """What the service is behind; `/metrics` has the part of each process."""
    await work.release()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return Lag(topics=await request.app.state.runtime.consumer.group_lag())
    except (KafkaError, OSError) as error:
        raise HTTPException(503, f"the broker does not say now how far the consumer is: {error!r}") from error
