#!/usr/bin/env python3
"""The same model and batches in PyTorch on the CPU, to be run beside "verso bench train".

    peer_train.py PAIRS [--threads N] [--updates N] [--warmup N] [--bf16]

PAIRS is the file of ids that "verso train" keeps when it is stopped (OUT.pairs). Prints one JSON
object: target pieces a second, </s> included, padding left out. The model is the one of
model/README.md with one layer a side, written as its users write such models: nn.LSTM over packed
sequences, the encoder's part of the attention's keys and the decoder's input projections computed
once, an LSTM cell and the attention step by step, logits of real pieces only.
"""
import argparse
import json
import random
import resource
import struct
import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HEADER = struct.Struct("<8s6q96s")
BLOCK = struct.Struct("<qii32s")
START, BATCH_WINDOW = 2, 400


def read_pairs(path):
    """Pairs of id lists, each with its </s>; the format is in model/train/shard.h."""
    with open(path, "rb") as file:
        data = file.read()
    magic, _, _, _, blocks, _, _, _ = HEADER.unpack_from(data)
    if magic != b"versopr1":
        raise SystemExit(f"{path}: it is no file of pairs")
    pairs = []
    for i in range(blocks):
        at, count, _, _ = BLOCK.unpack_from(data, len(data) - (blocks - i) * BLOCK.size)
        lengths = struct.unpack_from(f"<{2 * count}H", data, at)
        at += 4 * count
        for source, target in zip(lengths[::2], lengths[1::2]):
            ids = struct.unpack_from(f"<{source + target}i", data, at)
            at += 4 * (source + target)
            pairs.append((ids[:source], ids[source:]))
    return pairs


def to_and_fro(pair):
    """Neighbours are near in both lengths."""
    source, target = len(pair[0]), len(pair[1])
    return source, -target if source % 2 else target


def batches_of(pairs, size):
    """Sorted by length within windows, as verso does it."""
    order = pairs[:]
    random.Random(1).shuffle(order)
    batches = []
    for at in range(0, len(order), size * BATCH_WINDOW):
        window = sorted(order[at:at + size * BATCH_WINDOW], key=to_and_fro)
        batches += [window[i:i + size] for i in range(0, len(window), size)]
    random.Random(2).shuffle(batches)
    return batches


def padded(rows):
    longest = max(map(len, rows))
    return torch.tensor([list(row) + [0] * (longest - len(row)) for row in rows])


class Translator(nn.Module):
    def __init__(self, V, E, H, A, dropout):
        super().__init__()
        M = 2 * H
        self.embedding = nn.Embedding(V, E, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=E ** -0.5)
        self.encoder = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        self.bridge = nn.Linear(M, H)
        self.query = nn.Linear(H, A, bias=False)
        self.key = nn.Linear(M, A)
        self.v = nn.Parameter(torch.randn(A) * 0.1)
        self.input = nn.Linear(E, 4 * H)
        self.cell = nn.Linear(M + H, 4 * H, bias=False)
        self.readout = nn.Linear(H + M + E, E)
        self.bias = nn.Parameter(torch.zeros(V))
        self.dropout = nn.Dropout(dropout)

    def forward(self, source, target):
        lengths = (source != 0).sum(1)
        packed = pack_padded_sequence(self.dropout(self.embedding(source)), lengths,
                                      batch_first=True, enforce_sorted=False)
        memory, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)
        memory = self.dropout(memory)
        state = torch.tanh(self.bridge(memory.sum(1) / lengths[:, None]))
        c = torch.zeros_like(state)
        keys = self.key(memory)
        mask = (source == 0)
        previous = torch.cat([torch.full_like(target[:, :1], START), target[:, :-1]], 1)
        y = self.dropout(self.embedding(previous))
        projected = self.input(y)
        states, contexts = [], []
        for t in range(target.shape[1]):
            energy = torch.tanh(keys + self.query(state)[:, None]) @ self.v
            weights = energy.masked_fill(mask, float("-inf")).softmax(1)
            context = (weights[:, None] @ memory)[:, 0]
            i, f, g, o = (projected[:, t] + self.cell(torch.cat([context, state], 1))).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            state = o.sigmoid() * c.tanh()
            states.append(state)
            contexts.append(context)
        read = torch.tanh(self.readout(torch.cat([torch.stack(states, 1),
                                                  torch.stack(contexts, 1), y], 2)))
        gold = target != 0
        return self.dropout(read[gold]) @ self.embedding.weight.T + self.bias, target[gold]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pairs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--updates", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--bf16", action="store_true")
    options = parser.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    pairs = read_pairs(options.pairs)
    V = 1 + max(max(ids) for pair in pairs for ids in pair)
    model = Translator(V, 256, 512, 256, 0.2)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, (0.9, 0.98), 1e-9)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    pieces, start, loss = 0, 0, None
    for update, batch in enumerate(batches_of(pairs, options.batch)):
        if update == options.warmup:
            pieces, start = 0, time.perf_counter()
        if update == options.warmup + options.updates:
            break
        source, target = padded([p[0] for p in batch]), padded([p[1] for p in batch])
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            logits, gold = model(source, target)
            loss = loss_of(logits.float(), gold)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        pieces += len(gold)
    seconds = time.perf_counter() - start
    print(json.dumps({
        "peer": f"PyTorch {torch.__version__}", "threads": options.threads,
        "products": "bf16" if options.bf16 else "f32",
        "target_pieces_per_second": round(pieces / seconds, 1), "last_loss": round(loss.item(), 4),
        "memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    main()
