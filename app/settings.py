"""Settings: every VOLTGRAPH_* environment variable."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

QUERIES = Path(__file__).resolve().parent.parent / "queries"
CONSOLE_OPERATIONS = Path(__file__).resolve().parent / "server" / "pages" / "console" / "operations"
ANY = "*"
PORTS = {"http": 80, "https": 443}


class Settings(BaseSettings):
    """Settings, each read from the environment variable VOLTGRAPH_NAME."""

    model_config = SettingsConfigDict(env_prefix="VOLTGRAPH_", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    database_url: str = Field(
        "sqlite:///voltgraph.db",
        description="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.",
    )
    allow_anyone: bool = Field(False, description="Serve addresses other than loopback without API keys.")
    cors_origins: str = Field(
        "", description="Allowed CORS origins, comma-separated, such as `https://app.example`; `*` allows any."
    )
    max_body_bytes: int = Field(
        16 * 2**20, ge=1024, description="Maximum bytes of a request body as it arrives, compressed or not."
    )
    max_unpacked_bytes: int = Field(64 * 2**20, ge=1024, description="Maximum bytes of a decompressed request body.")
    max_held_bytes: int = Field(
        256 * 2**20,
        validate_default=True,
        description="Maximum total bytes of all request bodies in memory; further requests are answered with 503.",
    )
    max_json_depth: int = Field(
        128, ge=16, le=200, description="Maximum depth of objects and lists in a body; the outermost is 1."
    )
    max_document_bytes: int = Field(100_000, ge=1000, description="Maximum UTF-8 bytes of a GraphQL document.")
    max_document_tokens: int = Field(2_000, ge=100, description="Maximum tokens in a GraphQL document.")
    max_depth: int = Field(10, ge=1, description="Maximum levels of fields in an operation, except introspection.")
    max_root_fields: int = Field(20, ge=1, description="Maximum root fields of an operation.")
    max_aliases: int = Field(30, ge=0, description="Maximum aliases in an operation with its fragments expanded.")
    max_directives: int = Field(50, ge=0, description="Maximum directives in an operation.")
    max_cost: int = Field(
        5_000, ge=1, le=2**31 - 1, description="Maximum cost of an operation, as docs/limits.md defines it."
    )
    max_list_input: int = Field(250, ge=1, description="Maximum items of a list in an input, except inside JSON.")
    introspection: bool = Field(True, description="Answer introspection: `__schema` and `__type`.")
    suggestions: bool | None = Field(
        None, description="Suggest similar names for unknown ones in a document; unless set, as `introspection`."
    )
    max_answer_bytes: int = Field(
        64 * 2**20,
        ge=1024,
        description="Maximum bytes of an answer to one operation or request; a longer one is refused as a whole.",
    )
    console: bool = Field(True, description="Serve the console, a page for browsers, at `/console`.")
    plans: bool = Field(True, description="Compile queries to SQL; if off, the GraphQL executor answers all of them.")
    fast_path: bool = Field(
        True, description="Answer short requests to /graphql without ASGI, unless CORS or JSON logs are on."
    )
    compression: bool = Field(True, description="Compress answers from 1 kB by gzip for clients that accept it.")
    shared_answers: bool = Field(
        True,
        description="Make the answer to an event once for subscriptions with equal documents, variables and rights.",
    )
    trusted_documents: str = Field(
        "",
        description="Folders, separated by `:`; only their operations and those of `queries/` and the console run.",
    )
    max_persisted_queries: int = Field(
        1_000, ge=0, description="Maximum number of persisted documents; 0 turns persisted queries off."
    )
    max_persisted_bytes: int = Field(16 * 2**20, ge=0, description="Maximum total bytes of persisted documents.")
    rate_limit: int = Field(
        1_000_000,
        ge=1,
        le=2**31 - 1,
        description="Cost that one API key may spend per minute, and the size of its token bucket.",
    )
    max_connections: int = Field(
        10_000, ge=1, description="Maximum open connections; fewer if the process has too few file descriptors."
    )
    write_timeout: float = Field(
        30.0, gt=0, description="Seconds without progress after which a client that reads nothing is disconnected."
    )
    request_timeout: float = Field(
        15.0, gt=0, description="Seconds within which a request must arrive and be answered."
    )
    socket_init_timeout: float = Field(
        3.0, gt=0, description="Seconds within which a WebSocket must send connection_init."
    )
    max_socket_operations: int = Field(100, ge=1, description="Maximum concurrent operations of one WebSocket.")
    max_sockets: int = Field(2_000, ge=1, description="Maximum open WebSockets of one API key.")
    max_subscriptions: int = Field(
        10_000, ge=1, description="Maximum open subscriptions of one API key over all transports."
    )
    workers: int = Field(2, ge=0, le=1000, description="Pipelines that one process runs concurrently; 0 runs none.")
    max_queued: int = Field(
        20_000, ge=1, description="Maximum queued pipelines of an organization; a further start is QUEUE_FULL."
    )
    max_queued_per_key: int | None = Field(
        None, ge=1, description="Maximum queued pipelines that one API key started; unless set, as `MAX_QUEUED`."
    )
    max_running: int | None = Field(
        None, ge=1, description="Maximum pipelines of an organization that run at a time; further ones stay queued."
    )
    max_running_per_key: int | None = Field(
        None, ge=1, description="Maximum pipelines of one API key that run at a time; further ones stay queued."
    )
    max_checks: int = Field(
        2, ge=0, le=1000, description="Pipelines that one server checks at a time before they run; 0 refuses checks."
    )
    check_timeout: float = Field(10.0, gt=0, description="Time limit of such a check in seconds.")
    worker_id: str = Field("", description="Prefix of this worker's name; by default the host name.")
    executor: str = Field("app.battery:BatteryExecutor", description="Executor of elements: `MODULE:NAME`.")
    ingest: str = Field(
        "app.battery.ingest:ingest", description="Reader of uploaded files: `MODULE:NAME`, run in child processes only."
    )
    ingest_timeout: float = Field(300.0, gt=0, description="Time limit of reading an uploaded file in seconds.")
    max_file_bytes: int = Field(256 * 2**20, ge=1024, le=2**31 - 1, description="Maximum bytes of an uploaded file.")
    max_stored_bytes: int = Field(
        20 * 2**30, ge=1024, description="Maximum total bytes of the files of one organization, uploaded and derived."
    )
    max_decoded_bytes: int = Field(
        2**30, ge=1024, description="Maximum bytes of the columns of an uploaded file in memory: rows x columns x 8."
    )
    max_measurement_rows: int = Field(10_000_000, ge=1, le=2**31 - 1, description="Maximum rows of an uploaded file.")
    max_measurement_columns: int = Field(200, ge=1, description="Maximum columns of an uploaded file.")
    job_timeout: float = Field(86400.0, gt=0, description="Time limit of a job in seconds.")
    job_memory: int = Field(
        4 * 2**30, ge=64 * 2**20, description="Bytes of memory that a job may use besides the imported libraries."
    )
    job_cpu: float | None = Field(
        None, gt=0, description="Seconds of CPU time of a job; unless set, as `VOLTGRAPH_JOB_TIMEOUT`."
    )
    job_disk: int = Field(2**30, ge=2**20, description="Bytes of the temporary files of a job.")
    job_files: int = Field(256, ge=32, le=65536, description="Maximum open files of a job.")
    job_log_bytes: int = Field(
        2**20, ge=0, description="Bytes of the log of one attempt of a job, 64 for each line included; 0 keeps none."
    )
    sandbox: Literal["on", "required", "off"] = Field(
        "on",
        description="`on` confines jobs by all that the kernel has; `required` starts no job without Landlock and "
        "seccomp; `off` leaves the limits only.",
    )
    job_retries: int = Field(1, ge=0, description="Retries of a job whose process died.")
    cancel_grace: float = Field(1.0, ge=0, description="Seconds from SIGTERM to SIGKILL of a job's process.")
    worker_timeout: float = Field(
        10.0, ge=6, description="Seconds without a heartbeat after which other workers take over a worker's pipelines."
    )
    keep_days: float | None = Field(
        None,
        gt=0,
        description="Days after which workers delete runs that have ended, and idempotency keys; unless set, never.",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port for /livez, /readyz and /metrics of a server or worker, apart from the API; unset for none.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address to listen on for VOLTGRAPH_METRICS_PORT.")
    log_format: Literal["text", "json"] = Field(
        "text", description="`json` writes one object a line, with a line per request; `text` is for people."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Minimum level: `DEBUG`, `INFO`, `WARNING` or `ERROR`."
    )
    drain_delay: float = Field(
        0.0,
        ge=0,
        description="Seconds from SIGTERM, when /readyz turns 503, to closing the listening socket.",
    )
    start_on_create: bool = Field(False, description="Start pipelines that REST creates.")
    max_waiting_writes: int = Field(
        10_000, ge=1, description="Maximum queued writes; further ones are answered with 503."
    )

    postgres_sessions: int = Field(
        16, ge=2, le=1000, description="Maximum PostgreSQL connections of one process for writes and sessions."
    )
    postgres_readers: int = Field(
        8, ge=1, le=1000, description="Maximum PostgreSQL connections of one process for GraphQL reads."
    )

    @field_validator("max_held_bytes")
    @classmethod
    def _has_room_for_one(cls, most: int, info: ValidationInfo) -> int:
        needed = info.data.get("max_body_bytes", 0) + info.data.get("max_unpacked_bytes", 0)
        if most < needed:
            raise ValueError(f"One request may need {needed}: the longest body, and what it unpacks to.")
        return most

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        origins(text)
        return text

    @property
    def has_suggestions(self) -> bool:
        """Whether errors suggest similar names: unless set, like introspection, which reveals the names too."""
        return self.introspection if self.suggestions is None else self.suggestions

    @property
    def trusted_folders(self) -> list[Path]:
        """Folders of trusted documents; empty if any document may run."""
        folders = [Path(each) for each in self.trusted_documents.split(":") if each]
        return [*self.shipped_folders, *folders] if folders else []

    @property
    def shipped_folders(self) -> list[Path]:
        """Folders of the operations that come with the server."""
        return [QUERIES, CONSOLE_OPERATIONS] if self.console else [QUERIES]

    @property
    def origins(self) -> frozenset[str]:
        """Allowed CORS origins."""
        return origins(self.cors_origins)


def origins(text: str) -> frozenset[str]:
    """Parse a comma-separated list of origins as browsers send them, or ANY alone. Raises ValueError naming the invalid
    ones."""
    listed = [each.strip() for each in text.split(",") if each.strip()]
    faults = [fault for each in listed if (fault := _fault(each, alone=len(listed) == 1))]
    if faults:
        raise ValueError(" ".join(faults))
    return frozenset(listed)


def _fault(origin: str, *, alone: bool) -> str | None:
    """Return why no browser sends this as an origin."""
    if origin == ANY:
        return None if alone else "'*' means every origin; leave out the others."
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if host is None or parts.scheme not in PORTS or not origin.isascii():
        return f"{origin!r:.100} is no origin: write it as https://app.example or http://localhost:3000."
    exact = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}"
    exact += f":{port}" if port not in (None, PORTS[parts.scheme]) else ""
    if "*" in origin:
        return f"{origin!r:.100} has a wildcard: name each origin."
    return None if origin == exact else f"{origin!r:.100} is not what browsers send: write {exact!r:.100}."
