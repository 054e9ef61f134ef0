"""Fields: plans support every field of their types."""

from __future__ import annotations

from inspect import get_annotations

import pytest
from graphql import GraphQLObjectType

from app.pipelines.results import failures, objectives, parameter_sets, parsed
from app.pipelines.results.outcomes import Outcome
from schema import graphql_schema
from schema.plans.connection import EDGE, PARTS
from schema.plans.fields import PROGRESS, TABLES, field_of
from schema.plans.measurements.fields import COLUMN
from schema.plans.mutations import PAYLOADS
from schema.plans.readers.account import ACTIONS, PROJECT, RATE_LIMIT, STATUS_COUNT, VIEWER
from schema.plans.readers.projections import PROJECTED
from schema.plans.readers.results import FAILURE
from schema.plans.root_fields import ROOTS
from schema.strawberry_internals import field_definition
from schema.types.account.system import WorkerStatus
from schema.types.keys.types import ApiKey
from schema.types.measurements.payloads import MeasurementUpload
from schema.types.payloads import UserError
from schema.types.results.checks import PipelineCheck
from schema.types.results.outcomes import OUTCOMES

KNOWN = {
    "Query": set(ROOTS),
    "Viewer": set(VIEWER),
    "RateLimit": set(RATE_LIMIT),
    "Project": set(PROJECT),
    "PipelineActions": {*ACTIONS, "__typename"},
    "StatusCount": set(STATUS_COUNT),
    "PipelineProgress": set(PROGRESS),
    **{key.replace("Connection", "Edge"): set(EDGE) for key in PARTS if key != "PageInfo"},
    "MeasurementColumn": set(COLUMN),
    "Failure": set(FAILURE),
    **{name: set(fields) for name, fields in (PARTS | PAYLOADS).items()},
}


def fields_of(type_name: str) -> set[str]:
    kind = graphql_schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    return {*kind.fields, "__typename"}


@pytest.mark.parametrize("type_name", KNOWN)
def test_plans_know_every_field_of(type_name: str) -> None:
    assert fields_of(type_name) <= KNOWN[type_name]


@pytest.mark.parametrize("type_name", TABLES)
def test_plans_read_every_field_of(type_name: str) -> None:
    for name in fields_of(type_name):
        field_of(type_name, name)


def test_every_object_of_the_schema_is_known_to_plans() -> None:
    objects = {
        name
        for name, kind in graphql_schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
    }
    others = {"Mutation", "Subscription", "PipelineChange", "System"}
    assert objects - others == KNOWN.keys() | TABLES.keys() | PROJECTED


MADE = {
    "ParameterValue": parsed.ParameterValue,
    "ResultWarning": parsed.ResultWarning,
    "ObjectiveSummary": parsed.ObjectiveSummary,
    "Statistic": parsed.Statistic,
    "ElementObjective": objectives.ElementObjective,
    "ObjectiveSource": objectives.ObjectiveSource,
    "ConfigurationProblem": failures.ConfigurationProblem,
    "PipelineCheck": PipelineCheck,
    "UserError": UserError,
    "ParameterSet": parameter_sets.ParameterSet,
    "OmittedParameter": parameter_sets.OmittedParameter,
    "ApiKey": ApiKey,
    "WorkerStatus": WorkerStatus,
    "MeasurementUpload": MeasurementUpload,
    **{kind.__name__: Outcome for kind in OUTCOMES.values()},
}
"""Classes of the objects that projections read."""


@pytest.mark.parametrize("type_name", sorted(PROJECTED))
def test_projections_read_every_field_of(type_name: str) -> None:
    kind = graphql_schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    names = {field_definition(field).python_name for field in kind.fields.values()}
    made = MADE[type_name]
    assert {name for name in names if not hasattr(made, name) and name not in get_annotations(made)} == set()
