"""SDL of the schema."""

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    specified_scalar_types,
)

from app.main import sdl
from schema import graphql_schema
from tests.api import ROOT


def test_the_committed_sdl_is_the_schema() -> None:
    assert (ROOT / "schema" / "schema.graphql").read_text() == sdl(), "run `make schema`"


def described(type_: GraphQLNamedType) -> dict[str, str | None]:
    """Return the descriptions of a type and its members, by path."""
    found = {type_.name: type_.description}
    if isinstance(type_, GraphQLEnumType):
        found |= {f"{type_.name}.{name}": value.description for name, value in type_.values.items()}
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        found |= {f"{type_.name}.{name}": field.description for name, field in type_.fields.items()}
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            found |= {f"{type_.name}.{name}({key})": argument.description for key, argument in field.args.items()}
    return found


def test_everything_is_described() -> None:
    ours = [
        type_
        for name, type_ in graphql_schema.type_map.items()
        if not name.startswith("__") and name not in specified_scalar_types
    ]
    assert len(ours) > 20
    descriptions = {place: text for type_ in ours for place, text in described(type_).items()}
    assert [place for place, text in descriptions.items() if not text] == []
