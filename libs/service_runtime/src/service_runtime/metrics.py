"""What every service counts and measures for `/metrics`; no ids as labels. What is there now is read in `gauges.py`."""

from prometheus_client import Counter, Gauge, Histogram

FAST = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
LONG = (0.01, 0.1, 1, 10, 60, 600, 3_600, 86_400)

CONSUMED = Counter("scriptorium_messages_consumed_total", "Records of handled types read from Kafka", ["topic"])
ASSIGNMENTS = Counter("scriptorium_partitions_assigned_total", "Rebalances this process took part in")
LAG = Gauge(
    "scriptorium_consumer_lag_messages",
    "Records in this process's partitions that are not handled or parked yet",
    ["topic"],
)
HANDLED = Counter("scriptorium_messages_handled_total", "Messages whose effects are committed", ["type"])
DUPLICATES = Counter("scriptorium_messages_duplicate_total", "Messages that were seen before")
PARKED = Counter("scriptorium_messages_parked_total", "Messages that could not be handled at once", ["reason"])
RETRIED = Counter("scriptorium_messages_retried_total", "Retries that failed again", ["reason"])
PARKED_NOW = Gauge("scriptorium_parked_messages", "Messages that wait for another attempt", ["reason"])
PARKED_OLDEST = Gauge("scriptorium_parked_oldest_seconds", "For how long the oldest of them has waited", ["reason"])
DEAD_LETTERS = Gauge("scriptorium_dead_letters", "Messages that wait for an operator", ["reason"])
DEAD_LETTERS_OLDEST = Gauge(
    "scriptorium_dead_letters_oldest_seconds", "Since when the oldest of them was parked", ["reason"]
)
BATCH_SECONDS = Histogram("scriptorium_delivery_seconds", "Seconds to deliver one micro-batch")
HANDLER_SECONDS = Histogram(
    "scriptorium_handler_seconds", "Seconds in a handler, by event type or timer", ["handler"], buckets=FAST
)
OUTBOX = Gauge("scriptorium_outbox_events", "Events that are not published yet; counted up to 100,000")
OUTBOX_OLDEST = Gauge("scriptorium_outbox_oldest_seconds", "For how long the oldest of them has waited; 0 without any")
RELAYED = Counter("scriptorium_outbox_published_total", "Events the broker acknowledged")
RELAY_FETCH_SECONDS = Histogram(
    "scriptorium_outbox_fetch_seconds",
    "Seconds to read one page of the outbox",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)
RELAY_SECONDS = Histogram(
    "scriptorium_relay_seconds", "Seconds to publish one page of the outbox and delete it", buckets=FAST
)
RELAY_LEADS = Gauge("scriptorium_relay_leader", "1 while this process publishes the outbox")
TIMERS_DUE = Gauge("scriptorium_timers_due", "Timers and jobs whose time has come and at which nobody works", ["name"])
TIMERS_OLDEST = Gauge("scriptorium_timers_oldest_due_seconds", "How late the latest of them is", ["name"])
TIMERS_FIRED = Counter("scriptorium_timers_fired_total", "Timers whose effects are committed", ["name"])
TIMERS_LATE = Histogram(
    "scriptorium_timer_lateness_seconds", "Seconds from a timer's time to its firing", ["name"], buckets=LONG
)
TIMERS_FAILED = Counter(
    "scriptorium_timers_failed_total", "Timers whose handler failed and that were postponed", ["name"]
)
JOB_SECONDS = Histogram("scriptorium_job_seconds", "Seconds of a timer's work outside a transaction", ["name"])
HTTP_SECONDS = Histogram("scriptorium_http_request_seconds", "Seconds to answer", ["method", "route", "status"])
