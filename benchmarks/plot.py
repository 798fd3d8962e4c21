"""Draws the growth figures as SVG by hand: two panels side by side, logarithmic axes, for light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 320, 62, 22, 66, 48
STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #57606a } .title { font-weight: 600; font-size: 14px; fill: #1f2328 }
.card { fill: #ffffff } .grid { stroke: #d8dee4 } .l0, .l1, .l2, .l3 { fill: none; stroke-width: 2 }
.l0 { stroke: #0969da } .l1 { stroke: #bc4c00 } .l2 { stroke: #1a7f37 } .l3 { stroke: #8250df }
.t0 { fill: #0969da } .t1 { fill: #bc4c00 } .t2 { fill: #1a7f37 } .t3 { fill: #8250df } .t { font-size: 11px }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .title { fill: #f0f6fc } .card { fill: #0d1117 } .grid { stroke: #30363d }
.l0 { stroke: #4493f8 } .l1 { stroke: #f0883e } .l2 { stroke: #3fb950 } .l3 { stroke: #ab7df8 }
.t0 { fill: #4493f8 } .t1 { fill: #f0883e } .t2 { fill: #3fb950 } .t3 { fill: #ab7df8 } }
"""
NEAR: Final = 13
CROWDED: Final = 38  # pixels between two values, below which the second goes to the other side of its line
ROOM: Final = 0.2  # decades below the lowest value, for its number
SLACK: Final = 0.03  # decades: 96 stands at the edge of a diagram that begins with 100

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram: which lines of a measure, and what the axes say."""

    title: str
    across: str
    lines: tuple[str, ...]


FIGURES: Final[dict[str, tuple[Panel, ...]]] = {
    "rooms": (
        Panel(
            "CPU of a message to 6, µs", "sessions; 20 of them talk", ("beside idle rooms", "beside none", "no network")
        ),
        Panel(
            "Memory of an idle room with one person, bytes", "rooms with someone in", ("memory", "memory, no network")
        ),
    ),
    "size": (
        Panel("CPU of a delivery, µs", "connections in the room", ("one in flight", "eight in flight")),
        Panel("CPU of a connect, µs", "connections in the room, of 100 people at most", ("joining",)),
    ),
    "history": (
        Panel("CPU of storing a message, µs", "messages in the session", ("store: server", "store: PostgreSQL")),
        Panel("CPU of reading a page of 50, µs", "messages in the session", ("read: newest", "read: from the middle")),
    ),
    "connections": (
        Panel("CPU of a connect, µs", "connections", ("CPU of a connect",)),
        Panel("Memory of a connection, bytes", "connections", ("memory",)),
    ),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """Decades onto pixels."""

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def of(cls, values: list[float], start: float, end: float, *, room: float = 0.0) -> Scale:
        low, high = floor(log10(min(values)) + SLACK - room), ceil(log10(max(values)) - SLACK)
        return cls(low, max(high, low + 1), start, end)

    def at(self, value: float) -> float:
        return self.start + (log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def decades(self) -> list[int]:
        return list(range(self.low, self.high + 1))


def short(value: float) -> str:
    """A number as an axis shows it."""
    value = float(f"{value:.3g}")
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def panel_svg(panel: Panel, measured: dict[str, Points], left: float) -> list[str]:
    lines = {name: [(x, y) for x, y in measured.get(name, []) if y > 0] for name in panel.lines}
    points = [point for line in lines.values() for point in line]
    if not points:
        return []
    x = Scale.of([at for at, _ in points], left + LEFT, left + WIDTH - RIGHT)
    y = Scale.of([value for _, value in points], HEIGHT - BOTTOM, TOP, room=ROOM)
    drawn = [f'<text class="title" x="{left + 16}" y="26">{escape(panel.title)}</text>']
    for power in y.decades:
        at = y.at(10**power)
        drawn.append(f'<path class="grid" d="M{x.start:.1f} {at:.1f}H{x.end:.1f}"/>')
        drawn.append(
            f'<text class="t" x="{x.start - 8:.1f}" y="{at + 4:.1f}" text-anchor="end">{short(10**power)}</text>'
        )
    for power in x.decades:
        at = x.at(10**power)
        drawn.append(f'<path class="grid" d="M{at:.1f} {y.start:.1f}V{y.end:.1f}"/>')
        drawn.append(
            f'<text class="t" x="{at:.1f}" y="{y.start + 17:.1f}" text-anchor="middle">{short(10**power)}</text>'
        )
    middle = (x.start + x.end) / 2
    drawn.append(
        f'<text class="t" x="{middle:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(panel.across)}</text>'
    )
    tops = {at: max(value for other, value in points if other == at) for at, _ in points}
    for number, (name, line) in enumerate(lines.items()):
        drawn += line_svg(number, [(x.at(at), y.at(value), value, value == tops[at]) for at, value in line])
        if len(lines) > 1:
            drawn.append(f'<text class="t t{number}" x="{left + 16 + 150 * number}" y="46">● {escape(name)}</text>')
    return drawn


def line_svg(number: int, spots: list[tuple[float, float, float, bool]]) -> list[str]:
    """A line and its values: above it where it is the highest, else below."""
    last, was_above = 0.0, False
    drawn = [f'<path class="l{number}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in spots)}"/>']
    for x, y, value, is_top in spots:
        above = not was_above if x - last < CROWDED else is_top
        last, was_above = x, above
        at = y - NEAR + 5 if above else y + NEAR + 3
        drawn.append(f'<circle class="t{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        drawn.append(f'<text class="t t{number}" x="{x:.1f}" y="{at:.1f}" text-anchor="middle">{short(value)}</text>')
    return drawn


def figure_svg(panels: tuple[Panel, ...], measured: dict[str, Points]) -> str:
    width = WIDTH * len(panels)
    body = [part for place, panel in enumerate(panels) for part in panel_svg(panel, measured, place * WIDTH)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}">'
    card = f'<rect class="card" width="{width}" height="{HEIGHT}" rx="8"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", card, *body, "</svg>", ""])


def draw(figures: dict[str, Any]) -> None:
    """Write docs/growth-NAME.svg for everything that was measured."""
    for name, panels in FIGURES.items():
        if name in figures:
            (DOCS / f"growth-{name}.svg").write_text(figure_svg(panels, figures[name]), encoding="utf-8")
