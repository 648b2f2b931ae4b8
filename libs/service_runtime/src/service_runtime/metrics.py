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
RELAY_FETCH_SECONDS = Histogram(
    "scriptorium_outbox_fetch_seconds",
    "Seconds to read one page of the outbox",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)
RELAY_LEADS = Gauge("scriptorium_relay_leader", "1 while this process publishes the outbox")
TIMERS_FIRED = Counter("scriptorium_timers_fired_total", "Timers handled", ["name"])
TIMERS_FAILED = Counter(
    "scriptorium_timers_failed_total", "Timers whose handler failed and that were postponed", ["name"]
)
HTTP_SECONDS = Histogram("scriptorium_http_request_seconds", "Seconds to answer", ["method", "route", "status"])
