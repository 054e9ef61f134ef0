"""Every VOLTGRAPH_* variable, once."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.cors import origins

QUERIES = Path(__file__).resolve().parent.parent / "queries"


class Settings(BaseSettings):
    """What can be set, each by the environment variable of its name in capitals after VOLTGRAPH_."""

    model_config = SettingsConfigDict(env_prefix="VOLTGRAPH_", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    database_url: str = Field(
        "sqlite:///voltgraph.db",
        description="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.",
    )
    allow_anyone: bool = Field(
        False, description="Serve also other addresses than this machine's own while there are no API keys."
    )
    cors_origins: str = Field(
        "", description="Origins whose pages may ask, with commas between, each as `https://app.example`; `*` is any."
    )
    max_body_bytes: int = Field(
        16 * 2**20, ge=1024, description="Longest request body as it arrives, compressed or not."
    )
    max_unpacked_bytes: int = Field(64 * 2**20, ge=1024, description="Longest request body once unpacked.")
    max_held_bytes: int = Field(
        256 * 2**20,
        validate_default=True,
        description="Bytes of bodies, received or unpacked, that all requests may hold at a time; beyond it, 503.",
    )
    max_json_depth: int = Field(
        128, ge=16, le=200, description="How deep objects and lists in a body may nest; its outermost is 1."
    )
    max_document_bytes: int = Field(100_000, ge=1000, description="Longest GraphQL document, in UTF-8 bytes.")
    max_document_tokens: int = Field(2_000, ge=100, description="Most tokens in a GraphQL document.")
    max_depth: int = Field(10, ge=1, description="Most levels of fields in an operation; introspection has its own.")
    max_root_fields: int = Field(20, ge=1, description="Most fields at the top of an operation.")
    max_aliases: int = Field(30, ge=0, description="Most aliases in an operation, with its fragments written out.")
    max_directives: int = Field(50, ge=0, description="Most directives in an operation.")
    max_cost: int = Field(5_000, ge=1, description="Most that an operation may cost, as the README counts it.")
    max_list_input: int = Field(250, ge=1, description="Most items of a list in an input, but not inside JSON.")
    introspection: bool = Field(True, description="Answer `__schema` and `__type`.")
    suggestions: bool | None = Field(
        None, description="Name what may have been meant where a document is wrong; unless set, as `introspection`."
    )
    max_answer_bytes: int = Field(
        64 * 2**20, ge=1024, description="Longest answer to one operation or request; longer ones are refused whole."
    )
    plans: bool = Field(True, description="Compile queries to SQL; off, the GraphQL executor answers all of them.")
    trusted_documents: str = Field(
        "", description="Folders, with `:` between: only their operations and those of `queries/` are run."
    )
    max_persisted_queries: int = Field(
        1_000, ge=0, description="Documents that clients may name by their hash, once they were sent; 0: none."
    )
    max_persisted_bytes: int = Field(16 * 2**20, ge=0, description="Bytes that these documents may have together.")
    rate_limit: int = Field(
        1_000_000, ge=1, description="Cost that one API key may spend in a minute, and at most at once."
    )
    max_connections: int = Field(
        10_000, ge=1, description="Most open connections; fewer where the process may have fewer files open."
    )
    write_timeout: float = Field(
        30.0, gt=0, description="Seconds after which a client that takes nothing of what it is sent is disconnected."
    )
    request_timeout: float = Field(15.0, gt=0, description="Seconds in which a request must come, and be answered.")
    socket_init_timeout: float = Field(
        3.0, gt=0, description="Seconds in which a WebSocket must send its connection_init."
    )
    max_socket_operations: int = Field(100, ge=1, description="Most operations that one WebSocket runs at a time.")
    max_sockets: int = Field(2_000, ge=1, description="Most WebSockets that one API key has open at a time.")
    max_subscriptions: int = Field(
        10_000, ge=1, description="Most subscriptions that one API key watches at a time, however it came to them."
    )
    workers: int = Field(2, ge=0, le=1000, description="Pipelines that one process runs at a time; 0 runs none.")
    worker_id: str = Field("", description="Begins the name of this worker; empty takes the name of the machine.")
    executor: str = Field("app.battery:BatteryExecutor", description="What does the work of elements: `MODULE:NAME`.")
    job_timeout: float = Field(86400.0, gt=0, description="Seconds that a job may take.")
    job_retries: int = Field(1, ge=0, description="How often a job whose process died is begun again.")
    cancel_grace: float = Field(1.0, ge=0, description="Seconds from asking a job's process to end to killing it.")
    worker_timeout: float = Field(
        10.0, ge=6, description="Seconds without a sign of a worker after which others take over its pipelines."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="`json` writes the log as an object a line, with one for each request; else `text`."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`."
    )
    drain_delay: float = Field(
        0.0,
        ge=0,
        description="Seconds from the sign to end, when /readyz says so, until connections are taken no more.",
    )
    start_on_create: bool = Field(False, description="Start what REST creates at once.")
    max_waiting_writes: int = Field(
        10_000, ge=1, description="Writes that may wait for the database before more are answered 503."
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
        """Whether errors name what may have been meant: names are told by introspection, or not at all."""
        return self.introspection if self.suggestions is None else self.suggestions

    @property
    def trusted_folders(self) -> list[Path]:
        """Where the only documents that may be run are; none: any may be run."""
        folders = [Path(each) for each in self.trusted_documents.split(":") if each]
        return [QUERIES, *folders] if folders else []

    @property
    def origins(self) -> frozenset[str]:
        """The other origins whose pages may ask."""
        return origins(self.cors_origins)
