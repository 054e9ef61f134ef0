"""Additional checks by the public schema, applied to configurations that passed the checks here."""

from __future__ import annotations

import ionworks_schema
from pydantic import ValidationError

from app.battery.checks.fields import Path, Settings
from app.execution.executor import Fault


def schema_faults(config: Settings) -> list[Fault]:
    try:
        ionworks_schema.validate_element(config)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        entry = config["element_type"] == "entry"
        return [Fault(f"{each['msg']}.", _place(each["loc"]) if entry else each["loc"]) for each in details]
    except ValueError as error:
        return [Fault(str(error))]
    return []


def _place(location: tuple[int | str, ...]) -> Path:
    """Translate a path: the schema calls an entry's values `parameters`."""
    return ("values", *location[1:]) if location[:1] == ("parameters",) else location
