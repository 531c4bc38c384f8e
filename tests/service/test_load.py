"""Many clients at once, clients that leave, and a server that is told to stop."""
import select
import signal
import socket
import struct
import threading
import unittest

import server
from server import Server, request_bytes, slow_text

MEMORY_REQUESTS = 20000
MEMORY_GROWTH_KIB = 2048    # noise of the allocator; a leak of 1 KiB a request would be ten times that
SANITIZED_REQUESTS = 4000   # sanitizers are slow, keep freed memory on purpose and find leaks anyway
SANITIZED_GROWTH_KIB = 200000


def ask(text="12", source="en", target="fr"):
    return request_bytes(body={"q": text, "source": source, "target": target})


def in_threads(count, work):
    """work(i) in so many threads; the first exception is raised here."""
    failures = []

    def run(i):
        try:
            work(i)
        except Exception as e:      # noqa: B902, it is raised below
            failures.append(e)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


def reset(connection):
    """Leave with a reset instead of a goodbye."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Load(unittest.TestCase):
    def test_together_they_say_the_same_as_alone(self):
        pairs = [("en", "fr"), ("fr", "en"), ("en", "de"), ("fr", "de")]
        asked = [("the %d thin ants in it. %s" % (i, "An ant. " * (i % 4)), *pairs[i % 4])
                 for i in range(12 if server.is_sanitized() else 40)]
        with Server(("en-fr", "fr-en", "en-de"), "--queue", 1000, "--beam", 2) as s:
            alone = [s.ask(ask(*a)).text for a in asked]
            got = [None] * 6

            def client(k):
                order = asked[k:] + asked[:k]
                with s.connect() as c:
                    c.send(b"".join(ask(*a) for a in order))
                    answers = [c.reply().text for _ in order]
                got[k] = answers[len(order) - k:] + answers[:len(order) - k] if k else answers

            def line_client(k):
                texts = [a for a in asked if a[1:] == pairs[k % 4]]
                with s.connect() as c:
                    c.send(("#!pair %s-%s\n" % pairs[k % 4]).encode() +
                           "".join(a[0] + "\n" for a in texts).encode())
                    self.assertEqual([c.line() for _ in texts],
                                     [alone[asked.index(a)] for a in texts])

            in_threads(10, lambda k: client(k) if k < 6 else line_client(k))
            for answers in got:
                self.assertEqual(answers, alone)

    def test_a_client_that_leaves_stops_its_work(self):
        slow = slow_text(2)
        for leave in (lambda c: c.close(), reset):
            with Server(["en-fr"], *server.SLOWLY) as s:
                before = s.processor_seconds()
                self.assertEqual(s.ask(ask(slow)).status, 200)
                whole = s.processor_seconds() - before
                gone = s.connect()
                gone.send(ask(slow) * 8)
                s.wait_for_work(1, 7)
                before = s.processor_seconds()
                leave(gone)
                self.assertEqual(s.translate("the ant").status, 200)
                self.assertLess(s.processor_seconds() - before, whole)
            self.assertEqual(len([e for e in s.events("request") if e["path"] == "/translate"]), 2)

    def test_a_short_request_does_not_wait_for_a_long_document(self):
        with Server(["en-fr"], "--threads", 1, "--beam", 32, "--batch", 2) as s:
            with s.connect() as first, s.connect() as second:
                first.send(ask(slow_text(5)))
                s.wait_for_work(1)                  # it has both places
                second.send(ask("the ant"))
                self.assertEqual(second.reply().status, 200)
                self.assertEqual(select.select([first.socket], [], [], 0)[0], [])
                self.assertEqual(first.reply().status, 200)

    def test_clients_that_leave_at_any_point_do_no_harm(self):
        whole = ask("the thin ant in it") * 3
        with Server(["en-fr"]) as s:
            for cut in range(0, len(whole), 3):
                c = s.connect()
                c.send(whole[:cut])
                (reset if cut % 2 else server.Connection.close)(c)
            self.assertEqual(s.translate("12").text, "12")

    def test_one_that_does_not_read_does_not_hold_up_the_others(self):
        text = "é" * 40000
        with Server(["en-fr"]) as s, s.connect() as slow:
            slow.socket.settimeout(0.5)
            try:
                while True:
                    slow.send(ask(text, "fr", "fr"))
            except TimeoutError:
                pass
            for _ in range(20):
                self.assertEqual(s.translate("12").text, "12")

    def test_memory_does_not_grow(self):
        data = ask("the ant") + ask("é" * 300, "fr", "fr") + ask("12") + \
            request_bytes("GET", "/languages") + request_bytes("GET", "/nothing")
        rounds = (SANITIZED_REQUESTS if server.is_sanitized() else MEMORY_REQUESTS) // 5 // 10
        growth = SANITIZED_GROWTH_KIB if server.is_sanitized() else MEMORY_GROWTH_KIB

        def some(s, count):
            for _ in range(count):
                with s.connect() as c:
                    for _ in range(10):
                        c.send(data)
                        for _ in range(5):
                            c.reply()
        with Server(["en-fr"]) as s:
            some(s, rounds // 4)
            before = s.memory_kib()
            some(s, rounds)
            self.assertLess(s.memory_kib() - before, growth)

    # ---- stopping ----

    def test_sigterm_answers_every_accepted_request(self):
        with Server(["en-fr"], "--drain-time", 60000) as s:
            expected = {i: s.translate("the %d ants" % i).text for i in range(20)}
            stopped = threading.Event()
            answered = [0] * 8

            def client(k):
                i = 0
                while not stopped.is_set():
                    try:
                        c = s.connect()
                    except ConnectionRefusedError:
                        return
                    with c:
                        for _ in range(50):
                            i = (i + 1) % 20
                            try:
                                c.send(ask("the %d ants" % i))
                            except (BrokenPipeError, ConnectionResetError):
                                break           # the goodbye crossed our request
                            try:
                                reply = c.reply()
                            except (EOFError, ConnectionResetError):
                                self.assertEqual(c.pending, b"", "an answer was cut")
                                break
                            self.assertEqual((reply.status, reply.text), (200, expected[i]))
                            answered[k] += 1
                            if reply.headers.get("connection") == "close":
                                return
            threads = threading.Thread(target=in_threads, args=(8, client))
            threads.start()
            s.wait_until(lambda: min(answered) > 20, "answers for each client")
            s.terminate()
            self.assertEqual(s.wait(), 0)
            stopped.set()
            threads.join()
            self.assertEqual(len(s.events("request")), sum(answered) + len(expected))
            self.assertEqual(s.log[-1]["event"], "stopped")

    def test_sigterm_answers_what_is_in_flight_and_says_goodbye(self):
        slow = slow_text(2)
        with Server(["en-fr"], *server.SLOWLY) as s:
            with s.connect() as http, s.connect() as lines, s.connect() as idle:
                http.send(ask(slow) + ask("12"))
                s.wait_for_work(1, 1)
                lines.send(b"the ant\n12\n")
                s.wait_for_work(1, 3)
                s.terminate()
                s.wait_for("draining")
                first, second = http.reply(), http.reply()
                self.assertEqual((first.status, second.text), (200, "12"))
                self.assertNotIn("connection", first.headers)
                self.assertEqual(second.headers["connection"], "close")
                self.assertTrue(lines.line())
                self.assertEqual(lines.line(), "12")
                for c in (http, lines, idle):
                    self.assertEqual(c.rest(), b"")
            self.assertEqual(s.wait(), 0)
            self.assertFalse(s.events("drain_cut_off"))

    def test_no_new_connections_while_it_stops(self):
        slow = slow_text(2)
        with Server(["en-fr"], *server.SLOWLY) as s, s.connect() as c:
            c.send(ask(slow))
            s.wait_for_work(1)
            s.terminate()
            s.wait_for("draining")
            with self.assertRaises(ConnectionRefusedError):
                s.connect()
            self.assertEqual(c.reply().status, 200)

    def test_a_second_signal_does_not_wait(self):
        slow = slow_text(5)
        with Server(["en-fr"], *server.SLOWLY) as s, s.connect() as c:
            c.send(ask(slow))
            s.wait_for_work(1)
            s.terminate()
            s.wait_for("draining")
            s.process.send_signal(signal.SIGINT)
            self.assertEqual(s.wait(), 0)
            self.assertEqual(c.rest(), b"")


if __name__ == "__main__":
    server.main()
