"""Enums of the tables, GraphQL and REST, with descriptions.

Enum members are named as GraphQL names them and have the REST contract's word as value; tables store the name.
"""

from __future__ import annotations

from enum import Enum


class DescribedEnum(Enum):
    """Enum whose members are `NAME = value, description`: the word on the wire and its meaning."""

    description: str
    __hash__ = object.__hash__
    """That of Enum is a function in Python."""

    def __new__(cls, value: str, description: str) -> DescribedEnum:
        member = object.__new__(cls)
        member._value_, member.description = value, description
        return member


class ElementType(DescribedEnum):
    """Type of an element's job."""

    DIRECT_ENTRY = "Direct Entry", "Known parameter values."
    DATA_FIT = "Data Fit", "Model parameters fitted to measurements."
    CALCULATION = "Calculation", "Parameters derived from others."
    VALIDATION = "Validation", "A model compared with data that no fit used."


class PipelineStatus(DescribedEnum):
    """Status of a pipeline."""

    PENDING = "pending", "Created; nothing has run. It can still be edited."
    RUNNING = "running", "Started: its elements are queued or running, in order."
    COMPLETED = "completed", "Every element completed. Terminal."
    FAILED = "failed", "The run failed; see `errorCode`. Terminal."
    CANCELED = "canceled", "Stopped before it finished. Terminal."

    @property
    def is_terminal(self) -> bool:
        return self not in (PipelineStatus.PENDING, PipelineStatus.RUNNING)

    @property
    def is_failed(self) -> bool:
        """Return whether REST counts it as failed; canceled counts as failed."""
        return self in (PipelineStatus.FAILED, PipelineStatus.CANCELED)


class PipelineElementStatus(DescribedEnum):
    """Status of an element."""

    PENDING = "pending", "Waits for the elements before it."
    RUNNING = "running", "Running."
    COMPLETED = "completed", "Completed, with a `result`. Terminal."
    FAILED = "failed", "Its job failed; see `errorCode`. Terminal."
    SKIPPED = "skipped", "The run failed before it was done. Terminal."
    CANCELED = "canceled", "The pipeline was canceled before it finished. Terminal."

    @property
    def is_terminal(self) -> bool:
        return self not in (PipelineElementStatus.PENDING, PipelineElementStatus.RUNNING)


class JobStatus(DescribedEnum):
    """Status of an element's job."""

    PENDING = "pending", "Submitted; waits for a worker."
    RUNNING = "running", "Running."
    COMPLETED = "completed", "Completed. Terminal."
    FAILED = "failed", "Ended with an error. Terminal."
    CANCELED = "canceled", "Stopped before it finished. Terminal."

    @property
    def is_terminal(self) -> bool:
        return self not in (JobStatus.PENDING, JobStatus.RUNNING)

    @property
    def is_failed(self) -> bool:
        """Return whether REST counts it as failed; canceled counts as failed."""
        return self in (JobStatus.FAILED, JobStatus.CANCELED)


class JobErrorCode(DescribedEnum):
    """Reason of a failed job, for programs. Treat an unknown value as INTERNAL_ERROR."""

    CONFIGURATION_ERROR = (
        "CONFIGURATION_ERROR",
        "The configuration is wrong or asks for what is not supported.",
    )
    MODEL_ERROR = "MODEL_ERROR", "The model cannot be built, or lacks parameters."
    SOLVER_ERROR = "SOLVER_ERROR", "The solver found no solution."
    EXECUTION_TIMEOUT = "EXECUTION_TIMEOUT", "The job exceeded its time limit."
    SUBMISSION_FAILED = "SUBMISSION_FAILED", "The queue could not take the job. Only earlier versions report it."
    INTERNAL_ERROR = "INTERNAL_ERROR", "A fault of the server."


HISTORY = ""
"""Objective of the series that holds the history of a fit. No objective has an empty name."""


class SeriesSource(DescribedEnum):
    """Parameter values with which the series of a model was simulated."""

    OPTIMAL = "optimal", "The best values of a fit, or the values passed to a validation."
    BASELINE = "baseline", "The initial guess of a fit."


class MeasurementType(DescribedEnum):
    """Kind of data of a measurement."""

    TIME_SERIES = "time_series", "Columns of numbers, one row per sample."
    PROPERTIES = "properties", "Single values by name, such as a thickness."


class MeasurementStatus(DescribedEnum):
    """Status of a measurement."""

    UPLOADING = "uploading", "Created; its file has not arrived, or `completeMeasurement` was not called."
    PROCESSING = "processing", "Its file is being read."
    READY = "ready", "Its data can be read and referenced as `db:ID`."
    FAILED = "failed", "Its file cannot be read; see `error`. Terminal."

    @property
    def is_terminal(self) -> bool:
        return self in (MeasurementStatus.READY, MeasurementStatus.FAILED)


class MeasurementFormat(DescribedEnum):
    """Format of an uploaded file."""

    PARQUET = "parquet", "Apache Parquet."
    CSV = "csv", "Text with a delimiter; the delimiter and the decimal sign are detected."
    CYCLER = "cycler", "The file of a battery cycler. `reader` names its reader; otherwise it is detected."


class FileKind(DescribedEnum):
    """Role of a stored file of a measurement."""

    UPLOAD = "upload", "The bytes as they came."
    TABLE = "table", "The normalised columns, as Parquet."
    STEPS = "steps", "One row per step, as Parquet."


class JobLogStream(DescribedEnum):
    """Origin of a line in the log of a job."""

    STDOUT = "stdout", "Standard output of the job's process."
    STDERR = "stderr", "Standard error of the job's process: log lines and tracebacks of its libraries."
    WARNING = "warning", "A warning of Python."
    WORKER = "worker", "The worker that runs the job: its beginning, its end, and what was cut."


class AuditAction(DescribedEnum):
    """Change that an API key made."""

    CREATED = "created", "It was created."
    UPDATED = "updated", "It was changed."
    STARTED = "started", "A pipeline was started."
    CANCELED = "canceled", "A pipeline was canceled."
    DUPLICATED = "duplicated", "A pipeline was created as a copy of another one."
    RERUN = "rerun", "A pipeline was created to run another one again."
    COMPLETED = "completed", "An upload was completed: its file is read."
    DELETED = "deleted", "It was deleted."
    REVOKED = "revoked", "An API key was revoked."


class AuditedType(DescribedEnum):
    """Type of an object in the audit log."""

    PIPELINE = "pipeline", "A pipeline."
    MEASUREMENT = "measurement", "A measurement."
    CELL_INSTANCE = "cell_instance", "A cell."
    CELL_SPECIFICATION = "cell_specification", "A cell specification."
    API_KEY = "api_key", "An API key."
