"""A flame graph as an SVG without scripts: a frame stands above its caller, as wide as its share of the time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape

WIDTH, ROW, TOP = 1_000, 16, 28
LEAST_SHARE = 0.005
"""Narrower frames are left out."""
LETTER = 6.2
COLOURS = (("services/", "#7bc67e"), ("service_runtime/", "#6fb1d8"), ("sqlalchemy/", "#e9b872"), ("", "#d8d3cd"))
"""By what stands in the frame; the first that fits."""

type Stacks = Mapping[tuple[str, ...], int]


def flames(title: str, stacks: Stacks) -> str:
    """The picture of these stacks, widest first."""
    boxes = list(_boxes(stacks, 0, 0.0, LEAST_SHARE * sum(stacks.values())))
    scale = WIDTH / sum(stacks.values())
    height = TOP + ROW * (1 + max((depth for _, depth, _, _ in boxes), default=0))
    drawn = [_drawn(frame, at * scale, height - ROW * (depth + 1), times * scale) for frame, depth, at, times in boxes]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="monospace"'
            ' font-size="10">',
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="4" y="16" font-size="12">{escape(title)}</text>',
            *drawn,
            "</svg>\n",
        ]
    )


def _boxes(stacks: Stacks, depth: int, at: float, least: float) -> Iterator[tuple[str, int, float, int]]:
    """Frame, depth, where it begins and how often it was seen."""
    callees: dict[str, Counter[tuple[str, ...]]] = {}
    for frames, times in stacks.items():
        if frames:
            callees.setdefault(frames[0], Counter())[frames[1:]] += times
    for frame, above in sorted(callees.items(), key=lambda each: -each[1].total()):
        if above.total() >= least:
            yield frame, depth, at, above.total()
            yield from _boxes(above, depth + 1, at, least)
            at += above.total()


def _drawn(frame: str, x: float, y: int, width: float) -> str:
    colour = next(colour for mark, colour in COLOURS if mark in frame)
    name = frame.partition(" (")[0].rpartition("<locals>.")[2]
    room = int((width - 4) / LETTER)
    shown = name if len(name) <= room else name[: room - 1] + "…" if room > 3 else ""
    share = f"{100 * width / WIDTH:.1f} %"
    return (
        f'<g><title>{escape(frame)}: {share}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}"'
        f' fill="{colour}"/><text x="{x + 2:.1f}" y="{y + 11}">{escape(shown)}</text></g>'
    )
