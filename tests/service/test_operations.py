"""What an operator does: measure, reload, configure, stop, and read the log."""
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import server
from server import Server, request_bytes, sentences, slow_text

LONG = os.environ.get("VERSO_LONG") == "1"
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "server", "README.md")
DETECTOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "models",
                        "detect.safetensors")
FRENCH = "Je ne sais pas où se trouve la bibliothèque de la ville."
RELOADS = 60 if LONG else 6
PATIENCE_S = server.PATIENCE_S


def metrics(s):
    """name{labels} -> value of all that /metrics says."""
    return numbers(s.get("/metrics"))


def numbers(reply):
    assert reply.status == 200, reply
    lines = [line for line in reply.body.decode("utf-8").splitlines() if not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def replace_model(s, pair, with_pair=None):
    """A model file is replaced as an operator should: written beside it, then renamed."""
    path = os.path.join(s.folder.name, pair + ".safetensors")
    shutil.copyfile(server.MODELS[with_pair or pair], path + ".tmp-1")
    os.rename(path + ".tmp-1", path)


def make_model(s, pair, seed):
    path = os.path.join(s.folder.name, pair + ".safetensors")
    subprocess.run([os.path.join(server.BUILD, "tests/make_tiny_model"), path + ".tmp-1",
                    *pair.split("-"), str(seed)], check=True)
    os.rename(path + ".tmp-1", path)


def put_detector(s, calls_french="fr"):
    """The detector that the project ships comes, or one that calls French by another name."""
    path = os.path.join(s.folder.name, "detect.safetensors")
    labels = {"fr": b'[\\"en\\",\\"fr\\",\\"de\\"', "de": b'[\\"en\\",\\"de\\",\\"fr\\"'}
    with open(DETECTOR, "rb") as file:
        data = file.read()
    assert data.count(labels["fr"]) == 1
    data = data.replace(labels["fr"], labels[calls_french])
    digits = re.search(rb'"digest":"([0-9a-f]{64})"', data).group(1)     # of the file with zeros there
    data = data.replace(digits, b"0" * 64)
    data = data.replace(b"0" * 64, hashlib.sha256(data).hexdigest().encode(), 1)
    with open(path + ".tmp-1", "wb") as file:
        file.write(data)
    os.rename(path + ".tmp-1", path)


def detect(s, text=FRENCH):
    reply = s.post({"q": text}, target="/detect")
    assert reply.status == 200, reply
    return reply.json[0]["language"]


def reload(s):
    """SIGHUP, and the event that ends it."""
    before = len(s.events("reloaded")) + len(s.events("reload_failed"))
    s.hang_up()
    s.wait_until(lambda: len(s.events("reloaded")) + len(s.events("reload_failed")) > before,
                 "end of reloading")
    ends = [e for e in s.log if e["event"] in ("reloaded", "reload_failed")]
    return ends[-1]


class Metrics(unittest.TestCase):
    def test_promtool_accepts_them(self):
        promtool = shutil.which("promtool")
        if not promtool:
            self.skipTest("there is no promtool")
        with Server(["en-fr"]) as s:
            s.translate("the ant")
            s.translate("the ant", "zz")
            s.get("/nowhere")
            with s.connect() as c:
                c.send(b"the ant\n")
                c.line()
            reply = s.get("/metrics")
        self.assertEqual(reply.headers["content-type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        done = subprocess.run([promtool, "check", "metrics"], input=reply.body,
                              capture_output=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_what_happened_is_counted(self):
        with Server(["en-fr"]) as s:
            s.translate("the ant. The thin ant.")
            s.translate("the ant", "zz")
            s.get("/nowhere/secret-path")
            with s.connect() as c:
                c.send(b"the ant\n")
                c.line()
                m = metrics(s)
            route = 'verso_requests_total{method="%s",route="%s",status="%d"}'
            self.assertEqual(m[route % ("POST", "/translate", 200)], 1)
            self.assertEqual(m[route % ("POST", "/translate", 400)], 1)
            self.assertEqual(m[route % ("-", "-", 404)], 1)
            self.assertEqual(m[route % ("LINE", "sentence", 200)], 1)
            self.assertEqual(m["verso_sentences_total"], 3)
            self.assertEqual(m["verso_connections_accepted_total"], 5)
            self.assertEqual(m["verso_connections"], 2)
            self.assertEqual(m["verso_models"], 1)
            self.assertEqual(m["verso_queue_waiting"] + m["verso_requests_running"], 0)
            self.assertGreater(m["verso_received_bytes_total"], 300)
            self.assertGreater(m["verso_sent_bytes_total"], 300)
            self.assertGreater(m["process_resident_memory_bytes"], 1e6)
            for stage in ("parse", "queue", "tokenise", "decode", "detokenise"):
                self.assertEqual(m['verso_stage_seconds_count{stage="%s"}' % stage], 2, stage)
            self.assertEqual(m['verso_stage_seconds_count{stage="documents"}'], 4)  # out and back
            self.assertEqual(m['verso_stage_seconds_count{stage="journal"}'], 2)
            self.assertGreaterEqual(m['verso_stage_seconds_count{stage="write"}'], 4)
            self.assertFalse([name for name in m if "secret" in name or "ant" in name.split("=")[-1]])

    def test_what_the_protocol_refuses_is_counted(self):
        with Server(["en-fr"]) as s:
            self.assertEqual(s.ask(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n").status, 400)
            self.assertEqual(s.ask(b"GET / HTTP/3.0\r\n\r\n").status, 505)
            with s.connect() as c:
                c.send(b"#!nonsense\n")
                self.assertTrue(c.line().startswith("#!error BAD_INPUT "))
            m = metrics(s)
            name = 'verso_requests_total{method="%s",route="-",status="%d"}'
            self.assertEqual([m[name % one] for one in (("-", 400), ("-", 505), ("LINE", 400))],
                             [1, 1, 1])

    def test_every_limit_has_an_option_and_a_line_in_the_table(self):
        text = subprocess.run([os.path.join(server.BUILD, "verso"), "serve", "--help"],
                              capture_output=True, text=True).stdout
        text = " ".join(text.split())
        with Server(["en-fr"]) as s:
            names = sorted(name for name in s.limit_hits() if "--%s " % name in text)
        self.assertGreater(len(names), 17)
        with open(README, encoding="utf-8") as file:
            table = dict(re.findall(r"(?m)^\| `([a-z-]+)` \| ([0-9]+) \|", file.read()))
        self.assertEqual(sorted(set(names) - set(table)), [])
        for name in names:
            option = re.search(r"--%s [A-Z]+ .*?\(.*?default (\d+); VERSO_" % name, text)
            self.assertTrue(option, name)
            self.assertEqual(option.group(1), table[name], name)


class Health(unittest.TestCase):
    def test_it_is_live_and_ready(self):
        with Server(["en-fr", "fr-en"]) as s:
            self.assertEqual(s.get("/health/live").json, {"status": "live"})
            self.assertEqual(s.get("/health/ready").json,
                             {"status": "ready", "models": 2, "storing": True})
            self.assertEqual(s.get("/health").json, {"status": "ok"})
        with Server(["en-fr"], "--journal", "off") as s:
            self.assertEqual(s.get("/health/ready").json["storing"], False)

    def test_it_is_not_ready_when_it_stops(self):
        with Server(["en-fr"], *server.SLOWLY) as s, s.connect() as c:
            c.send(request_bytes(body={"q": slow_text(1), "source": "en", "target": "fr"}))
            s.wait_for_work(1)
            with s.connect() as other:
                other.send(request_bytes("GET", "/health") + request_bytes("GET", "/health/ready")[:8])
                self.assertEqual(other.reply().status, 200)     # it has read what came with it
                s.terminate()
                s.wait_for("draining")
                other.send(request_bytes("GET", "/health/ready")[8:])
                reply = other.reply()
            self.assertEqual((reply.status, reply.json["status"]), (503, "stopping"))
            self.assertEqual(c.reply().status, 200)


class Reload(unittest.TestCase):
    def test_new_files_come_and_vanished_ones_leave(self):
        with Server(["en-fr", "fr-en"]) as s:
            shutil.copyfile(server.MODELS["en-de"], os.path.join(s.folder.name, "new.safetensors"))
            os.unlink(os.path.join(s.folder.name, "fr-en.safetensors"))
            self.assertEqual(reload(s)["event"], "reloaded")
            self.assertEqual(s.translate("the ant", "en", "de").status, 200)
            self.assertEqual(s.translate("the ant", "fr", "en").status, 400)
            codes = [entry["code"] for entry in s.get("/languages").json]
            self.assertEqual(codes, ["de", "en", "fr"])
            self.assertEqual(metrics(s)["verso_models"], 2)
            self.assertEqual(metrics(s)["verso_model_reloads_total"], 1)

    def test_a_replaced_file_answers_differently(self):
        with Server(["en-fr"]) as s:
            before = s.translate("the thin ant").text
            make_model(s, "en-fr", 77)
            self.assertEqual(s.translate("the thin ant").text, before)
            self.assertEqual(reload(s)["event"], "reloaded")
            self.assertNotEqual(s.translate("the thin ant").text, before)

    def test_a_bad_file_leaves_the_model_and_says_why(self):
        with Server(["en-fr"]) as s:
            before = s.translate("the thin ant").text
            path = os.path.join(s.folder.name, "en-fr.safetensors")
            os.unlink(path)
            with open(path, "w") as file:
                file.write("not a model")
            event = reload(s)
            self.assertEqual(event["event"], "reload_failed")
            self.assertIn("en-fr.safetensors", event["reason"])
            self.assertEqual(s.translate("the thin ant").text, before)
            self.assertEqual(metrics(s)["verso_model_reload_failures_total"], 1)
            os.unlink(path)
            self.assertEqual(reload(s)["event"], "reload_failed")
            self.assertEqual(s.get("/health/ready").json["models"], 1)
            shutil.copyfile(server.MODELS["en-fr"], path)
            self.assertEqual(reload(s)["event"], "reloaded")

    def test_no_request_is_lost_or_fails_while_models_are_reloaded(self):
        texts = ["the %d thin ants in it. An ant." % i for i in range(10)]
        with Server(["en-fr", "fr-en"], "--beam", 2) as s:
            answers = [{s.translate(text).text} for text in texts]
            make_model(s, "en-fr", 99)
            reload(s)
            for i, text in enumerate(texts):
                answers[i].add(s.translate(text).text)
            stop, failures, counts = threading.Event(), [], [0] * 4

            def client(k):
                try:
                    with s.connect() as c:
                        while counts[k] == 0 or not stop.is_set():
                            for text in texts:
                                c.send(request_bytes(body={"q": text, "source": "en",
                                                           "target": "fr"}))
                            for i in range(len(texts)):
                                reply = c.reply()
                                assert reply.status == 200, reply
                                assert reply.text in answers[i], (reply.text, answers[i])
                                counts[k] += 1
                except Exception as e:      # noqa: B902, it is asserted below
                    failures.append(e)
            threads = [threading.Thread(target=client, args=(k,)) for k in range(4)]
            for t in threads:
                t.start()
            for n in range(RELOADS):
                if n % 2:
                    make_model(s, "en-fr", 99)
                else:
                    replace_model(s, "en-fr")
                self.assertEqual(reload(s)["event"], "reloaded")
            stop.set()
            for t in threads:
                t.join()
            self.assertEqual(failures, [])

    def test_a_detector_comes_is_replaced_and_leaves(self):
        with Server(["en-fr", "fr-en", "en-de"]) as s:
            def starts_with():
                return s.get("/frontend/settings").json["language"]["source"]["code"]
            ask = {"q": FRENCH, "source": "auto", "target": "en"}
            self.assertEqual(s.post(ask).status, 400)
            put_detector(s)
            self.assertEqual(reload(s)["event"], "reloaded")
            self.assertEqual(s.events("detector_loaded")[0]["languages"], 4)
            self.assertEqual((detect(s), starts_with()), ("fr", "auto"))
            self.assertEqual(s.post(ask).json["detectedLanguage"]["language"], "fr")
            put_detector(s, "de")
            self.assertEqual(detect(s), "fr")
            self.assertEqual(reload(s)["event"], "reloaded")
            self.assertEqual(detect(s), "de")
            os.unlink(os.path.join(s.folder.name, "detect.safetensors"))
            self.assertEqual(reload(s)["event"], "reloaded")
            self.assertTrue(s.events("detector_left"))
            self.assertEqual((s.post(ask).status, starts_with()), (400, "en"))
            self.assertEqual(s.post({"text": FRENCH}, target="/v1/detect").status, 404)

    def test_a_bad_detector_leaves_the_one_before_it_and_models_are_reloaded(self):
        with Server(["en-fr"], files=[DETECTOR]) as s:
            before = s.translate("the thin ant").text
            path = os.path.join(s.folder.name, "detect.safetensors")
            os.unlink(path)
            with open(path, "w") as file:
                file.write("not a model")
            make_model(s, "en-fr", 77)
            event = reload(s)
            self.assertEqual(event["event"], "reload_failed")
            self.assertIn("detect.safetensors", event["reason"])
            self.assertIn("the detector before it stays", event["reason"])
            self.assertEqual(s.events("detector_not_loaded")[0]["reason"], event["reason"])
            self.assertEqual(detect(s), "fr")
            self.assertNotEqual(s.translate("the thin ant").text, before)
            put_detector(s, "de")
            self.assertEqual(reload(s)["event"], "reloaded")
            self.assertEqual(detect(s), "de")

    def test_no_request_is_lost_or_fails_while_the_detector_is_reloaded(self):
        asks = [request_bytes(target="/detect", body={"q": FRENCH}),
                request_bytes(target="/v1/detect", body={"text": [FRENCH] * 3}),
                request_bytes(body={"q": FRENCH, "source": "auto", "target": "fr"}),
                request_bytes(target="/v1/translate",
                              body={"text": FRENCH, "source": "auto", "target": "fr"})]
        with Server(["en-fr", "fr-en"], files=[DETECTOR]) as s:
            make_model(s, "de-en", 5)
            reload(s)
            stop, failures, counts = threading.Event(), [], [0] * 3

            def client(k):
                try:
                    with s.connect() as c:
                        while not stop.is_set():
                            c.send(b"".join(asks))
                            for _ in asks:
                                reply = c.reply()
                                assert reply.status == 200, reply
                            counts[k] += 1
                except Exception as e:      # noqa: B902, it is asserted below
                    failures.append(e)
            threads = [threading.Thread(target=client, args=(k,)) for k in range(3)]
            for t in threads:
                t.start()
            for n in range(RELOADS):
                so_far = list(counts)
                put_detector(s, "fr" if n % 2 else "de")
                self.assertEqual(reload(s)["event"], "reloaded")
                self.assertEqual(detect(s), "fr" if n % 2 else "de")
                s.wait_until(lambda: failures or min(b - a for a, b in zip(so_far, counts)) > 0,
                             "answer of each client")
            stop.set()
            for t in threads:
                t.join()
            self.assertEqual(failures, [])
            self.assertEqual(len(s.events("detector_loaded")), RELOADS + 1)

    def test_the_memory_of_old_models_comes_back(self):
        reloads = 40 if LONG else 12
        with Server(["en-fr"], "--beam", 4) as s:
            def rounds(count):
                for n in range(count):
                    make_model(s, "en-fr", 10 + n % 3)
                    self.assertEqual(reload(s)["event"], "reloaded")
                    self.assertEqual(s.translate("the thin ant").status, 200)
            rounds(4)
            before = s.memory_kib()
            rounds(reloads)
            grown = s.memory_kib() - before
            # An engine of a worker takes some MiB: what is kept of each would be seen.
            self.assertLess(grown, 200000 if server.is_sanitized() else 500 * reloads)


class Stopping(unittest.TestCase):
    def numbers_on(self, c):
        c.send(request_bytes("GET", "/metrics"))
        return numbers(c.reply())

    def connections(self, s, count):
        """So many that have been accepted."""
        found = [s.connect() for _ in range(count)]
        for c in found:
            self.addCleanup(c.close)
            self.numbers_on(c)
        return found

    def begin(self, c, target):
        """A request of which only the end is missing."""
        data = request_bytes("GET", target)
        c.send(data[:-2])
        return data[-2:]

    def with_a_short_drain_time(self, run):
        """Who is answered 503 has a second to read it. Where this machine was too busy for that, as
        the log then says, nothing was proved, and it is done again."""
        end = time.monotonic() + PATIENCE_S
        while True:
            with Server(["en-fr"], "--drain-time", 1, "--header-time", 600000, *server.SLOWLY) as s:
                try:
                    return run(s)
                except (AssertionError, EOFError, ConnectionError):
                    s.wait()
                    if not s.events("drain_cut_off") or time.monotonic() > end:
                        raise

    def test_what_is_not_done_by_the_end_of_the_drain_time_is_told_so(self):
        ask = request_bytes(body={"q": sentences(900), "source": "en", "target": "fr"})

        def run(s):
            with s.connect() as one, s.connect() as line:
                one.send(ask + ask)
                s.wait_for_work(1, 1)
                line.send(b"the ant\n")
                s.wait_for_work(1, 2)
                s.terminate()
                for _ in range(2):
                    reply = one.reply()
                    self.assertEqual((reply.status, reply.error),
                                     (503, "the server stops: try again in a while"))
                    self.assertIn("retry-after", reply.headers)
                self.assertEqual(reply.headers["connection"], "close")
                self.assertTrue(line.line())
                self.assertEqual(one.rest(), b"")
            self.assertEqual(s.wait(), 0)
            self.assertTrue(s.events("drain_overdue"))
            self.assertFalse(s.events("drain_cut_off"))
        self.with_a_short_drain_time(run)

    def test_a_drain_that_is_too_long_is_in_the_metrics_and_the_log(self):
        ask = request_bytes(body={"q": sentences(900), "source": "en", "target": "fr"})

        def run(s):
            slow, scraper = self.connections(s, 2)
            slow.send(ask)
            s.wait_until(lambda: self.numbers_on(scraper)["verso_requests_running"] == 1, "work")
            rest = self.begin(scraper, "/metrics")
            s.terminate()
            self.assertEqual(slow.reply().status, 503)
            scraper.send(rest)
            now = numbers(scraper.reply())
            self.assertEqual(now['verso_limit_hits_total{limit="drain-time"}'], 1)
            self.assertEqual(now["verso_requests_cancelled_total"], 1)
            self.assertEqual(
                now['verso_requests_total{method="POST",route="/translate",status="503"}'], 1)
            slow.close()
            scraper.close()
            self.assertEqual(s.wait(), 0)
            self.assertEqual([e["event"] for e in s.log if e["event"] != "request"][-4:],
                             ["stopping", "draining", "drain_overdue", "stopped"])
            self.assertEqual(s.events("drain_overdue")[0]["connections"], 2)
        self.with_a_short_drain_time(run)

    def test_a_drain_in_time_meets_no_limit(self):
        with Server(["en-fr"], "--drain-time", 600000, "--header-time", 600000) as s:
            ready, scraper = self.connections(s, 2)
            rest = self.begin(ready, "/health/ready"), self.begin(scraper, "/metrics")
            s.terminate()
            s.wait_for("draining")
            ready.send(rest[0])
            reply = ready.reply()
            self.assertEqual((reply.status, reply.headers["connection"]), (503, "close"))
            scraper.send(rest[1])
            now = numbers(scraper.reply())
            self.assertEqual(now['verso_limit_hits_total{limit="drain-time"}'], 0)
            self.assertEqual(now["verso_requests_cancelled_total"], 0)
            for c in (ready, scraper):
                self.assertEqual(c.rest(), b"")
                c.close()
            self.assertEqual(s.wait(), 0)
            said = [e for e in s.log if e["event"] != "request"][-3:]
            self.assertEqual([e["event"] for e in said], ["stopping", "draining", "stopped"])
            self.assertEqual((said[0]["signal"], said[1]["connections"]), (signal.SIGTERM, 2))

    def test_what_a_second_signal_cuts_off_is_counted_in_the_log(self):
        with Server(["en-fr"], "--drain-time", 600000, "--header-time", 600000) as s:
            found = self.connections(s, 3)
            for c in found:
                self.begin(c, "/health")
            s.terminate()
            s.wait_for("draining")
            s.process.send_signal(signal.SIGINT)
            for c in found:
                self.assertEqual(c.rest(), b"")
            self.assertEqual(s.wait(), 0)
            said = [e for e in s.log if e["event"] != "request"][-5:]
            self.assertEqual([e["event"] for e in said],
                             ["stopping", "draining", "stopping", "drain_cut_off", "stopped"])
            self.assertEqual((said[2]["signal"], said[3]["connections"]), (signal.SIGINT, 3))


class Manager:
    """A service manager's socket for what its services say."""

    def __init__(self, folder, name="notify"):
        self.path = os.path.join(folder, name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def hears(self, name):
        """The first of what is said from now on that has this line, as a dictionary."""
        while True:
            said = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))
            if name in said:
                return said


class ServiceManager(unittest.TestCase):
    def test_it_says_what_it_does(self):
        with server.folder() as folder, Manager(folder) as manager:
            with Server(["en-fr"], environment={"NOTIFY_SOCKET": manager.path,
                                                "WATCHDOG_USEC": "100000"}) as s:
                self.assertEqual(manager.hears("READY"), {"READY": "1"})
                for _ in range(3):
                    manager.hears("WATCHDOG")
                s.hang_up()
                self.assertTrue(manager.hears("RELOADING")["MONOTONIC_USEC"].isdigit())
                manager.hears("READY")
                s.terminate()
                manager.hears("STOPPING")
                self.assertEqual(s.wait(), 0)

    def test_it_takes_a_socket_that_is_passed(self):
        passed = socket.create_server(("127.0.0.1", 0))
        port = passed.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as early:    # waits in the backlog
            early.sendall(request_bytes("GET", "/health"))
            with Server(["en-fr"], passed=passed) as s:
                self.assertEqual(s.port, port)
                self.assertEqual(s.events("listening")[0]["passed"], 1)
                early.settimeout(PATIENCE_S)
                self.assertTrue(early.recv(100).startswith(b"HTTP/1.1 200 "))
                self.assertEqual(s.translate("12").text, "12")
        passed.close()

    def test_a_socket_that_does_not_listen_is_refused(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            with self.assertRaisesRegex(RuntimeError, "no listening TCP socket"):
                Server(["en-fr"], passed=silent)


class Settings(unittest.TestCase):
    def test_a_file_goes_before_defaults_and_behind_all_else(self):
        with server.folder() as folder:
            path = os.path.join(folder, "verso.conf")
            with open(path, "w") as file:
                file.write("# limits\ncharacters = 5\nbatch-items = 2\nalternatives = 1\n")
            with Server(["en-fr"], "--config", path, "--batch-items", 3,
                        environment={"VERSO_ALTERNATIVES": "0"}) as s:
                self.assertIn("limit (5)", s.translate("123456").error)
                self.assertEqual(s.translate(["1", "2", "3"]).status, 200)
                self.assertEqual(s.translate("1", alternatives=1).status, 400)

    def test_a_mistake_names_file_and_line(self):
        with server.folder() as folder:
            path = os.path.join(folder, "verso.conf")
            with open(path, "w") as file:
                file.write("# limits\n\nqueu = 5\n")
            done = subprocess.run([os.path.join(server.BUILD, "verso"), "serve", "--config", path],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn(path + ":3: there is no setting queu; did you mean queue?", done.stderr)


class Log(unittest.TestCase):
    SECRET = "chrysanthemum"

    def log_of(self, *words):
        """The log of a server that was told a secret in every way, as text."""
        with Server(["en-fr"], *words) as s:
            s.translate("the %s ant" % self.SECRET)
            s.translate("the ant", api_key=self.SECRET)
            s.translate("the ant", self.SECRET)
            s.get("/" + self.SECRET)
            s.get("/health?q=" + self.SECRET)
            s.ask(request_bytes("GET", "/health", headers=["Authorization: Bearer " + self.SECRET]))
            s.ask(b"GET /" + self.SECRET.encode() + b" HTTP/9.9\r\n\r\n")
            with s.connect() as c:
                c.send(b"%s\n#!pair %s\n#!key %s\n" % ((self.SECRET.encode(),) * 3))
                c.line()
            s.wait_for_id(s.get("/health").headers["x-request-id"])
        return s.log

    def test_every_line_is_an_event_and_none_has_what_users_wrote(self):
        log = self.log_of()
        self.assertNotIn(self.SECRET, json.dumps(log))
        for event in log:
            self.assertIn(event["level"], ("debug", "info", "warning", "error"))
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            if event["event"] == "request":
                self.assertTrue({"id", "method", "path", "status", "ms"} <= set(event))

    def test_texts_are_logged_where_that_is_asked_for_and_keys_never(self):
        log = self.log_of("--log-text")
        sources = [e["source"] for e in log if e["event"] == "text" and "source" in e]
        self.assertIn("the %s ant" % self.SECRET, sources)
        self.assertTrue([e for e in log if e["event"] == "text" and "target" in e])
        self.assertNotIn(self.SECRET, json.dumps([e for e in log if e["event"] != "text"]))


if __name__ == "__main__":
    server.main()
