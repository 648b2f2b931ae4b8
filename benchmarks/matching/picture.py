"""The reliability curve as an SVG: of all suggestions with this confidence, how many are right."""

from collections.abc import Sequence

SIDE, MARGIN = 400, 50
FRAME = """<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{w}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<g transform="translate({m},{m})">
<path d="M0 {s}H{s}M0 {s}V0" stroke="black"/>
<path d="M0 {s}L{s} 0" stroke="gray" stroke-dasharray="4"/>
{content}
<text x="{h}" y="{below}" text-anchor="middle">confidence</text>
<text transform="translate(-36,{h}) rotate(-90)" text-anchor="middle">right</text>
<text x="{h}" y="-20" text-anchor="middle">{title}</text>
</g></svg>
"""


def reliability_curve(points: Sequence[tuple[float, float, int]], title: str) -> str:
    """An SVG of mean confidence, share that is right, and count; the area of a dot grows with the count."""
    most = max((count for *_, count in points), default=1)
    content = [_tick(tenth / 5) for tenth in range(6)]
    places = [(SIDE * x, SIDE * (1 - y), count) for x, y, count in points]
    content.append(
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)}" fill="none" stroke="teal"/>'
    )
    for x, y, count in places:
        radius = 3 + 9 * (count / most) ** 0.5
        content.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="teal" fill-opacity="0.6"/>')
        content.append(
            f'<text x="{x - radius - 3:.1f}" y="{y - 4:.1f}" text-anchor="end" fill="dimgray">{count}</text>'
        )
    return FRAME.format(
        w=SIDE + 2 * MARGIN, m=MARGIN, s=SIDE, h=SIDE // 2, below=SIDE + 38, content="\n".join(content), title=title
    )


def _tick(share: float) -> str:
    place = SIDE * share
    return (
        f'<text x="{place:.0f}" y="{SIDE + 18}" text-anchor="middle">{share:.1f}</text>'
        f'<text x="-8" y="{SIDE - place + 4:.0f}" text-anchor="end">{share:.1f}</text>'
    )
