"""Ends the retention of batches that are over: every service erases what it is said about."""

from datetime import timedelta

from common_core.status_enums import RetainedData
from service_runtime import UnitOfWork

from services.batch_orchestrator_service.repository import Batches
from services.batch_orchestrator_service.settings import Settings

AT_ONCE = 500


async def end_retention(work: UnitOfWork, settings: Settings) -> None:
    """Say of some batches that their time is over."""
    for data, days in (
        (RetainedData.TEXTS, settings.texts_days),
        (RetainedData.ASSOCIATIONS, settings.associations_days),
    ):
        if days is not None:
            over_since = work.cause.at - timedelta(days=days)
            for batch in await Batches(work).past_retention(data, over_since, AT_ONCE):
                work.publish(batch.end_retention(data))
