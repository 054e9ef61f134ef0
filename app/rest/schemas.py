"""Request and response models of pipelines, for the OpenAPI document. POST /pipelines is exactly the contract's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictBool,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails

from app.errors import Problem, ProblemCode, Rejected
from app.models.enums import ElementType, JobErrorCode, PipelineElementStatus, PipelineStatus
from app.pipelines.bulk import MOST
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import LIMITS, PipelineCreate, parse_create
from app.pipelines.lists.labels import MAX_LABEL, MAX_LABELS
from app.pipelines.rerun.command import RerunCommand, SubmittedChange, parse_rerun
from app.rest.errors import line_error, pydantic_error

NAMED = {"type": "string", "minLength": 1, "maxLength": LIMITS["name"][1], "pattern": r"\S"}
"""Schema of a name that is not blank. The commands of the service check it, with every other problem."""
LABEL = {"type": "string", "minLength": 1, "maxLength": MAX_LABEL, "pattern": r"\S"}
Name = Annotated[str, WithJsonSchema(NAMED)]
Label = Annotated[str, WithJsonSchema(LABEL)]
EXAMPLE = {
    "project_id": "cells",
    "name": "From a datasheet to the capacity of an electrode",
    "elements": {
        "datasheet": {
            "element_type": "entry",
            "values": {
                "Electrode area [m2]": 0.1027,
                "Positive electrode thickness [m]": 7.56e-05,
                "Positive electrode active material volume fraction": 0.665,
                "Maximum concentration in positive electrode [mol.m-3]": 63104.0,
            },
        },
        "capacity": {
            "element_type": "calculation",
            "type": "ElectrodeCapacity",
            "electrode": "positive",
            "use_stoich_window": False,
        },
    },
}
"""Body of a pipeline that runs, for the OpenAPI document."""


class PipelineOptions(BaseModel):
    """Options for pipeline execution behavior."""

    live_progress_updates: StrictBool | None = Field(
        None,
        description="If True, save checkpoint progress to database during job execution. "
        "If None, the worker picks a default based on job type.",
    )


class PipelineConfig(BaseModel):
    """A pipeline to create. The order of the keys of `elements` is the order of execution."""

    project_id: str
    name: str | None = None
    description: str | None = None
    labels: list[Label] | None = Field(None, description=f"Free labels, at most {MAX_LABELS}.")
    options: PipelineOptions = Field(default_factory=PipelineOptions)
    elements: dict[str, Any]
    _draft: PipelineCreate | None = PrivateAttr(None)

    @property
    def draft(self) -> PipelineCreate:
        """The validated draft of a valid configuration."""
        assert self._draft is not None
        return self._draft

    @model_validator(mode="wrap")
    @classmethod
    def _every_problem(cls, body: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Validate all fields, even if others are missing or of a wrong type."""
        config, found = None, []
        try:
            config = validate(body)
        except ValidationError as error:
            if not isinstance(body, dict):
                raise
            found = [pydantic_error(fault) for fault in error.errors()]
        wrong = {fault["loc"][0] for fault in found}
        try:
            known = cls.model_fields.keys() - wrong
            checked = _drafted({name: value for name, value in body.items() if name in known}, config)
        except Rejected as rejected:
            found += [line_error(problem, body) for problem in rejected.problems]
        if found or config is None:
            raise ValidationError.from_exception_data(cls.__name__, found)
        config._draft = checked
        return config


def _drafted(sound: dict[str, Any], config: PipelineConfig | None) -> PipelineCreate:
    """Validate the fields of the right type; the others have errors of their own already."""
    return parse_create(
        project_id=sound.get("project_id", "not given"),
        name=sound.get("name"),
        description=sound.get("description"),
        labels=sound.get("labels"),
        elements=SubmittedElements(by_name=sound.get("elements", {})),
        live_progress_updates=config.options.live_progress_updates if config else None,
        idempotency_key=sound.get("idempotency_key"),
    )


class StrictOptions(PipelineOptions):
    """Options for pipeline execution behavior. Unknown ones are errors."""

    model_config = ConfigDict(extra="forbid")


