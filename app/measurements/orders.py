"""Orders of measurements and cells, for both APIs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from app.models.enums import DescribedEnum
from app.models.measurements import CellInstance, CellSpecification, Measurement
from app.pipelines.lists.pagination import Order

OrderColumn = Literal["id", "name", "created_at", "updated_at", "start_time"]
"""Columns that REST sorts by."""


class MeasurementOrderField(DescribedEnum):
    """Sort key of measurements. Ties are broken by `id`."""

    CREATED_AT = "created_at", "When it was created."
    UPDATED_AT = "updated_at", "When it last changed."
    NAME = "name", "Its name, in binary order of UTF-8."


class MeasurementOrder(Order):
    """Total order of measurements, nulls last."""

    __slots__ = ()
    model: ClassVar[Any] = Measurement


class CellSpecificationOrder(Order):
    """Total order of cell specifications."""

    __slots__ = ()
    model: ClassVar[Any] = CellSpecification


class CellInstanceOrder(Order):
    """Total order of cell instances."""

    __slots__ = ()
    model: ClassVar[Any] = CellInstance
