# SPDX-License-Identifier: Apache-2.0
"""SVG of one metric: a panel per cell, a bar per preset."""
from html import escape

COLUMNS, PANEL, LINE, LEFT, HEAD = 4, 330, 17, 152, 26
OWN_COLOUR, COLOUR, BROKEN = "#1b7f79", "#9aa5b1", "#e3b7b1"


def panels(path, title, cells, presets, value, ok, unit):
    """value(cell, preset) -> float or None; ok(cell, preset) -> whether it kept the intent."""
    height = HEAD + LINE * len(presets) + 14
    rows = -(-len(cells) // COLUMNS)
    width, total = COLUMNS * PANEL, 64 + rows * height
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" '
           'font-family="sans-serif" font-size="11">',
           f"<title>{escape(title)}</title>",
           f'<rect width="{width}" height="{total}" fill="#ffffff"/>',
           f'<text x="8" y="20" font-size="15" font-weight="bold">{escape(title)}</text>',
           '<text x="8" y="38">Median of the repeats. Pale: the intent was not kept (or the guest '
           "did not arrive).</text>"]
    for at, cell in enumerate(cells):
        x, y = (at % COLUMNS) * PANEL, 52 + (at // COLUMNS) * height
        values = {p: value(cell, p) for p in presets}
        top = max((v for v in values.values() if v), default=1) or 1
        out.append(f'<text x="{x + LEFT}" y="{y + 12}" font-weight="bold">{escape(cell)}</text>')
        for i, preset in enumerate(presets):
            line = y + HEAD - 6 + i * LINE
            out.append(f'<text x="{x + LEFT - 6}" y="{line + 11}" text-anchor="end">'
                       f"{escape(preset)}</text>")
            number = values[preset]
            if number is None:
                out.append(f'<text x="{x + LEFT}" y="{line + 11}" fill="#8a8f98">not moved</text>')
                continue
            long = (PANEL - LEFT - 62) * number / top
            colour = BROKEN if not ok(cell, preset) else \
                OWN_COLOUR if preset.startswith("intent") else COLOUR
            out.append(f'<rect x="{x + LEFT}" y="{line + 1}" width="{max(long, 1):.1f}" '
                       f'height="12" fill="{colour}"/>')
            out.append(f'<text x="{x + LEFT + long + 5:.1f}" y="{line + 11}">{number:.3g} {unit}'
                       "</text>")
    path.write_text("\n".join([*out, "</svg>"]) + "\n")
