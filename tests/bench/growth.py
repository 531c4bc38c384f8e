#!/usr/bin/env python3
"""How the cost of a translation grows: with length, beam, batch and vocabulary.

    growth.py VERSO MODEL SENTENCES [--precision int8] [--rounds N] > growth.svg

Runs "verso bench translate" on sentences made of the words of the file (of 5 to 200 words), with
beams of 1 to 12 and batches of 1 to 64, and on models of the same size with other vocabularies,
whose weights are random: with those every sentence runs to its length limit, so that figure is of
steps, not of sentences. A table on standard error, a picture on standard output.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

LENGTHS = (5, 10, 20, 40, 80, 120, 200)
BEAMS = (1, 2, 3, 4, 6, 8, 12)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
VOCABULARIES = (8000, 16000, 32000, 64000)
WIDTH, HEIGHT, LEFT, TOP, GAP = 230, 170, 50, 30, 60


def bench(options, model, sentences, *more):
    command = [options.verso, "bench", "translate", "--model", model, "--json", "--threads", "1",
               "--precision", options.precision, "--rounds", str(options.rounds), *more, sentences]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(out.stdout)["results"]


def ms_per_sentence(result):
    return 1000 / result["sentences_per_second"]


def write_sentences(folder, words, length, count):
    path = os.path.join(folder, f"{length}.txt")
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            at = i * 37 % max(1, len(words) - length)
            file.write(" ".join(words[at:at + length]) + "\n")
    return path


def by_length(options, folder, words):
    rows = []
    for length in LENGTHS:
        path = write_sentences(folder, words, length, max(8, 400 // length))
        results = bench(options, options.model, path, "--beam", "1", "--beam", "6", "--batch", "1")
        rows.append((length, *map(ms_per_sentence, results)))
    return rows


def by_beam(options, sentences):
    choices = [word for beam in BEAMS for word in ("--beam", str(beam))]
    results = bench(options, options.model, sentences, *choices, "--batch", "1", "--batch", "64")
    ms = list(map(ms_per_sentence, results))
    return [(beam, ms[2 * i], ms[2 * i + 1]) for i, beam in enumerate(BEAMS)]


def by_batch(options, sentences):
    choices = [word for batch in BATCHES for word in ("--batch", str(batch))]
    results = bench(options, options.model, sentences, "--beam", "1", "--beam", "6", *choices)
    ms = list(map(ms_per_sentence, results))
    return [(batch, ms[i], ms[len(BATCHES) + i]) for i, batch in enumerate(BATCHES)]


def random_model(options, folder, V, E=256, H=512, A=256):
    """A model file of plain random tensors, by "verso models import"."""
    import numpy
    from safetensors.numpy import save_file
    rng = numpy.random.default_rng(1)
    M = 2 * H
    shapes = {"emb": (V, E), "fW": (4 * H, E), "fU": (4 * H, H), "fb": (4 * H,), "bW": (4 * H, E),
              "bU": (4 * H, H), "bb": (4 * H,), "Winit": (H, M), "binit": (H,), "Wq": (A, H),
              "Wk": (A, M), "bk": (A,), "v": (A,), "dW": (4 * H, E + M), "dU": (4 * H, H),
              "db": (4 * H,), "Wr": (E, H + M + E), "br": (E,), "bo": (V,)}
    tensors = {name: (rng.standard_normal(shape) * 0.05).astype(numpy.float32)
               for name, shape in shapes.items()}
    tensors["bo"][3] = -30  # </s> never comes
    weights, vocabulary, model = (os.path.join(folder, f"{V}.{end}")
                                  for end in ("plain", "tsv", "safetensors"))
    save_file(tensors, weights)
    with open(vocabulary, "w", encoding="utf-8") as file:
        specials = [("<pad>", "control"), ("<unk>", "unknown"), ("<s>", "control"),
                    ("</s>", "control")]
        rows = specials + [(f"<0x{byte:02X}>", "byte") for byte in range(256)]
        rows += [(f"x{i}", "normal") for i in range(V - len(rows))]
        for i, (piece, kind) in enumerate(rows):
            file.write(f"{i}\t{piece}\t{-i}\t{kind}\n")
    subprocess.run([options.verso, "models", "import", weights, vocabulary, "-o", model,
                    "--source", "en", "--target", "fr"], check=True, stdout=subprocess.DEVNULL)
    os.unlink(weights)
    return model


def by_vocabulary(options, folder):
    path = os.path.join(folder, "bytes.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("some dozen bytes\n" * 8)
    rows = []
    for V in VOCABULARIES:
        model = random_model(options, folder, V)
        results = bench(options, model, path, "--beam", "1", "--beam", "6", "--batch", "1")
        rows.append((V, *map(ms_per_sentence, results)))
        os.unlink(model)
    return rows


def print_table(title, names, rows):
    print(f"{title:>12} " + " ".join(f"{name:>16}" for name in names), file=sys.stderr)
    for x, *values in rows:
        print(f"{x:>12} " + " ".join(f"{value:>13.2f} ms" for value in values), file=sys.stderr)


def plot(at, title, names, rows):
    """Lines over places of equal distance, from zero."""
    left = LEFT + at * (WIDTH + GAP)
    most = max(max(values) for _, *values in rows)
    out = [f'<text x="{left}" y="{TOP - 12}" font-weight="bold">{title}</text>']
    for share in (0, 0.5, 1):
        y = TOP + HEIGHT * (1 - share)
        out.append(f'<path d="M{left} {y:.1f}h{WIDTH}" stroke="#ddd"/>'
                   f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{most * share:.3g}'
                   '</text>')
    step = WIDTH / (len(rows) - 1)
    for i, (x, *_) in enumerate(rows):
        out.append(f'<text x="{left + i * step:.1f}" y="{TOP + HEIGHT + 16}" '
                   f'text-anchor="middle">{x if x < 1000 else f"{x // 1000}k"}</text>')
    for k, (name, colour) in enumerate(zip(names, ("#0072b2", "#d55e00"))):
        points = " ".join(f"{left + i * step:.1f},{TOP + HEIGHT * (1 - values[k] / most):.1f}"
                          for i, (_, *values) in enumerate(rows))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{left + 8}" y="{TOP + 12 + 14 * k}" fill="{colour}">{name}</text>')
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("verso")
    parser.add_argument("model")
    parser.add_argument("sentences")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with open(options.sentences, encoding="utf-8") as file:
        words = file.read().replace(".", "").split()
    with tempfile.TemporaryDirectory() as folder:
        figures = (
            ("words", "milliseconds by words", ("beam 1", "beam 6"),
             by_length(options, folder, words)),
            ("beam", "by beam", ("batch 1", "batch 64"), by_beam(options, options.sentences)),
            ("batch", "by batch", ("beam 1", "beam 6"), by_batch(options, options.sentences)),
            ("pieces", "by vocabulary", ("beam 1", "beam 6"), by_vocabulary(options, folder)))
    for title, _, names, rows in figures:
        print_table(title, names, rows)
    width = LEFT + len(figures) * (WIDTH + GAP)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 30}" '
          'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>')
    for at, (_, title, names, rows) in enumerate(figures):
        print(plot(at, title, names, rows))
    print("</svg>")


if __name__ == "__main__":
    main()
