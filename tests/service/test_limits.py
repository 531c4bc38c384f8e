"""Each limit of "verso serve": what is over it gets its error, what is at it is served."""
import contextlib
import os
import re
import resource
import select
import subprocess
import time
import unittest

import server
from server import Server, request_bytes, sentences, slow_text


def ask(text="12", **more):
    return request_bytes(body={"q": text, "source": "en", "target": "fr", **more})


@contextlib.contextmanager
def no_more_memory(s):
    """The server finds hardly any while this lasts."""
    with open("/proc/%d/status" % s.process.pid) as status:
        kib = int(re.search(r"VmSize:\s+(\d+)", status.read()).group(1))
    before = resource.prlimit(s.process.pid, resource.RLIMIT_AS)
    resource.prlimit(s.process.pid, resource.RLIMIT_AS, (kib + 1024 << 10, before[1]))
    try:
        yield
    finally:
        resource.prlimit(s.process.pid, resource.RLIMIT_AS, before)


class Limits(unittest.TestCase):
    def assert_refused(self, reply, status):
        self.assertEqual(reply.status, status, reply)
        self.assertIn("error", reply.json)

    # ---- sizes ----

    def test_request_bytes(self):
        with Server(["en-fr"], "--request-bytes", 200) as s:
            body = b'{"q":"12","source":"en","target":"fr"}'
            self.assertEqual(s.ask(request_bytes(body=body.ljust(200))).text, "12")
            with s.connect() as c:
                c.send(request_bytes(body=body.ljust(201)) + bytes(100000))
                self.assert_refused(c.reply(), 413)
                self.assertEqual(c.rest(), b"")
            with s.connect() as c:
                c.send(request_bytes(headers=["Transfer-Encoding: chunked"]) +
                       b"64\r\n" + bytes(100) + b"\r\n65\r\n" + bytes(101))
                self.assert_refused(c.reply(), 413)

    def test_request_bytes_are_refused_before_they_are_sent(self):
        with Server(["en-fr"], "--request-bytes", 200) as s, s.connect() as c:
            c.send(request_bytes(headers=["Expect: 100-continue", "Content-Length: 201"]))
            self.assert_refused(c.reply(), 413)

    def test_a_client_that_sends_much_too_much_reads_the_refusal(self):
        with Server(["en-fr"], "--request-bytes", 1000) as s, s.connect() as c:
            c.send(request_bytes(headers=["Content-Length: 3000000"]))
            try:
                for _ in range(30):
                    c.send(bytes(100000))
            except (BrokenPipeError, ConnectionResetError):
                self.fail("the server did not wait for the client to read its refusal")
            self.assert_refused(c.reply(), 413)

    def test_a_body_for_which_there_is_no_memory(self):
        if server.is_sanitized():
            self.skipTest("a sanitizer ends a program that finds no memory")
        size, sent = 8 << 20, b" " * (4 << 20)
        headers = ["Content-Type: application/json", "Content-Length: %d" % size]
        with Server(["en-fr"], "--request-bytes", size,
                    environment={"MALLOC_MMAP_THRESHOLD_": "65536"}) as s:
            s.get("/v1/translations")           # threads that read the database are there
            with no_more_memory(s):
                for target in ("/translate", "/v1/translate"):
                    with self.subTest(target), s.connect() as c:
                        c.send(request_bytes(target=target, headers=headers) + sent)
                        reply = c.reply()
                        self.assertEqual((reply.status, reply.headers["retry-after"]), (503, "1"))
                        self.assertIn("there is no memory for the body just now",
                                      reply.body.decode())
                        self.assertEqual(c.rest(), b"")
                self.assertEqual(s.get("/health").status, 200)
            reply = s.ask(request_bytes(body=sent + b'{"q":"12","source":"en","target":"fr"}'))
            self.assertEqual((reply.status, reply.text), (200, "12"))

    def test_an_answer_that_is_too_large(self):
        with Server(["en-fr"], "--request-bytes", 4 << 20, "--characters", 4 << 20) as s:
            body = b"source=fr&target=fr&q=" + b"\x01" * (2 << 20)      # each is \\u0001 in JSON
            reply = s.ask(request_bytes(body=body, content_type="application/x-www-form-urlencoded"))
            self.assert_refused(reply, 413)
            self.assertIn("more than 8388608 bytes: send the text in parts", reply.error)

    def test_head_bytes(self):
        with Server(["en-fr"], "--head-bytes", 600) as s:
            self.assertEqual(s.ask(request_bytes("GET", "/health",
                                                 headers=["X: " + "a" * 400])).status, 200)
            self.assert_refused(s.ask(request_bytes("GET", "/health",
                                                    headers=["X: " + "a" * 600])), 431)
            self.assert_refused(s.ask(request_bytes("GET", "/?" + "a" * 600)), 414)

    def test_a_long_target(self):
        with Server(["en-fr"]) as s:
            self.assert_refused(s.ask(request_bytes("GET", "/?" + "a" * 100000)), 414)

    def test_line_bytes(self):
        with Server(["en-fr"], "--line-bytes", 100) as s, s.connect() as c:
            c.send(b"1" * 100 + b"\n" + b"2" * 101 + b"\n" + b"3" * 500000 + b"\n4\n")
            self.assertEqual(c.line(), "1" * 100)
            for _ in range(2):
                self.assertTrue(c.line().startswith("#!error TOO_LARGE A line has more than 100"))
            self.assertEqual(c.line(), "4")

    def test_characters(self):
        with Server(["en-fr"], "--characters", 10) as s:
            self.assertEqual(s.translate("é" * 10, "fr", "fr").status, 200)
            reply = s.translate(["1" * 8, "é" * 3])
            self.assert_refused(reply, 400)
            self.assertEqual(reply.error,
                             "Invalid request: request (11) exceeds text limit (10)")
            self.assertEqual(s.get("/frontend/settings").json["charLimit"], 10)
            with s.connect() as c:
                c.send(b"1" * 11 + b"\n")
                self.assertEqual(c.line(),
                                 "#!error TOO_LARGE The line has 11 characters, the limit is 10.")

    def test_sentences(self):
        with Server(["en-fr"], "--sentences", 3) as s:
            self.assertEqual(s.translate("An ant.\nAn ant.\nAn ant.").status, 200)
            self.assert_refused(s.translate("An ant.\nAn ant.\nAn ant.\nAn ant."), 413)
            self.assert_refused(s.translate(["An ant.\nAn ant.", "An ant.\nAn ant."]), 413)

    def test_batch_items(self):
        with Server(["en-fr"], "--batch-items", 3) as s:
            self.assertEqual(s.translate(["1", "2", "3"]).text, ["1", "2", "3"])
            reply = s.translate(["1", "2", "3", "4"])
            self.assert_refused(reply, 400)
            self.assertEqual(reply.error, "Invalid request: request (4) exceeds text limit (3)")

    def test_pieces_of_a_longer_sentence_are_translated_in_parts(self):
        with Server(["en-fr"], "--pieces", 16) as s:
            self.assertEqual(s.translate("the thin ant, " * 50).status, 200)

    def test_alternatives(self):
        with Server(["en-fr"], "--alternatives", 7) as s:
            self.assertEqual(s.translate("the ant", alternatives=7).status, 200)
            self.assert_refused(s.translate("the ant", alternatives=8), 400)

    # ---- numbers ----

    def test_connections(self):
        with Server(["en-fr"], "--connections", 3) as s:
            three = [s.connect() for _ in range(3)]
            for c in three:
                c.send(request_bytes("GET", "/health"))
                self.assertEqual(c.reply().status, 200)
            more = [s.connect() for _ in range(5)]
            for c in more:
                reply = c.reply()
                self.assert_refused(reply, 503)
                self.assertIn("retry-after", reply.headers)
                c.close()
            three.pop().close()
            s.wait_until(lambda: s.get("/health").status == 200, "room for another")
            for c in three:
                c.send(request_bytes("GET", "/health"))
                self.assertEqual(c.reply().status, 200)
                c.close()

    def test_in_flight(self):
        with Server(["en-fr"], "--in-flight", 2) as s, s.connect() as c:
            c.send(ask() * 100)
            self.assertEqual([c.reply().text for _ in range(100)], ["12"] * 100)

    def test_queue(self):
        slow = slow_text(3)
        with Server(["en-fr"], "--queue", 1, *server.SLOWLY) as s:
            busy, waiting = s.connect(), s.connect()
            busy.send(ask(slow))
            s.wait_for_work(1)
            waiting.send(ask(slow))
            s.wait_for_work(1, 1)
            reply = s.translate("the ant")
            self.assert_refused(reply, 503)
            self.assertEqual(reply.headers["retry-after"], "1")
            with s.connect() as c:
                c.send(b"the ant\n")
                self.assertTrue(c.line().startswith("#!error BUSY "))
            self.assertEqual(s.get("/health").status, 200)
            busy.close()
            waiting.close()
            s.wait_for_work(0)
            self.assertEqual(s.translate("the ant").status, 200)

    # ---- times ----

    def test_deadline(self):
        slow = slow_text(5)
        with Server(["en-fr"], "--deadline", 1000, *server.SLOWLY) as s:
            started = time.monotonic()
            with s.connect() as one, s.connect() as two:
                one.send(ask(slow))
                two.send(ask(slow))                 # waits for the only thread, and is late too
                self.assert_refused(one.reply(), 504)
                self.assert_refused(two.reply(), 504)
            self.assertLess(time.monotonic() - started, server.PATIENCE_S / 2)
            s.wait_for_work(0)
            s.wait_until(lambda: s.translate("12").status == 200, "answer in time")

    def test_header_time(self):
        with Server(["en-fr"], "--header-time", 200) as s:
            with s.connect() as c:
                c.send(request_bytes("GET", "/health") + b"GET / HTTP/1.1\r\nHost: a\r\n")
                self.assertEqual(c.reply().status, 200)
                self.assert_refused(c.reply(), 408)
                self.assertEqual(c.rest(), b"")
            with s.connect() as c:                  # drop by drop is no excuse
                end = time.monotonic() + server.PATIENCE_S
                with self.assertRaises((BrokenPipeError, ConnectionResetError)):
                    while time.monotonic() < end:
                        c.send(b"X")
                        time.sleep(0.02)

    def test_body_time(self):
        with Server(["en-fr"], "--body-time", 200) as s:
            with s.connect() as c:
                c.send(request_bytes(headers=["Content-Length: 10"]) + b"{")
                self.assert_refused(c.reply(), 408)
                self.assertEqual(c.rest(), b"")
            with s.connect() as c:
                c.send(b"12\nabc")
                self.assertEqual(c.line(), "12")
                self.assertTrue(c.line().startswith("#!error CANCELLED "))
                self.assertEqual(c.rest(), b"")

    def test_idle_time(self):
        for idle_s in (0.5, 5, 50):     # a machine that keeps us waiting longer gets more
            with Server(["en-fr"], "--idle-time", int(idle_s * 1000)) as s:
                if self.outlives_a_silent_one(s, idle_s):
                    return
        self.fail("there was no time to ask")

    def outlives_a_silent_one(self, s, idle_s):
        """Of three connections one asks all the time; false where we were too slow to ask."""
        with s.connect() as silent, s.connect() as c, s.connect() as line:
            longest, before = 0, time.monotonic()
            try:
                while not select.select([silent.socket], [], [], idle_s / 20)[0]:
                    c.send(request_bytes("GET", "/health"))
                    longest = max(longest, time.monotonic() - before)
                    before = time.monotonic()
                    self.assertEqual(c.reply().status, 200)
            except (EOFError, OSError):
                self.assertGreater(max(longest, time.monotonic() - before), idle_s / 2)
                return False
            for one in (silent, c, line):
                self.assertEqual(one.rest(), b"")
        return True

    def test_idle_time_does_not_end_a_request_in_flight(self):
        slow = slow_text(1)
        with Server(["en-fr"], "--idle-time", 100, *server.SLOWLY) as s, s.connect() as c:
            c.send(ask(slow))
            self.assertEqual(c.reply().status, 200)

    def test_send_time(self):
        text = "é" * 40000
        data = request_bytes(body={"q": text, "source": "fr", "target": "fr"})
        with Server(["en-fr"], "--send-time", 300) as s, s.connect() as c:
            sent = 0
            c.socket.settimeout(0.1)
            try:
                while sent < 2000 * len(data) and not s.events("connection_closed"):
                    try:
                        sent += c.socket.send(data[sent % len(data):])
                    except TimeoutError:
                        pass
            except (ConnectionResetError, BrokenPipeError):
                pass
            self.assertLess(sent, 2000 * len(data))     # the server stopped reading
            s.wait_for("connection_closed")
            self.assertIn("does not read", s.events("connection_closed")[0]["reason"])
            self.assertEqual(s.limit_hits()["send-time"], 1)
            self.assertEqual(s.get("/health").status, 200)

    def test_a_slow_reader_gets_everything(self):
        text = "é" * 40000
        with Server(["en-fr"], "--send-time", 60000) as s, s.connect() as c:
            c.send(request_bytes(body={"q": text, "source": "fr", "target": "fr"}) * 20)
            for _ in range(20):
                time.sleep(0.05)
                self.assertEqual(c.reply().text, text)

    def test_drain_time(self):
        with Server(["en-fr"], "--drain-time", 1, *server.SLOWLY) as s, s.connect() as c:
            c.send(ask(sentences(900)))
            s.wait_for_work(1)
            self.assertEqual(s.stop(), 0)
            self.assertTrue(s.events("drain_overdue"))      # who hears what: test_operations.py

    # ---- what is counted ----

    def assert_counted(self, s, before, *names):
        """These limits were met since, and no others."""
        after = s.limit_hits()
        met = sorted(name for name in after if after[name] > before[name])
        self.assertEqual(met, sorted(names))

    def test_each_limit_that_is_met_is_counted(self):
        v1 = {"source": "en", "target": "fr", "text": "the ant"}
        with Server(["en-fr"], "--request-bytes", 2000, "--head-bytes", 600, "--line-bytes", 100,
                    "--characters", 80, "--batch-items", 3, "--sentences", 8, "--alternatives", 2,
                    "--pieces", 8, "--beam", 3) as s:
            def meets(*names, ask):
                with self.subTest(names):
                    before = s.limit_hits()
                    ask()
                    self.assert_counted(s, before, *names)

            def line(data):
                with s.connect() as c:
                    c.send(data)
                    c.line()
            meets("request-bytes", ask=lambda: s.ask(request_bytes(body=b" " * 2001)))
            meets("head-bytes", ask=lambda: s.ask(request_bytes("GET", "/?" + "a" * 600)))
            meets("head-bytes", ask=lambda: s.ask(request_bytes(
                "GET", "/health", headers=["X: " + "a" * 600])))
            meets("line-bytes", ask=lambda: line(b"1" * 101 + b"\n"))
            meets("characters", ask=lambda: s.translate("1" * 81))
            meets("characters", ask=lambda: line(b"1" * 81 + b"\n"))
            meets("characters", ask=lambda: s.v1({**v1, "text": "1" * 81}))
            meets("characters", ask=lambda: s.ask(request_bytes(target="/v1/align", body={
                "source": "en", "target": "fr", "source_text": "1" * 41, "target_text": "1" * 40})))
            meets("batch-items", ask=lambda: s.translate(["1"] * 4))
            meets("batch-items", ask=lambda: s.v1({**v1, "text": ["1"] * 4}))
            meets("sentences", ask=lambda: s.translate("An ant.\n" * 9))
            meets("pieces", ask=lambda: s.translate("the thin ant, the thin ant in it"))
            meets("alternatives", ask=lambda: s.translate("the ant", alternatives=3))
            meets("alternatives", ask=lambda: s.v1({**v1, "n_best": 4}))
            meets("beam", ask=lambda: s.v1({**v1, "beam": 4}))
            meets("deadline", ask=lambda: s.v1({**v1, "deadline_ms": 60001}))
            meets(ask=lambda: s.translate("the ant", alternatives=2))
            meets(ask=lambda: s.v1({**v1, "n_best": 3, "beam": 3}))

    def test_a_rate_that_is_met_is_counted(self):
        with Server(["en-fr"], "--rate", 60) as s:
            s.wait_until(lambda: s.translate("12").status == 429, "refusal")
            self.assertEqual(s.get("/health").status, 200)
            # /metrics has a scope, and so its share of the rate
            s.wait_until(lambda: s.limit_hits().get("rate", 0) >= 1, "hit")

    def test_a_connection_too_many_is_counted(self):
        with Server(["en-fr"], "--connections", 3) as s:
            before = s.limit_hits()
            taken = []
            while len(taken) < 4:       # those that were closed are forgotten a moment later
                c = s.connect()
                c.send(request_bytes("GET", "/health"))
                taken.append(c)
                if c.reply().status == 503 and len(taken) < 4:
                    taken.pop().close()
            for c in taken:
                c.close()
            s.wait_until(lambda: s.get("/health").status == 200, "room for another")
            self.assert_counted(s, before, "connections")

    def test_each_time_that_runs_out_is_counted(self):
        with Server(["en-fr"], "--header-time", 200, "--body-time", 200, "--idle-time", 500) as s:
            before = s.limit_hits()
            with s.connect() as head, s.connect() as body:
                head.send(b"GET / HTTP/1.1\r\n")
                body.send(request_bytes(headers=["Content-Length: 10"]) + b"{")
                self.assert_refused(head.reply(), 408)
                self.assert_refused(body.reply(), 408)
            with s.connect() as idle:
                self.assertEqual(idle.rest(), b"")
            self.assert_counted(s, before, "header-time", "body-time", "idle-time")

    def test_waiting_that_is_too_long_is_counted(self):
        slow = slow_text(5)
        with Server(["en-fr"], "--queue", 1, "--in-flight", 2, *server.SLOWLY) as s:
            before = s.limit_hits()
            with s.connect() as busy, s.connect() as waiting:
                busy.send(ask(slow))
                s.wait_for_work(1)
                waiting.send(ask("the ant") * 3)    # the third is not read
                s.wait_for_work(1, 1)
                self.assert_refused(s.translate("the ant"), 503)
                self.assert_counted(s, before, "queue", "in-flight")
            s.wait_for_work(0)
            hurried = {"text": slow, "source": "en", "target": "fr", "deadline_ms": 1}
            self.assertEqual(s.v1(hurried).status, 504)
            self.assert_counted(s, before, "queue", "in-flight", "deadline")

    def test_a_beam_over_the_limit_is_refused_and_one_at_it_is_served(self):
        v1 = {"source": "en", "target": "fr", "text": "the ant"}
        with Server(["en-fr"], "--beam", 4, "--alternatives", 2) as s:
            self.assertEqual(s.v1({**v1, "beam": 4, "n_best": 3}).status, 200)
            for field, limit in (("beam", 4), ("n_best", 3)):
                reply = s.v1({**v1, field: limit + 1})
                self.assertEqual(reply.status, 400)
                self.assertIn(field, reply.json["detail"])
                self.assertIn(str(limit), reply.json["detail"])

    def test_a_sentence_that_was_split_says_so(self):
        with Server(["en-fr"], "--pieces", 16) as s:
            reply = s.v1({"source": "en", "target": "fr", "text": "the thin ant, " * 20})
            kinds = {w["kind"] for t in reply.json["translations"] for w in t["warnings"]}
            self.assertIn("split", kinds)

    # ---- settings ----

    def test_settings_come_from_the_environment_too(self):
        with Server(["en-fr"], environment={"VERSO_CHARACTERS": "5"}) as s:
            self.assert_refused(s.translate("123456"), 400)
        with Server(["en-fr"], "--characters", 6, environment={"VERSO_CHARACTERS": "5"}) as s:
            self.assertEqual(s.translate("123456").text, "123456")

    def run_serve(self, *words):
        return subprocess.run([os.path.join(server.BUILD, "verso"), "serve", *words],
                              capture_output=True, text=True, timeout=server.PATIENCE_S)

    def test_a_start_that_fails_says_why(self):
        with Server(["en-fr"]) as s:
            folder = s.folder.name
            database = os.path.join(folder, "other.db")
            for words, code, text in (
                    (("--models", folder + "/nowhere"), 5, "nowhere"),
                    (("--port", "70000"), 2, "65535"),
                    (("--queue", "0"), 2, "queue"),
                    (("--precision", "f64"), 2, "f32, bf16, int8"),
                    (("--host", "localhost"), 2, "is no address"),
                    (("--port", str(s.port)), 1, "cannot listen")):
                with self.subTest(words):
                    done = self.run_serve("--models", folder, "--database", database, *words)
                    self.assertEqual(done.returncode, code, done)
                    self.assertIn(text, done.stderr)

    def test_it_listens_on_loopback_unless_told(self):
        with Server(["en-fr"]) as s:
            self.assertEqual(s.events("listening")[0]["host"], "127.0.0.1")

    def test_it_serves_matrices_of_every_precision(self):
        for precision in ("f32", "bf16", "int8"):
            with self.subTest(precision), Server(["en-fr"], "--precision", precision) as s:
                self.assertEqual(s.ask(ask("12")).text, "12")

    def test_it_listens_on_ipv6_too(self):
        try:
            with Server(["en-fr"], "--host", "::1") as s:
                self.assertGreater(s.port, 0)
        except RuntimeError as e:
            if "address family" not in str(e) and "not available" not in str(e):
                raise

    def test_every_limit_has_a_line_in_the_help(self):
        text = self.run_serve("--help").stdout
        for name in ("connections", "request-bytes", "characters", "sentences", "batch-items",
                     "pieces", "header-time", "body-time", "idle-time", "queue", "deadline"):
            self.assertIn("--" + name, text)


if __name__ == "__main__":
    server.main()
