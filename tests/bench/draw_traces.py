#!/usr/bin/env python3
"""Draws how gradients fade with their distance in time, from files of --trace-gradients.

    tests/bench/draw_traces.py rnn.jsonl lstm.jsonl gru.jsonl > gradients.svg
    tests/bench/draw_traces.py --table rnn.jsonl lstm.jsonl gru.jsonl

A panel for the first trace and one for the last; a line a file, named as the
file is, of norms divided by the one at distance 0. The table has the same
numbers at some distances, in Markdown.
"""
import json
import math
import os
import sys

COLOURS = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
DISTANCES = [0, 1, 5, 10, 20, 40, 60, 80, 100, 120]
PANEL, GAP, LEFT, TOP, HEIGHT = 330, 60, 58, 44, 240
DECADES = 8  # below 1 that are shown


def read(path):
    """(name, first trace, last trace), each (update, norms)."""
    with open(path, encoding="utf-8") as file:
        traces = [json.loads(line) for line in file]
    ends = [(t["update"], t["gradient_norms"]) for t in (traces[0], traces[-1])]
    return os.path.splitext(os.path.basename(path))[0], ends[0], ends[1]


def relative(norms):
    return [norm / norms[0] for norm in norms]


def table(files):
    print("| cell | update | norm at 0 | " + " | ".join(str(k) for k in DISTANCES[1:]) + " |")
    print("|---|---|---|" + "---|" * (len(DISTANCES) - 1))
    for name, *traces in files:
        for update, norms in traces:
            cells = [f"{relative(norms)[k]:.1e}" for k in DISTANCES[1:] if k < len(norms)]
            print(f"| {name} | {update} | {norms[0]:.1e} | " + " | ".join(cells) + " |")


def height_of(value):
    return TOP + HEIGHT * -math.log10(value) / DECADES


def shown(norms):
    """Up to where they first leave the panel."""
    inside = [value > 10.0**-DECADES for value in relative(norms)]
    return relative(norms)[:inside.index(False) if False in inside else None]


def panel(left, title, lines, steps, out):
    out.append(f'<text x="{left}" y="{TOP - 18}" font-weight="bold">{title}</text>')
    for decade in range(0, DECADES + 1, 2):
        y = height_of(10.0**-decade)
        out.append(f'<path d="M{left} {y:.1f}h{PANEL}" stroke="#ddd"/>')
        label = "1" if decade == 0 else f'10<tspan dy="-5" font-size="9">−{decade}</tspan>'
        out.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for k in range(0, steps, 20):
        x = left + PANEL * k / (steps - 1)
        out.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{k}</text>')
    for colour, norms in lines:
        points = " ".join(f"{left + PANEL * k / (steps - 1):.1f},{height_of(value):.1f}"
                          for k, value in enumerate(shown(norms)))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>')


def draw(files):
    steps = max(len(norms) for _, *traces in files for _, norms in traces)
    width = LEFT + 2 * PANEL + GAP + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 66}"'
           ' font-family="sans-serif" font-size="12" fill="#222">',
           '<rect width="100%" height="100%" fill="white"/>']
    for i, title in enumerate(["before the first update", f"at update {files[0][2][0]}"]):
        lines = [(COLOURS[n % len(COLOURS)], file[1 + i][1]) for n, file in enumerate(files)]
        panel(LEFT + i * (PANEL + GAP), title, lines, steps, out)
    y = TOP + HEIGHT + 48
    out.append(f'<text x="{LEFT}" y="{y}">norm of the gradient by steps back in time, '
               "at distance 0 = 1</text>")
    for n, (name, *_) in enumerate(files):
        x = LEFT + PANEL + GAP + 70 * n
        colour = COLOURS[n % len(COLOURS)]
        out.append(f'<path d="M{x} {y - 4}h18" stroke="{colour}" stroke-width="3"/>'
                   f'<text x="{x + 23}" y="{y}">{name}</text>')
    print("\n".join(out + ["</svg>"]))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    wants_table = arguments[:1] == ["--table"]
    read_files = [read(path) for path in arguments[wants_table:]]
    if not read_files:
        sys.exit(__doc__)
    (table if wants_table else draw)(read_files)
