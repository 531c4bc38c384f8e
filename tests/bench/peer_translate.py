#!/usr/bin/env python3
"""The same weights in PyTorch on the CPU, greedily, to be run beside "verso bench translate".

    peer_translate.py WEIGHTS SENTENCES [--batch N] [--threads N] [--count N]

WEIGHTS are plain tensors as "verso models import" takes them; SENTENCES is a file (gzipped) of JSON
lines with "source_ids" and "greedy_ids". Prints one JSON object: sentences a second, and how many
translations are those of the file. Written as PyTorch's users write it: nn.LSTM's fused layers for
the encoder, the attention's keys computed once, sentences sorted by length and padded.
"""
import argparse
import gzip
import json
import time

import torch
from safetensors.torch import load_file

START, END, LONGEST = 2, 3, 3


class Translator:
    def __init__(self, path):
        w = {name: tensor.float() for name, tensor in load_file(path).items()}
        E, H = w["fW"].shape[1], w["fU"].shape[1]
        self.w = w
        self.encoder = torch.nn.LSTM(E, H, bidirectional=True, batch_first=True)
        for side, end in (("f", ""), ("b", "_reverse")):
            getattr(self.encoder, f"weight_ih_l0{end}").data = w[f"{side}W"]
            getattr(self.encoder, f"weight_hh_l0{end}").data = w[f"{side}U"]
            getattr(self.encoder, f"bias_ih_l0{end}").data = w[f"{side}b"]
            getattr(self.encoder, f"bias_hh_l0{end}").data = torch.zeros(4 * H)
        self.cell = torch.cat([w["dW"], w["dU"]], 1).T.contiguous()
        self.read = w["Wr"].T.contiguous()
        self.output = w["emb"].T.contiguous()

    def encode(self, rows):
        lengths = torch.tensor([len(row) for row in rows])
        ids = torch.tensor([row + [0] * (max(map(len, rows)) - len(row)) for row in rows])
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            self.w["emb"][ids], lengths, batch_first=True, enforce_sorted=False)
        memory, _ = torch.nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0],
                                                           batch_first=True)
        return memory, ids == 0, lengths

    @torch.inference_mode()
    def greedy(self, rows):
        w = self.w
        memory, mask, lengths = self.encode([row + [END] for row in rows])
        keys = memory @ w["Wk"].T + w["bk"]
        state = torch.tanh(memory.sum(1) / lengths[:, None] @ w["Winit"].T + w["binit"])
        c = torch.zeros_like(state)
        previous = torch.full((len(rows),), START)
        done = torch.zeros(len(rows), dtype=torch.bool)
        out = [[] for _ in rows]
        for _ in range(LONGEST * int(lengths.max()) + 10):
            energy = torch.tanh(keys + (state @ w["Wq"].T)[:, None]) @ w["v"]
            weights = energy.masked_fill(mask, float("-inf")).softmax(1)
            context = (weights[:, None] @ memory)[:, 0]
            y = w["emb"][previous]
            gates = torch.cat([y, context, state], 1) @ self.cell + w["db"]
            i, f, g, o = gates.chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            state = o.sigmoid() * c.tanh()
            read = torch.tanh(torch.cat([state, context, y], 1) @ self.read + w["br"])
            previous = (read @ self.output + w["bo"]).argmax(1)
            for row, piece in enumerate(previous.tolist()):
                if not done[row]:
                    out[row].append(piece)
            done |= previous == END
            if bool(done.all()):
                break
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights")
    parser.add_argument("sentences")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    translator = Translator(options.weights)
    with gzip.open(options.sentences, "rt") as file:
        rows = [json.loads(line) for line in file][:options.count]
    rows.sort(key=lambda row: len(row["source_ids"]))
    translator.greedy([row["source_ids"] for row in rows[:options.batch]])
    start, same = time.perf_counter(), 0
    for at in range(0, len(rows), options.batch):
        some = rows[at:at + options.batch]
        found = translator.greedy([row["source_ids"] for row in some])
        same += sum(ids == row["greedy_ids"] for ids, row in zip(found, some))
    seconds = time.perf_counter() - start
    print(json.dumps({"peer": f"PyTorch {torch.__version__}", "batch": options.batch,
                      "threads": options.threads, "beam": 1,
                      "sentences_per_second": round(len(rows) / seconds, 1),
                      "same_as_file": same, "sentences": len(rows)}))


if __name__ == "__main__":
    main()
