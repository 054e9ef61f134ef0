"""Plot of a fit: data and model, and their difference below. It needs matplotlib, of the extra `data`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.cli.pipelines.client import Refused

FORMATS = (".png", ".pdf", ".svg")
DPI = 150


def require_plotting(file: Path) -> None:
    """Raise Refused if no plot can be written to this file."""
    if file.suffix.lower() not in FORMATS:
        raise Refused(f"--plot must name a file that ends in {', '.join(FORMATS)}, not {file.name!r}.")
    if find_spec("matplotlib") is None:
        raise Refused("--plot needs matplotlib. Install the extra `data`: pip install 'voltgraph[data]'.")


def plot(series: dict[str, Sequence[float | None]], title: str, file: Path) -> None:
    """Write data and model of the first variable, and their difference, over the axis."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    axis = next(iter(series))
    variable = next(name.removesuffix(" (data)") for name in series if name.endswith(" (data)"))
    x, data, model = (_numbers(series[name]) for name in (axis, f"{variable} (data)", f"{variable} (model)"))
    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, height_ratios=(3, 1), layout="constrained")
    above.plot(x, data, ".", markersize=3, color="0.6", label="Data")
    above.plot(x, model, color="C0", label="Model")
    above.set(ylabel=variable, title=title)
    above.legend()
    below.plot(x, [m - d for m, d in zip(model, data, strict=True)], color="C0", linewidth=1)
    below.set(xlabel=axis, ylabel="Model - data")
    figure.savefig(file, dpi=DPI)
    pyplot.close(figure)


def _numbers(values: Sequence[Any]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
