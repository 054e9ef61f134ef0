"""Random currents as cyclers log them: smooth and stepped, at intervals from 0.1 s to 300 s, mixed, and after long
rests.

Times [s] rise from zero. A current [A] is for a half-full cell of 5 A.h, and changes its charge by 25% at most.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Random = np.random.Generator
CAPACITY = 5.0
MAX_ROWS = 3_000
MAX_CURRENT = CAPACITY
SAMPLING = (0.1, 1.0, 10.0, 60.0, 300.0)
"""Times between rows [s]."""


def smooth(random: Random, times: Array) -> Array:
    """Waves and bells of several lengths, from a tenth of the rows, or some twenty rows, to all of them."""
    span, step = times[-1], float(np.max(np.diff(times)))
    shortest = random.choice([20 * step, span / 10])
    current = np.zeros(times.size)
    for _ in range(random.integers(1, 5)):
        length = np.exp(random.uniform(*np.sort(np.log([shortest, span]))))
        at, size = random.uniform(0, span), random.uniform(-1, 1)
        if random.random() < 0.5:
            current += size * np.sin(2 * np.pi * (times - at) / length)
        else:
            current += size * np.exp(-(((times - at) / length * 6) ** 2) / 2)
    return current


def stepped(random: Random, times: Array) -> Array:
    """A current that is constant between steps, each one row wide."""
    edges = np.sort(random.choice(times, random.integers(1, min(40, times.size // 2)), replace=False))
    levels = random.choice([-1.0, -0.3, 0.0, 0.0, 0.2, 0.5, 1.0], edges.size + 1)
    current: Array = levels[np.searchsorted(edges, times)]
    return current


def noisy(random: Random, times: Array) -> Array:
    """A smooth or stepped current with noise, from far below to far above the tolerance."""
    noise = 10 ** random.uniform(-7, -1) * random.normal(size=times.size)
    current: Array = random.choice([smooth, stepped])(random, times) + noise
    return current


def evenly(random: Random) -> Array:
    times: Array = random.choice(SAMPLING) * np.arange(random.integers(20, MAX_ROWS))
    return times


def mixed(random: Random) -> Array:
    """A current with stretches of different sampling."""
    parts = [random.choice(SAMPLING[:4]) * np.ones(random.integers(10, 400)) for _ in range(random.integers(2, 6))]
    times: Array = np.append(0.0, np.cumsum(np.concatenate(parts)))
    return times


def bursts(random: Random) -> tuple[Array, Array]:
    """Long rests, and pulses between them that are logged ten to a hundred times as often: bells, steps or waves."""
    steps, current = [], [0.0]
    for _ in range(random.integers(1, 4)):
        rest = random.integers(30, 200)
        steps += [random.choice([10.0, 30.0, 60.0])] * rest
        current += [0.0] * int(rest)
        rows, step = int(random.integers(50, 700)), random.choice([0.1, 1.0])
        place = np.arange(1, rows + 1) / rows
        shape = random.choice(["bell", "step", "wave"])
        size = random.uniform(-1, 1)
        if shape == "bell":
            pulse = np.exp(-(((place - 0.5) * random.uniform(10, 14)) ** 2) / 2)
        elif shape == "step":
            pulse = np.where(place < 0.8, 1.0, 0.0)
        else:
            pulse = np.sin(np.pi * place) ** 2 * np.cos(random.integers(0, 8) * np.pi * place)
        steps += [step] * rows
        current += (size * pulse).tolist()
    steps += [60.0] * 60
    current += [0.0] * 60
    return np.append(0.0, np.cumsum(steps)), np.array(current)


KINDS: dict[str, Callable[[Random], tuple[Array, Array]]] = {
    "smooth": lambda random: (times := evenly(random), smooth(random, times)),
    "stepped": lambda random: (times := evenly(random), stepped(random, times)),
    "noisy": lambda random: (times := evenly(random), noisy(random, times)),
    "mixed rates": lambda random: (times := mixed(random), random.choice([smooth, stepped])(random, times)),
    "bursts after rests": bursts,
}


def random_current(seed: int) -> tuple[str, Array, Array]:
    """Return the kind, the times and a current for a seed."""
    random = np.random.default_rng(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    times, shape = KINDS[kind](random)
    passed = np.concatenate([[0.0], np.cumsum(np.diff(times) * (shape[1:] + shape[:-1]) / 2)]) / 3600
    most = max(float(np.abs(passed).max()) / (0.25 * CAPACITY), float(np.abs(shape).max()) / MAX_CURRENT, 1e-9)
    return kind, times, shape / most * random.choice([1.0, 1.0, 0.3, 0.01])
