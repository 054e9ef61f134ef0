"""Request and response models of jobs, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.models.enums import JobLogStream, JobStatus, SeriesSource
from app.pipelines.repository import DEFAULT_LINES, LAST_LINE, MAX_LINES
from app.pipelines.results.series import MOST_POINTS, Wanted

Channels = dict[str, dict[Literal["optimal", "baseline"], list[str]]]
Number = Field(None, allow_inf_nan=False)


class Job(BaseModel):
    """The execution of one element."""

    job_id: str
    status: JobStatus
    job_type: Literal["entry", "data_fit", "calculation", "validation"]
    priority: int = Field(description="Equal for all jobs: jobs start in the order of their submission.")
    created_at: datetime
    updated_at: datetime
    is_terminal: bool
    is_failed: bool = Field(description="True for failed and canceled.")
    error: str | None = None
    result: dict[str, Any] | None = None


class JobsQuery(BaseModel):
    """Selection of jobs."""

    limit: int = Field(100, ge=1, le=1000)
    skip: int = Field(0, ge=0, le=2**31 - 1)


class LogQuery(BaseModel):
    """Selection of lines of a log."""

    after: int = Field(0, ge=0, le=LAST_LINE, description="Number of the last line known; 0 begins with the first.")
    limit: int = Field(DEFAULT_LINES, ge=1, le=MAX_LINES, description="Maximum number of lines.")


class LogLine(BaseModel):
    """A line of the log of a job."""

    number: int = Field(description="Number from 1, without gaps, over all attempts.")
    attempt: int
    at: datetime
    stream: JobLogStream
    text: str = Field(description="Passwords and API keys are replaced by `***`.")


class Log(BaseModel):
    """Lines of the log of a job, oldest first."""

    lines: list[LogLine]
    is_terminal: bool = Field(description="True if the job had ended before the lines were read.")


class SeriesQuery(BaseModel):
    """Selection of a series and its part."""

    objective: str
    source: SeriesSource = SeriesSource.OPTIMAL
    columns: str | None = Field(None, description="Channels besides the axis, comma-separated; by default all.")
    x_column: str | None = Field(None, description="Channel of the axis; by default the first.")
    max_points: int | None = Field(
        None, ge=2, le=MOST_POINTS, description="Maximum number of rows, peaks kept; by default all."
    )
    x_min: float | None = Number
    x_max: float | None = Number

    @property
    def wanted(self) -> Wanted:
        columns = None if self.columns is None else frozenset(self.columns.split(","))
        return Wanted(self.objective, self.source, columns, self.x_column, self.max_points, self.x_min, self.x_max)


class PlotQuery(BaseModel):
    """Selection of a plot of an objective and its part."""

    objective_name: str
    plot_index: int = Field(0, ge=0, le=1000)
    max_points: int = Field(2000, ge=100, le=80_000, description="Maximum number of points of a trace.")
    x_min: float | None = Number
    x_max: float | None = Number


class Trace(BaseModel):
    """A curve: "Data" or "Model", or "Error", which is the model less the data."""

    name: str
    x: list[float | None]
    y: list[float | None]


class Title(BaseModel):
    """A title of an axis."""

    text: str


class Axis(BaseModel):
    """An axis of a plot."""

    title: Title


class Layout(BaseModel):
    """The axes of a plot."""

    xaxis: Axis
    yaxis: Axis


class Plot(BaseModel):
    """A plot of an objective."""

    traces: list[Trace]
    layout: Layout
    x_full_min: float | None = Field(None, description="Minimum of x over the whole series.")
    x_full_max: float | None = Field(None, description="Maximum of x over the whole series.")


class PlotsOfObjective(BaseModel):
    """Plots of an objective."""

    type: str | None = Field(None, description="The objective's type in the configuration.")
    plot_count: int


class PlotConfig(BaseModel):
    """Plots of a job."""

    objectives: dict[str, PlotsOfObjective]


class Intermediate(BaseModel):
    """Checkpoint of a fit."""

    cost: float | None = None
    best_cost: float | None = None
    inputs: dict[str, Any] = Field(description="Scaled values; always empty.")
    inputs_unscaled: dict[str, Any] = Field(description="Physical values, by parameter name.")
    multistart_job_id: int | None = None


class Metadata(BaseModel):
    """Metadata of a job."""

    validation_plot_config: PlotConfig
    intermediate_results: list[Intermediate] = Field(description="Oldest first, downsampled to at most 5,000.")
