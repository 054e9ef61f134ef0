"""Input types and their conversion to commands."""

from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from app.models.enums import ElementType
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import PipelineCreate, PipelineUpdate, parse_create, parse_update
from app.pipelines.lists.labels import MAX_LABEL, MAX_LABELS
from app.pipelines.rerun.command import RerunCommand, SubmittedChange, parse_rerun
from schema.types.lists.fields import about, given
from schema.types.pipelines import ID
from schema.types.values import enums  # noqa: F401  registers the enums
from schema.types.values.input_factory import quick


@quick
@strawberry.input(
    description="An element to create. An `element_type` inside `jobConfig` is kept; one that disagrees with "
    "`elementType` is INVALID."
)
class PipelineElementInput:
    name: str = strawberry.field(description="1 to 255 characters, unique within the pipeline.")
    element_type: ElementType = strawberry.field(description="The type of its job.")
    job_config: JSON = strawberry.field(description="The configuration of its job: an object.")


@quick
@strawberry.input(description="Options for how a pipeline runs.")
class PipelineOptionsInput:
    live_progress_updates: bool | None = about(
        "Save checkpoint progress while a job runs. Null: the worker chooses by job type."
    )


LISTED = "The elements. List order is execution order."
BY_NAME = (
    "REST's `elements` object, unchanged. Key order is execution order: some clients, such as urql, sort the keys of "
    "objects, so that browsers use `elements`."
)


def elements_given(
    elements: list[PipelineElementInput] | None,
    elements_by_name: Any,
) -> SubmittedElements:
    listed = None if elements is None else [(e.name, e.element_type, e.job_config) for e in elements]
    return SubmittedElements(listed, elements_by_name)


@quick
@strawberry.input(description="A pipeline to create. Give exactly one of `elements` and `elementsByName`.")
class CreatePipelineInput:
    project_id: ID = strawberry.field(description="Its project: 1 to 255 characters.")
    name: str | None = about("At most 255 characters. Null or blank gets a default.")
    description: str | None = about("Its purpose: at most 10,000 characters.")
    labels: list[str] | None = about(f"At most {MAX_LABELS} labels of at most {MAX_LABEL} characters.")
    elements: list[PipelineElementInput] | None = about(LISTED + " At most 250.")
    elements_by_name: JSON | None = about(BY_NAME)
    options: PipelineOptionsInput | None = about("Options of its run.")
    idempotency_key: str | None = about(
        "Repeating a create with the same key returns the first pipeline; the same key with another input is CONFLICT. "
        "Each project has keys of its own."
    )
    check: bool = about(
        "Check the configurations first, as `checkPipeline` does. If there are problems, nothing is stored and each is "
        "an INVALID user error with its place in this input.",
        default=False,
    )
    start: bool = about(
        "Start it at once, in the transaction that creates it: if the queue is full, nothing is stored.", default=False
    )

    def draft(self) -> PipelineCreate:
        options = given(self.options)
        return parse_create(
            project_id=self.project_id,
            name=given(self.name),
            description=given(self.description),
            labels=given(self.labels),
            elements=elements_given(given(self.elements), given(self.elements_by_name)),
            live_progress_updates=given(options.live_progress_updates) if options else None,
            idempotency_key=given(self.idempotency_key),
            start=self.start,
        )


@quick
@strawberry.input(
    description="Changes to a pipeline. Omitted fields are kept. Elements and options change only while PENDING."
)
class UpdatePipelineInput:
    name: str | None = about("A new name. Null or blank is INVALID.")
    description: str | None = about("A new description. Null clears it.")
    labels: list[str] | None = about("New labels in place of all old ones. Null clears them.")
    options: PipelineOptionsInput | None = about("New options.")
    elements: list[PipelineElementInput] | None = about("New elements in place of all old ones. " + LISTED)
    elements_by_name: JSON | None = about("New elements in place of all old ones. " + BY_NAME)

    def changes(self) -> PipelineUpdate:
        options = given(self.options)
        values = {
            "name": self.name,
            "description": self.description,
            "labels": self.labels,
            "live_progress_updates": options.live_progress_updates if options else UNSET,
        }
        return parse_update(
            {column: value for column, value in values.items() if value is not UNSET},
            elements_given(given(self.elements), given(self.elements_by_name)),
        )


@quick
@strawberry.input(description="A new configuration of one element of a rerun.")
class RerunElementInput:
    name: str = strawberry.field(description="The element's name.")
    job_config: JSON = strawberry.field(
        description="Its whole new configuration: an object. Its type stays; one equal to the old one changes nothing."
    )


@quick
@strawberry.input(
    description="A rerun. Without any field, all runs again from the first element that did not complete."
)
class RerunPipelineInput:
    first: str | None = about(
        "Name of the first element that runs again. By default the first one that did not complete or has a new "
        "configuration; a later one than that is INVALID.",
        name="from",
        default=UNSET,
    )
    name: str | None = about("Its name; by default the original's followed by ` (rerun)`.")
    elements: list[RerunElementInput] | None = about(
        "New configurations. The elements named here, and all after them, run again."
    )
    start: bool = about("Start it at once. One that cannot be queued is not created either.", default=True)
    idempotency_key: str | None = about(
        "Repeating a rerun with the same key returns the first one's pipeline; the same key for anything else is "
        "CONFLICT. Creates and reruns of a project share its keys."
    )

    def command(self) -> RerunCommand:
        return parse_rerun(
            first=given(self.first),
            name=given(self.name),
            changes=[
                SubmittedChange(
                    each.name, each.job_config, ("elements", place, "name"), ("elements", place, "jobConfig")
                )
                for place, each in enumerate(given(self.elements) or [])
            ],
            starts=self.start,
            idempotency_key=given(self.idempotency_key),
        )