class BulkConfig(PipelineConfig):
    """A pipeline to create as one of many. Unlike POST /pipelines, unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")

    options: StrictOptions = Field(default_factory=StrictOptions)
    idempotency_key: str | None = Field(
        None,
        description="Makes a retry safe: a repeat returns the first pipeline. Keys belong to projects, and are those "
        "of the header Idempotency-Key.",
    )
    start: StrictBool | None = Field(
        None, description="Whether it is started in the same transaction; by default as VOLTGRAPH_START_ON_CREATE says."
    )

    def draft_with(self, starts: bool) -> PipelineCreate:
        """Return the draft; `starts` is the default of its start."""
        return self.draft._replace(start=starts if self.start is None else self.start)


def _entry_or_refusal(value: Any, validate: ValidatorFunctionWrapHandler) -> BulkConfig | Rejected:
    """Validate an entry of a list; a wrong one is refused alone."""
    try:
        config: BulkConfig = validate(value)
    except ValidationError as error:
        return Rejected(*(_problem(fault) for fault in error.errors()))
    return config


def _problem(fault: ErrorDetails) -> Problem:
    """Convert a pydantic error to a problem."""
    code = CODES.get(fault["type"], ProblemCode.INVALID)
    return Problem(code, fault["msg"], fault["loc"])


CODES = {code.value: code for code in ProblemCode}
"""Problem codes by the type of an error."""


class ConfigurationProblem(BaseModel):
    """A problem of the configuration of an element."""

    element: str = Field(description="The element's name.")
    path: list[str] = Field(description="Its place in the element's configuration, outermost first.")
    message: str


class PipelineCheck(BaseModel):
    """The problems of a pipeline that is not stored."""

    is_valid: bool
    problems: list[ConfigurationProblem] = Field(
        description="All problems for which its run would fail before the first job."
    )


class StrictBody(BaseModel):
    """Body whose unknown fields are errors. POST /pipelines ignores them, as its contract says."""

    model_config = ConfigDict(extra="forbid")


class RerunConfig(StrictBody):
    """A rerun of an ended pipeline."""

    first: str | None = Field(
        None,
        alias="from",
        description="Name of the first element that runs again; by default the first one that did not complete or has "
        "a new configuration.",
    )
    name: str | None = Field(None, json_schema_extra={"maxLength": LIMITS["name"][1]})
    elements: dict[str, Annotated[Any, WithJsonSchema({"type": "object"})]] | None = Field(
        None, description="New configurations by name. The elements named here, and all after them, run again."
    )
    start: StrictBool = True

    def command(self, key: str | None) -> RerunCommand:
        """Return the validated command with an idempotency key. Raises Rejected with every problem."""
        changes = [
            SubmittedChange(name, config, ("elements", name), ("elements", name))
            for name, config in (self.elements or {}).items()
        ]
        return parse_rerun(first=self.first, name=self.name, changes=changes, starts=self.start, idempotency_key=key)


class PipelinePatch(StrictBody):
    """Changes of a pipeline. A missing field is kept; a null description and null labels clear them."""

    name: Annotated[str | None, WithJsonSchema(NAMED)] = None
    description: str | None = Field(None, json_schema_extra={"maxLength": LIMITS["description"][1]})
    labels: list[Label] | None = Field(None, description=f"Free labels, at most {MAX_LABELS}.")


class Submission(BaseModel):
    """A pipeline without its elements."""

    id: str
    project_id: str
    user_id: str | None = None
    name: str
    description: str | None = None
    labels: list[str] = Field([], description="Free labels, sorted.")
    options: PipelineOptions = Field(default_factory=PipelineOptions)
    status: PipelineStatus
    is_terminal: bool
    is_failed: bool = Field(description="True for failed and canceled.")
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration: float | None = Field(None, description="Seconds from its start to its end.")
    error: str | None = None
    error_code: JobErrorCode | None = None
    created_by_email: str | None = None
    organization_id: str = Field(description="Organization this pipeline belongs to.")


class BulkIds(StrictBody):
    """Ids of pipelines. An id that is given twice is handled twice."""

    ids: list[str] = Field(min_length=1, max_length=MOST)


class BulkCreate(StrictBody):
    """Pipelines to create. A wrong one is refused alone."""

    pipelines: list[Annotated[BulkConfig, WrapValidator(_entry_or_refusal)]] = Field(min_length=1, max_length=MOST)

    def drafts(self, starts: bool) -> list[PipelineCreate | Rejected]:
        """Return the drafts, and the refusals in their place; `starts` is the default of their starts."""
        entries: list[BulkConfig | Rejected] = [*self.pipelines]
        return [each if isinstance(each, Rejected) else each.draft_with(starts) for each in entries]


class BulkFailure(BaseModel):
    """Reason why one of the pipelines was refused."""

    error_code: str
    message: str
    loc: list[str | int] = Field(description="Its place in the request, outermost first.")


class BulkEntry(BaseModel):
    """Outcome of one id."""

    id: str
    pipeline: Submission | None = Field(description="The pipeline after the change; null if it was refused or deleted.")
    errors: list[BulkFailure]


class BulkResult(BaseModel):
    """Outcomes of all ids, in their order."""

    results: list[BulkEntry]


class BulkCreatedEntry(BaseModel):
    """Outcome of one pipeline to create."""

    pipeline: Submission | None = Field(description="The created pipeline; null if it was refused.")
    errors: list[BulkFailure]


class BulkCreated(BaseModel):
    """Outcomes of all pipelines to create, in their order."""

    results: list[BulkCreatedEntry]


class Progress(BaseModel):
    """Progress of an element."""

    best_cost: float | None = Field(None, description="The lowest cost at the newest checkpoint.")


class PipelineElement(BaseModel):
    """Model for representing a pipeline element in API responses."""

    id: str
    pipeline_id: str
    name: str
    element_order: int = Field(gt=0, description="Order of execution within the pipeline (1-based)")
    element_type: ElementType = Field(description="Type of job for this step")
    job_config: dict[str, Any] = Field(description="Configuration parameters for the job")
    job_id: str | None = None
    result: dict[str, Any] | None = None
    status: PipelineElementStatus
    created_at: datetime
    updated_at: datetime
    error: str | None = None
    error_code: JobErrorCode | None = None
    error_detail: dict[str, Any] | None = None
    job_status: str | None = Field(None, description="Job status via job_id (from jobs.status).")
    organization_id: str = Field(description="Organization this pipeline element belongs to.")
    progress: Progress | None = Field(None, description="Null while there is no checkpoint.")


class PipelineDetail(Submission):
    """Model for representing a pipeline with its elements in detail responses."""

    elements: list[PipelineElement] = []


class PipelinePage(BaseModel):
    """A page of pipelines."""

    pipelines: list[Submission]
    count: int = Field(description="Number of items on this page.")
    total: int = Field(description="Number of matches on all pages.")


class PipelineResult(BaseModel):
    """Result of a pipeline so far."""

    result: dict[str, Any] = Field(
        description="`parameter_values` of all elements; later elements override earlier ones."
    )
    element_results: dict[str, dict[str, Any]] = Field(
        description="The result of each element that has one, by name, with its `warnings`."
    )


class Failure(BaseModel):
    """Reason of a refused request, other than invalid input (422)."""

    error_code: str
    message: str
    detail: Any = None
