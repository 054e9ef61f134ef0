"""Validation of hostile configurations: checked elements, or every problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from app.battery.calculations import CALCULATIONS, REFUSED_CALCULATIONS
from app.battery.checked_element import CheckedElement, ElementResult, Known, ParsedElement
from app.battery.checks.fields import MAX_TEXT, Field, Settings, settle, shown, source, suggestion
from app.battery.checks.guard import value_faults
from app.battery.checks.public_schema import schema_faults
from app.battery.entries import ENTRIES, REFUSED_ENTRIES
from app.battery.entries.bpx.document import read_document
from app.battery.entries.parameter_sets import PARAMETER_SET, PARAMETER_SETS, parameter_set
from app.battery.expressions.symbols import decode, encode
from app.battery.fit.configuration import parse_fit as data_fit
from app.battery.functions import ElementFunction, Inputs, Made
from app.battery.objectives.data.references import bind_references
from app.battery.validation import parse_validation as validation
from app.execution.executor import Fault, Job, JobFailed

PREPARED_SETS = ("Chen2020", "Marquis2019", "OKane2022")
MAX_FAULTS = 100
MAX_VALUES = 10_000
ELSEWHERE = ("pipeline_id", "keep", "cell_spec_id", "mapping", "path")
"""Fields of an entry that refer to parameters stored elsewhere."""
CITATIONS = "citations"
"""Key of a list that PyBaMM stores among its parameters; it is not passed on."""
KINDS = {
    "entry": "entry",
    "directentry": "entry",
    "calculation": "calculation",
    "datafit": "data_fit",
    "validation": "validation",
    "arraydatafit": "array_data_fit",
    "linearconfidenceinterval": "linear_confidence_interval",
    "sobolsensitivity": "sobol_sensitivity",
}
"""Element types by wire word or display label, in lower case without spaces and underscores."""
WORDS = ("entry", *sorted({*KINDS.values()} - {"entry"}))
SOURCE = Field(source, None)


def faults(jobs: Sequence[Job]) -> list[list[Fault]]:
    """Return the problems of each job of a pipeline, in order."""
    known: Known | None = {}
    found = []
    for job in jobs:
        work, wrong = parse_element(job)
        if work is not None and known is not None:
            wrong = work.unfit(known)[:MAX_FAULTS]
        known = None if known is None or work is None else _after(known, work)
        found.append(wrong)
    return found


def _after(known: Known, work: CheckedElement) -> Known | None:
    """Return the values known after an element; None if they depend on its run."""
    try:
        return None if work.sets is None else {**known, **work.sets()}
    except JobFailed:
        return None


def parse_element(job: Job) -> ParsedElement:
    """Check a job. Return no element if there are problems."""
    config = {name: value for name, value in bind_references(job).items() if name != "element_type"}
    word = job.config.get("element_type", job.type.value)
    kind = KINDS.get(word.lower().replace("_", "").replace(" ", "")) if isinstance(word, str) else None
    at = ("element_type",) if "element_type" in job.config else ()
    if kind == "entry":
        work, faults = _named_entry(config) if config.get("name") is not None else _inline_entry(config)
    elif kind in PLANS:
        work, faults = PLANS[kind](config)
    elif kind:
        work, faults = None, [Fault(f"{kind} is not supported yet.", at)]
    else:
        work, faults = None, [Fault(f"{shown(word)} is no element type{suggestion(word, WORDS)}.", at)]
    return None if faults else work, faults[:MAX_FAULTS]


def _elsewhere(config: Mapping[str, Any]) -> list[Fault]:
    message = "`{}` is not supported: parameters must be in the configuration itself."
    return [Fault(message.format(name), (name,)) for name in ELSEWHERE if config.get(name) is not None]


def _inline_entry(config: dict[str, Any]) -> ParsedElement:
    faults = _elsewhere(config)
    values = config.get("values")
    others = {name: value for name, value in config.items() if name not in (*ELSEWHERE, "values")}
    fields = {
        "source": SOURCE,
        "provenance": Field(lambda value: None, None),
        "parameter_set": PARAMETER_SET,
        "bpx": Field(lambda value: None, None),
    }
    settings, more = settle(fields, others)
    faults += more
    base = parameter_set(settings["parameter_set"]) if settings.get("parameter_set") else {}
    document, more = (None, []) if settings.get("bpx") is None else read_document(settings["bpx"], ("bpx",))
    faults += more
    if document is not None:
        base, settings["bpx"] = base | document.values, document.header
    if values is None and not base and not faults:
        faults.append(Fault("An entry needs `values`, a `parameter_set`, `bpx`, or the `name` of an entry function."))
    elif values is not None and (not isinstance(values, dict) or len(values) > MAX_VALUES):
        faults.append(Fault(f"`values` must be an object of at most {MAX_VALUES} parameters.", ("values",)))
        values = None
    given = {name: value for name, value in (values or {}).items() if name != CITATIONS}
    wrong = {name: found for name, value in given.items() if (found := list(_parameter_faults(name, value)))}
    faults += [fault for found in wrong.values() for fault in found]
    sound = {name: value for name, value in given.items() if name not in wrong}
    kept = {name: value for name, value in settings.items() if value is not None}
    public = {name: value for name, value in kept.items() if name not in ("parameter_set", "bpx")}
    faults += schema_faults({"element_type": "entry", "values": sound} | public)
    product = ElementResult(base | given, fields={} if document is None else {"warnings": document.warnings})

    def sets() -> Made:
        usual = settings.get("parameter_set") if document is None else None
        return decoded_set(usual) | _decoded(given) if usual else _decoded(product.values)

    return CheckedElement({"element_type": "entry"} | kept, lambda inputs, report: product, sets), faults


def _decoded(values: Mapping[str, Any]) -> Made:
    return {name: decode(encode(name, value)) for name, value in values.items()}


@lru_cache(maxsize=len(PARAMETER_SETS))
def decoded_set(name: str) -> Made:
    """Return the values of a parameter set as an element passes them on. They are never changed."""
    return _decoded(parameter_set(name))


def prepare() -> None:
    """Decode the usual parameter sets once, before processes are forked: the check of a fit then takes about half of
    its CPU time."""
    for name in PREPARED_SETS:
        decoded_set(name)


def _parameter_faults(name: str, value: Any) -> Iterator[Fault]:
    path = ("values", name)
    if not name.strip() or len(name) > MAX_TEXT:
        yield Fault(f"A parameter's name must have from 1 to {MAX_TEXT} characters.", path)
    found = list(value_faults(value, path))
    yield from found
    if not found:
        try:
            decode(value)
        except ValueError as error:
            yield Fault(str(error), path)


def _named_entry(config: dict[str, Any]) -> ParsedElement:
    name = config["name"]
    given = {key: value for key, value in config.items() if key not in ("name", *ELSEWHERE)}
    faults = _elsewhere(config)
    recipe = _recipe(name, ENTRIES, REFUSED_ENTRIES, "entry function", ("name",), faults)
    if recipe is None:
        return None, faults
    work, faults = _planned({"element_type": "entry", "name": name}, recipe, given, faults)
    if work is None:
        return None, faults
    # The values of an entry do not depend on earlier elements.
    return replace(work, sets=lambda: _decoded(work.make(Inputs({}), lambda progress: None).values)), []


def _calculation(config: dict[str, Any]) -> ParsedElement:
    words = {key: config[key] for key in ("type", "calculation") if config.get(key) is not None}
    faults: list[Fault] = []
    if not words:
        return None, [Fault("`type` is missing: it names the calculation.", ("type",))]
    (key, name), *others = words.items()
    faults += [Fault("`calculation` contradicts `type`. Keep the latter.", (key,)) for key, v in others if v != name]
    recipe = _recipe(name, CALCULATIONS, REFUSED_CALCULATIONS, "calculation", (key,), faults)
    if recipe is None:
        return None, faults
    given = {key: value for key, value in config.items() if key not in ("type", "calculation")}
    return _planned({"element_type": "calculation", "type": name}, recipe, given, faults)


def _recipe(
    name: Any,
    known: dict[str, ElementFunction],
    refused: dict[str, str],
    what: str,
    path: tuple[str],
    faults: list[Fault],
) -> ElementFunction | None:
    """Return the function with a name, or a problem that gives the reason."""
    word = name if isinstance(name, str) else ""
    if word in refused:
        faults.append(Fault(f"{word} is not supported: {refused[word]}.", path))
    elif word not in known:
        faults.append(Fault(f"Unknown {what} {shown(name)}{suggestion(name, [*known, *refused])}.", path))
    return known.get(word)


def _planned(head: Settings, recipe: ElementFunction, given: dict[str, Any], faults: list[Fault]) -> ParsedElement:
    settings, more = settle({**recipe.fields, "source": SOURCE}, given)
    faults += more
    shown_settings = dict(settings)
    if recipe.load is not None and "data" in settings:
        settings["data"] = loaded = recipe.load(settings["data"], ("data",))
        shown_settings["data"] = {"options": loaded.options} if loaded.options else {}
        faults += loaded.faults
    if not faults:
        faults += schema_faults(head | {name: given[name] for name in recipe.fields if name in given})
    effective = head | {name: value for name, value in shown_settings.items() if name != "source" or value is not None}
    return None if faults else CheckedElement(
        effective, lambda inputs, report: ElementResult(recipe.run(settings, inputs))
    ), faults


PLANS = {"calculation": _calculation, "data_fit": data_fit, "validation": validation}
