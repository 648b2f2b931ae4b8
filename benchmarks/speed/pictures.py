"""Lines on two axes as an SVG, drawn as the reliability curve of matching is: without a library."""

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, MARGIN = 480, 300, 60
COLOURS = ("teal", "darkorange", "slateblue", "crimson")
FRAME = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" \
font-size="12">
<rect width="100%" height="100%" fill="white"/>
<g transform="translate({m},{m})">
<path d="M0 {h}H{w}M0 {h}V0" stroke="black"/>
{content}
<text x="{middle}" y="{below}" text-anchor="middle">{across}</text>
<text x="{middle}" y="-28" text-anchor="middle">{title}</text>
</g></svg>
"""

type Lines = Mapping[str, Sequence[tuple[float, float]]]


class Axis:
    """Where a value stands; `steps` of ten when the values span more than one of them."""

    def __init__(self, values: Sequence[float], length: int, *, logarithmic: bool) -> None:
        self._logarithmic = logarithmic
        self._least = math.floor(math.log10(min(values))) if logarithmic else 0.0
        most = math.ceil(math.log10(max(values)) - 1e-9) if logarithmic else _round_up(max(values))
        self._span = max(most - self._least, 1e-9)
        self._length = length

    def at(self, value: float) -> float:
        """How far from the origin."""
        shown = math.log10(value) if self._logarithmic else value
        return self._length * (shown - self._least) / self._span

    def ticks(self) -> list[float]:
        """The values that are written at the axis."""
        if self._logarithmic:
            return [10.0 ** (self._least + step) for step in range(int(self._span) + 1)]
        return [self._span * step / 5 for step in range(6)]


def lines(title: str, across: str, found: Lines, *, log_x: bool, log_y: bool = False) -> str:
    """An SVG of these lines, each with its name."""
    points = [point for line in found.values() for point in line]
    x = Axis([each for each, _ in points], WIDTH, logarithmic=log_x)
    y = Axis([each for _, each in points], HEIGHT, logarithmic=log_y)
    content = [
        f'<text x="{x.at(value):.0f}" y="{HEIGHT + 18}" text-anchor="middle">{value:,g}</text>' for value in x.ticks()
    ]
    content += [
        f'<text x="-8" y="{HEIGHT - y.at(value) + 4:.0f}" text-anchor="end">{value:,g}</text>' for value in y.ticks()
    ]
    for number, (name, line) in enumerate(found.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(x.at(across_), HEIGHT - y.at(up)) for across_, up in line]
        path = " ".join(f"{across_:.1f},{up:.1f}" for across_, up in places)
        content.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        content += [f'<circle cx="{across_:.1f}" cy="{up:.1f}" r="3" fill="{colour}"/>' for across_, up in places]
        content.append(f'<text x="10" y="{15 * number}" fill="{colour}">{name}</text>')
    return FRAME.format(
        width=WIDTH + 2 * MARGIN,
        height=HEIGHT + 2 * MARGIN,
        m=MARGIN,
        h=HEIGHT,
        w=WIDTH,
        middle=WIDTH // 2,
        below=HEIGHT + 42,
        across=across,
        title=title,
        content="\n".join(content),
    )


def _round_up(value: float) -> float:
    step = 10.0 ** math.floor(math.log10(value))
    return math.ceil(value / step) * step
