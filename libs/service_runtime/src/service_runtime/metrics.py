"""What operators see at `/metrics`; no ids as labels."""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("scriptorium_messages_consumed_total", "Records of handled types read from Kafka", ["topic"])
ASSIGNMENTS = Counter("scriptorium_partitions_assigned_total", "Rebalances this process took part in")
HANDLED = Counter("scriptorium_messages_handled_total", "Decisions made, including those rolled back", ["type"])
DUPLICATES = Counter("scriptorium_messages_duplicate_total", "Messages that were seen before")
PARKED = Counter("scriptorium_messages_parked_total", "Messages that could not be handled at once", ["reason"])
RETRIED = Counter("scriptorium_messages_retried_total", "Retries that failed again", ["reason"])
BATCH_SECONDS = Histogram("scriptorium_delivery_seconds", "Seconds to deliver one micro-batch")
RELAYED = Counter("scriptorium_outbox_published_total", "Events the broker acknowledged")
RELAY_LEADS = Gauge("scriptorium_relay_leader", "1 while this process publishes the outbox")
TIMERS_FIRED = Counter("scriptorium_timers_fired_total", "Timers handled", ["name"])
TIMERS_FAILED = Counter(
    "scriptorium_timers_failed_total", "Timers whose handler failed and that were postponed", ["name"]
)
HTTP_SECONDS = Histogram("scriptorium_http_request_seconds", "Seconds to answer", ["method", "route", "status"])
