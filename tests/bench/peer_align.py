"""Alignment error rate of eflomal, measured by verso as it measures its own.

    python3 -m venv env && env/bin/pip install eflomal==2.0.0
    env/bin/python tests/bench/peer_align.py --train pairs.tsv --gold test.natural.jsonl \
        --verso build/verso [--train-links links]

eflomal (Östling and Tiedemann 2016) aligns the training pairs and the pairs of
the gold together, both directions; its words are letters and digits, lower
case, punctuation apart. They are brought to the words of the gold as verso's
are: a word is linked to all that share a character with it. --train-links
writes the links of the training pairs, joined, between words that white space
separates, as "verso-train train --guided-alignment" reads them.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

VERSION = "2.0.0"
WORD = {
    "en": re.compile(r"'s\b|\w+|[^\w\s]"),
    "fr": re.compile(r"\w+'|\w+|[^\w\s]"),
}
METHOD = "grow-diag-final-and"


def words(text, language):
    pattern = WORD.get(language, WORD["en"])
    return [(m.group().lower(), m.start(), m.end()) for m in pattern.finditer(text.replace("’", "'"))]


def read_pairs(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t")[:2] for line in file]


def read_links(path):
    with open(path, encoding="utf-8") as file:
        return [[tuple(map(int, pair.split("-"))) for pair in line.split()] for line in file]


def overlapping(span, spans):
    return [i for i, (start, end) in enumerate(spans) if start < span[1] and end > span[0]]


def carried_over(links, own, other):
    """Links between words `own` as links between those of the spans `other`."""
    out = set()
    for s, t in links:
        for i in overlapping(own[0][s][1:], other[0]):
            for j in overlapping(own[1][t][1:], other[1]):
                out.add((i, j))
    return " ".join(f"{i}-{j}" for i, j in sorted(out, key=lambda link: link[::-1]))


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def text_words(text):
    return [m.span() for m in re.finditer(r"\S+", text)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True)
    parser.add_argument("--gold", required=True)
    parser.add_argument("--verso", required=True)
    parser.add_argument("--source", default="en")
    parser.add_argument("--target", default="fr")
    parser.add_argument("--train-links")
    args = parser.parse_args()

    with open(args.gold, encoding="utf-8") as file:
        gold = [json.loads(line) for line in file]
    pairs = read_pairs(args.train) + [[g["src"], g["tgt"]] for g in gold]
    own = [(words(s, args.source), words(t, args.target)) for s, t in pairs]
    eflomal = os.path.join(os.path.dirname(sys.executable), "eflomal-align")

    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)

        for name, side in (("source", 0), ("target", 1)):
            write_lines(path(name), (" ".join(w[0] for w in pair[side]) for pair in own))
        start = time.time()
        subprocess.run([eflomal, "-s", path("source"), "-t", path("target"), "-f", path("forward"),
                        "-r", path("reverse"), "--overwrite"], check=True)
        print(f"eflomal {VERSION}: {len(pairs)} pairs in {time.time() - start:.0f} s", flush=True)

        first = len(pairs) - len(gold)
        for name in ("forward", "reverse"):
            links = read_links(path(name))
            write_lines(path("gold." + name),
                        (carried_over(links[first + i], own[first + i],
                                      (g["src_spans"], g["tgt_spans"]))
                         for i, g in enumerate(gold)))
            write_lines(path("train." + name),
                        (carried_over(links[i], own[i], tuple(map(text_words, pairs[i])))
                         for i in range(first if args.train_links else 0)))
        subprocess.run([args.verso, "align", "--gold", args.gold, "--links", path("gold.forward"),
                        "--reverse-links", path("gold.reverse")], check=True)
        if args.train_links:
            with open(args.train_links, "w", encoding="utf-8") as out:
                subprocess.run([args.verso, "align", "--links", path("train.forward"),
                                "--reverse-links", path("train.reverse"), "--symmetrise", METHOD],
                               stdout=out, check=True)


if __name__ == "__main__":
    main()
