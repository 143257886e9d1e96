"""What operators watch: one Prometheus registry per process, shown at `/metrics`."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("largesse_requests_total", "Answered HTTP requests.", ["method", "status"])
REQUEST_SECONDS = Histogram(
    "largesse_request_seconds",
    "Time from the first byte of a request to its answer.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
LANE_DEPTH = Gauge("largesse_lane_depth", "Requests waiting in a lane.", ["lane"])
BATCH_SIZE = Histogram(
    "largesse_batch_size", "Requests answered by one transaction.", ["lane"], buckets=(1, 2, 4, 8, 16, 32)
)
COMMIT_SECONDS = Histogram(
    "largesse_commit_seconds",
    "Time one commit took.",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25),
)
JOBS = Gauge("largesse_jobs", "Background jobs of the whole store that are not finished.", ["status"])
JOBS_FINISHED = Counter(
    "largesse_jobs_finished_total", "Background jobs that this process finished.", ["kind", "status"]
)
JOBS_RETRIED = Counter("largesse_jobs_retried_total", "Slices of background jobs put back after an error.", ["kind"])
JOB_SLICE_SECONDS = Histogram(
    "largesse_job_slice_seconds",
    "Time the work of one slice of a background job took.",
    ["kind"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
