"""server.py - a real "verso serve" for the tests of this folder, and clients made of sockets.

    with Server(["en-fr", "fr-en"], "--queue", "1") as server:
        reply = server.post({"q": "Hello", "source": "en", "target": "fr"})
        with server.connect() as c:
            c.send(b"GET /health HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
            c.reply()

Each test file is started as "python3 test_x.py BUILD_FOLDER"; only Python's own library is used.
"""
import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SKIPPED = 77                # exit code that ctest shows as skipped
PATIENCE_S = 60             # before a test gives up on an answer; sanitizers are slow

SLOWLY = ("--threads", 1, "--beam", 32, "--batch", 1)       # so that a tiny model takes its time

BUILD = ""
MODELS = {}                 # pair -> path of a model file, made once


def main():
    """Take the build folder from the command line and run the file's tests."""
    global BUILD
    if len(sys.argv) < 2:
        sys.exit("usage: %s BUILD_FOLDER [TEST...]" % sys.argv[0])
    BUILD = sys.argv.pop(1)
    for program in ("verso", "tests/make_tiny_model"):
        if not os.path.exists(os.path.join(BUILD, program)):
            print("skipped: there is no", program)
            sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="verso-test-") as folder:
        for seed, pair in enumerate(("en-fr", "fr-en", "en-de"), start=2):
            path = os.path.join(folder, pair + ".safetensors")
            subprocess.run([os.path.join(BUILD, "tests/make_tiny_model"), path, *pair.split("-"),
                            str(seed)], check=True)
            MODELS[pair] = path
        program = unittest.main(verbosity=2, exit=False)
    sys.exit(0 if program.result.wasSuccessful() else 1)


@functools.lru_cache(None)
def sentences_a_second():
    """How many a server with SLOWLY makes in a second that it has a processor for itself."""
    with Server(["en-fr"], *SLOWLY) as server:
        text, count = sentences(20), 0
        server.translate(text)
        before = server.processor_seconds()
        while (took := server.processor_seconds() - before) < 0.3:
            server.translate(text)
            count += 20
        return count / took


@functools.lru_cache(None)
def is_sanitized():
    with open(os.path.join(BUILD, "verso"), "rb") as program:
        data = program.read()
    return b"__tsan_init" in data or b"__asan_init" in data


def folder():
    """A temporary folder: with server.folder() as path."""
    return tempfile.TemporaryDirectory(prefix="verso-test-")


def sentences(count):
    return " ".join("the thin ant in it %d." % i for i in range(count))


def slow_text(seconds):
    """A text that keeps a server with SLOWLY busy for about so long, or longer beside others."""
    return sentences(max(10, min(900, int(seconds * sentences_a_second()))))


class Reply:
    """One HTTP answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]

    @property
    def text(self):
        return self.json["translatedText"]

    def __repr__(self):
        return "%d %r %r" % (self.status, self.headers, self.body[:200])


class Connection:
    """A socket that can read lines and HTTP answers."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data):
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection; pending %r" % self.pending[:200])
        self.pending += data

    def until(self, mark):
        while mark not in self.pending:
            self._more()
        head, self.pending = self.pending.split(mark, 1)
        return head

    def exactly(self, count):
        while len(self.pending) < count:
            self._more()
        head, self.pending = self.pending[:count], self.pending[count:]
        return head

    def line(self):
        return self.until(b"\n").decode("utf-8")

    def reply(self, to_head=False):
        head = self.until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", first)
        assert match, first
        headers = {}
        for line in lines:
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, "twice: " + name
            headers[name.lower()] = value
        status = int(match.group(1))
        has_body = not to_head and status >= 200 and status != 204
        body = self.exactly(int(headers["content-length"])) if has_body else b""
        return Reply(status, headers, body)

    def rest(self):
        """All that still comes until the server closes; a reset is an end too."""
        try:
            while True:
                self._more()
        except (EOFError, ConnectionResetError):
            pass
        data, self.pending = self.pending, b""
        return data


def request_bytes(method="POST", target="/translate", body=b"", content_type="application/json",
                  headers=()):
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode("utf-8")
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: localhost"]
    if body:
        lines += ["Content-Length: %d" % len(body), "Content-Type: " + content_type]
    return "\r\n".join(lines + list(headers) + ["", ""]).encode("latin-1") + body


