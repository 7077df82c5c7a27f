"""Numbers for Prometheus, at /metrics."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("soundfix_requests", "Requests by path and status.", ("path", "status"))
JOBS_ENDED = Counter("soundfix_jobs_ended", "Jobs by kind and status.", ("kind", "status"))
SECONDS = Histogram(
    "soundfix_job_seconds", "How long jobs took.", ("kind",), buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
)
WAITING = Gauge("soundfix_jobs_waiting", "Jobs that have not ended.")
