"""The plot: how many times better ours is, as bars on a logarithmic scale."""

import math
from xml.sax.saxutils import escape

import table

ROW = 22
LEFT = 300
WIDTH = 460


def svg(medians):
    bars = [(name, better) for name, _, _, better in table.rows(medians) if better]
    most = max([better for _, better in bars] + [10])
    scale = WIDTH / math.log10(most * 1.1)
    height = ROW * (len(bars) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 70}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="14">times better than the Python worker (logarithmic)</text>',
    ]
    for power in range(int(math.log10(most)) + 1):
        x = LEFT + power * scale
        parts.append(
            f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{ROW}" y2="{height - ROW}" stroke="#ccc"/>'
            f'<text x="{x:.0f}" y="{height - 6}" text-anchor="middle">{10**power}</text>'
        )
    for number, (name, better) in enumerate(bars):
        y = ROW * (number + 1)
        length = scale * math.log10(better)
        x, width = (LEFT, length) if length >= 0 else (LEFT + length, -length)
        fill = "#2a7fb8" if length >= 0 else "#c0392b"
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="14" fill="{fill}"/>'
            f'<text x="{LEFT + max(length, 0) + 6:.1f}" y="{y + 15}">{better:.1f}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
