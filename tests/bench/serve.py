#!/usr/bin/env python3
"""How fast the service is over its socket, and what it costs: needs wrk.

    serve.py VERSO MODEL SENTENCES [--precision int8] [--threads N] [--seconds S] [--long] > serve.json

SENTENCES has one a line. Measured over loopback, the client on the same machine:

    load      requests/s and latency, single sentences, beam 1 and 5, with and without a journal
    share     of what "verso bench translate" does in a process alone, with 64 in flight in all, that
              reaches the socket at 64 connections
    health    latency of /health while 64 connections translate
    idle      memory of a keep-alive connection that waits
    memory    resident after many requests against after few (--long: a million)

The report as JSON on standard output, as a table on standard error.
"""
import argparse
import contextlib
import json
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

CONNECTIONS = (1, 16, 256)
BEAMS = (1, 5)
SHARE_CONNECTIONS = 64
RAW_SENTENCES = 10000  # so many that beginning and end do not count
HEALTH_EVERY_S = 0.01
MEMORY_FEW = 10000
MEMORY_MANY, MEMORY_MANY_LONG = 50000, 1000000

WRK = """
local bodies, at = {}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local headers = { ["Content-Type"] = "application/json" }
local threads = 0
function setup(thread) thread:set("first", threads * 101); threads = threads + 1 end
function init(args) at = first end
function request()
    at = at + 1
    return wrk.format("POST", "/translate", headers, bodies[at % #bodies + 1])
end
function done(summary, latency)
    local e = summary.errors
    io.write(string.format("\\nRESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(95), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Server:
    """verso serve with one model, in a folder of its own."""

    def __init__(self, options, *words):
        self.folder = tempfile.TemporaryDirectory(prefix="verso-bench-")
        model = os.path.join(self.folder.name, "model.safetensors")
        os.symlink(os.path.abspath(options.model), model)
        self.log_path = os.path.join(self.folder.name, "log")
        self.log = open(self.log_path, "w")
        self.process = subprocess.Popen(
            [options.verso, "serve", "--models", self.folder.name, "--database",
             os.path.join(self.folder.name, "verso.db"), "--port", "0", "--threads",
             str(options.threads), "--precision", options.precision, *map(str, words)],
            stderr=self.log)
        self.port = self._find_port()

    def _find_port(self):
        while self.process.poll() is None:
            with open(self.log_path) as log:
                match = re.search(r'"event":"listening".*"port":(\d+)', log.read())
            if match:
                return int(match.group(1))
            time.sleep(0.05)
        sys.exit("the server did not start: " + open(self.log_path).read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def get(self, path):
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.port, path)) as reply:
            return reply.read().decode()

    def requests(self):
        """Translations so far."""
        counts = re.findall(r'^verso_requests_total{method="POST".*} (\d+)$', self.get("/metrics"),
                            re.MULTILINE)
        return sum(map(int, counts))

    def memory(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024


class Load:
    """wrk with the sentences of a file."""

    def __init__(self, folder, options):
        with Server(options) as server:
            pair = json.loads(server.get("/frontend/settings"))["language"]
        self.script = os.path.join(folder, "load.lua")
        self.bodies = os.path.join(folder, "bodies")
        with open(self.script, "w") as file:
            file.write(WRK)
        with open(options.sentences, encoding="utf-8") as lines, open(self.bodies, "w") as file:
            for line in lines:
                if line.strip():
                    file.write(json.dumps({"q": line.strip(), "source": pair["source"]["code"],
                                           "target": pair["target"]["code"]}) + "\n")

    def run(self, server, connections, seconds):
        words = ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d",
                 "%ds" % seconds, "--timeout", "60s", "--latency", "-s", self.script,
                 "http://127.0.0.1:%d" % server.port]
        out = subprocess.run(words, check=True, capture_output=True, text=True,
                             env={**os.environ, "BODIES": self.bodies}).stdout
        done, us, p50, p95, p99, errors = map(int, re.search(r"RESULT (.*)", out).group(1).split())
        return {"connections": connections, "requests_per_second": round(done / us * 1e6, 1),
                "p50_ms": p50 / 1e3, "p95_ms": p95 / 1e3, "p99_ms": p99 / 1e3, "errors": errors}


def measure_load(options, load):
    rows = []
    say("%5s %8s %12s %11s %9s %9s %9s %7s" % ("beam", "journal", "connections", "requests/s",
                                               "p50 ms", "p95 ms", "p99 ms", "errors"))
    for beam in BEAMS:
        for journal in ("off", "on"):
            with Server(options, "--beam", beam, "--journal", journal) as server:
                load.run(server, 16, 2)         # warm
                for connections in CONNECTIONS:
                    row = {"beam": beam, "journal": journal,
                           **load.run(server, connections, options.seconds)}
                    rows.append(row)
                    say("%5d %8s %12d %11.1f %9.2f %9.2f %9.2f %7d" % tuple(row.values()))
    return rows


def raw_rate(options, beam):
    """Sentences a second of the engine with as many threads, once it is under way."""
    with open(options.sentences, "rb") as file, tempfile.NamedTemporaryFile() as many:
        lines = file.read()
        for _ in range(1 + RAW_SENTENCES // lines.count(b"\n")):
            many.write(lines)
        many.flush()
        return raw_rate_of(options, beam, many.name)


def raw_rate_of(options, beam, sentences):
    batch = max(1, SHARE_CONNECTIONS // options.threads)    # of each thread
    out = subprocess.run([options.verso, "bench", "translate", "--model", options.model, "--json",
                          "--beam", str(beam), "--batch", str(batch), "--threads",
                          str(options.threads), "--precision", options.precision, "--rounds", "3",
                          sentences], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    results = [r for r in json.loads(out)["results"] if r["threads"] == options.threads]
    return results[0]["sentences_per_second"]


def measure_share(options, load):
    rows = []
    for beam in BEAMS:
        raw = raw_rate(options, beam)
        with Server(options, "--beam", beam, "--journal", "off", "--batch",
                    SHARE_CONNECTIONS) as server:
            load.run(server, SHARE_CONNECTIONS, 2)
            rate = load.run(server, SHARE_CONNECTIONS, options.seconds)["requests_per_second"]
        rows.append({"beam": beam, "engine_per_second": round(raw, 1), "socket_per_second": rate,
                     "share": round(rate / raw, 3)})
        say("beam %d: engine %.1f/s, socket %.1f/s: %.1f %%" % (beam, raw, rate, 100 * rate / raw))
    return rows


def read_reply(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise EOFError(data)
        data += more


def ask_health(connection):
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    read_reply(connection)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def measure_health(options, load):
    times, stop = [], threading.Event()
    with Server(options, "--journal", "off") as server:
        def probe():
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                while not stop.is_set():
                    started = time.monotonic()
                    ask_health(connection)
                    times.append(1e3 * (time.monotonic() - started))
                    time.sleep(HEALTH_EVERY_S)
        thread = threading.Thread(target=probe)
        thread.start()
        load.run(server, SHARE_CONNECTIONS, options.seconds)
        stop.set()
        thread.join()
    result = {"probes": len(times), "p50_ms": round(percentile(times, 0.5), 3),
              "p99_ms": round(percentile(times, 0.99), 3), "max_ms": round(max(times), 3)}
    say("/health under load: p50 %(p50_ms).2f ms, p99 %(p99_ms).2f ms, worst %(max_ms).2f ms" % result)
    return result


def measure_idle(options, most):
    count = min(options.idle, most - 200)
    with Server(options, "--connections", count + 100, "--idle-time", 3600000,
                "--journal", "off") as server, contextlib.ExitStack() as stack:
        ask = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        ask_health(ask)
        before = server.memory()
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            ask_health(connection)
        each = (server.memory() - before) / count
    say("%d idle connections: %.0f bytes each" % (count, each))
    return {"connections": count, "bytes_each": round(each)}


def measure_memory(options, load):
    rows = []
    with Server(options, "--beam", "1") as server:
        for wanted in (MEMORY_FEW, MEMORY_MANY_LONG if options.long else MEMORY_MANY):
            while server.requests() < wanted:
                load.run(server, SHARE_CONNECTIONS, 10 if options.seconds > 5 else options.seconds)
            rows.append({"requests": server.requests(), "resident_bytes": server.memory()})
            say("after %(requests)d requests: %(resident_bytes)d bytes" % rows[-1])
    growth = rows[1]["resident_bytes"] / rows[0]["resident_bytes"] - 1
    say("grown by %.2f %%" % (100 * growth))
    return {"points": rows, "growth": round(growth, 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("verso")
    parser.add_argument("model")
    parser.add_argument("sentences")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--idle", type=int, default=10000, help="connections that wait")
    parser.add_argument("--long", action="store_true", help="a million requests for the memory")
    parser.add_argument("--only", choices=("load", "share", "health", "idle", "memory"))
    options = parser.parse_args()
    most = raise_limit()
    parts = {"load": measure_load, "share": measure_share, "health": measure_health,
             "idle": lambda o, _: measure_idle(o, most), "memory": measure_memory}
    report = {"threads": options.threads, "precision": options.precision,
              "model": os.path.basename(options.model)}
    with tempfile.TemporaryDirectory(prefix="verso-bench-") as folder:
        load = Load(folder, options)
        for name, measure in parts.items():
            if options.only in (None, name):
                report[name] = measure(options, load)
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