class Server:
    """A server on a free port with the models of the given pairs. Extra words go to its command line."""

    def __init__(self, pairs=("en-fr", "fr-en", "en-de"), *words, environment=None, launcher=(),
                 passed=None, files=()):
        """passed: a socket that the server gets as systemd would give it.
        files: others that lie in its folder of models."""
        self.folder = tempfile.TemporaryDirectory(prefix="verso-test-")
        for path in files:
            os.symlink(os.path.abspath(path), os.path.join(self.folder.name, os.path.basename(path)))
        for pair in pairs:
            os.symlink(MODELS[pair], os.path.join(self.folder.name, pair + ".safetensors"))
        if passed:
            launcher = ("bash", "-c", 'exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"' % passed.fileno(),
                        "bash", *launcher)
        self.log = []
        self.port = None
        self.process = subprocess.Popen(
            [*launcher, os.path.join(BUILD, "verso"), "serve", "--models", self.folder.name, "--database",
             os.path.join(self.folder.name, "verso.db"), "--port", "0", "--threads", "2",
             *map(str, words)],
            stderr=subprocess.PIPE, env={**os.environ, **(environment or {})},
            pass_fds=[passed.fileno()] if passed else [])
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        if not self._listening.wait(PATIENCE_S) or self.port is None:
            self.process.kill()
            self.process.wait()
            self._reader.join()
            self.folder.cleanup()
            raise RuntimeError("the server did not start: %s" % self.log)

    def _read_log(self):
        for line in self.process.stderr:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "not JSON", "line": line.decode("utf-8", "replace")}
            self.log.append(event)
            if event["event"] == "listening":
                self.port = event["port"]
                self._listening.set()
        self._listening.set()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        code = self.stop()
        noise = [e for e in self.log if e["event"] == "not JSON"]
        if kind is None:
            assert code == 0, "exit code %d, log ends with %s" % (code, self.log[-20:])
            assert not noise, noise

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def hang_up(self):
        """SIGHUP: models are loaded anew."""
        self.process.send_signal(signal.SIGHUP)

    def wait(self):
        """The exit code, once it ends by itself; then the log is whole."""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._reader.join()
        return code

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.terminate()
        code = self.wait()
        self.folder.cleanup()
        return code

    def events(self, name):
        return [e for e in self.log if e["event"] == name]

    def wait_until(self, is_there, what):
        """what: for the message when it does not come."""
        end = time.monotonic() + PATIENCE_S
        while not is_there():
            assert time.monotonic() < end, "no %s in %s" % (what, self.log[-20:])
            time.sleep(0.01)

    def wait_for_work(self, running, waiting=0):
        """Until workers have so many requests in their hands and so many wait for one."""
        def is_so():
            text = self.get("/metrics").body.decode("utf-8")
            now = [re.search(r"(?m)^%s (\d+)$" % name, text)[1]
                   for name in ("verso_requests_running", "verso_queue_waiting")]
            return now == [str(running), str(waiting)]
        self.wait_until(is_so, "%d requests running, %d waiting" % (running, waiting))

    def wait_for(self, name):
        """Until the log has an event of this name."""
        self.wait_until(lambda: self.events(name), name)

    def wait_for_id(self, request_id):
        """Until the log has an event of this request."""
        self.wait_until(lambda: any(e.get("id") == request_id for e in self.log), request_id)

    def connect(self):
        return Connection(self.port)

    def ask(self, data, to_head=False):
        """One request on a connection of its own."""
        with self.connect() as c:
            c.send(data)
            return c.reply(to_head)

    def get(self, target):
        return self.ask(request_bytes("GET", target))

    def post(self, body, **kind):
        return self.ask(request_bytes(body=body, **kind))

    def translate(self, q, source="en", target="fr", **more):
        return self.post({"q": q, "source": source, "target": target, **more})

    def v1(self, body):
        return self.ask(request_bytes(target="/v1/translate", body=body))

    def limit_hits(self):
        """How often each limit was met: name -> count."""
        text = self.get("/metrics").body.decode("utf-8")
        return {name: int(count) for name, count in
                re.findall(r'^verso_limit_hits_total\{limit="(.*)"\} (\d+)$', text, re.MULTILINE)}

    def processor_seconds(self):
        """What all threads of the server have used."""
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self):
        """Resident memory of the server."""
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))
