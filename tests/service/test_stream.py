"""POST /v1/translate/stream: translations while they are found."""
import json
import unittest

import server
from server import Server, request_bytes

TEXT = "  the thin reindeer.\n\nthe ant, in it! Two \"ants\" é\n"
HELD = " the ant. in it 12 of {x}, it. the 3 ants.\n\n 12 \n  in the ant, it: https://a.example/b?c. an ant.\n"
PAGE = ("<!doctype html>\n<p title='the ant'>the <b>thin</b> ant. an &lt;ant&gt; &amp; it. <i>in it.</i></p>\n"
        "<ul><li>in the <code>x()</code> 12 ants</li><li></li><li>the ant<br>an ant in it</li></ul>"
        "<p translate=no>the ant.</p><i>the ant. in it. </i>the ants")


def chunk(connection):
    """The next chunk of a body; empty at its end."""
    size = int(connection.until(b"\r\n"), 16)
    data = connection.exactly(size)
    assert connection.exactly(2) == b"\r\n"
    return data


def events(data):
    found = []
    for block in data.decode().split("\n\n")[:-1]:
        name, value = block.split("\n")
        assert name.startswith("event: ") and value.startswith("data: "), block
        found.append((name[7:], json.loads(value[6:])))
    return found


def stream_bytes(body, **more):
    return request_bytes(target="/v1/translate/stream", body=body, **more)


class Stream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr", "fr-en", "en-de"], "--pieces", 64)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, code

    def head(self, connection):
        first, *lines = connection.until(b"\r\n\r\n").decode().split("\r\n")
        return int(first.split(" ")[1]), dict(line.split(": ", 1) for line in lines)

    def stream(self, text, source="en", target="fr", **more):
        body = {"text": text, "source": source, "target": target, **more}
        with self.server.connect() as c:
            c.send(stream_bytes(body))
            status, headers = self.head(c)
            self.assertEqual((status, headers["Content-Type"]), (200, "text/event-stream"))
            parts = []
            if "Content-Length" in headers:
                parts.append(c.exactly(int(headers["Content-Length"])))
            else:
                while part := chunk(c):
                    parts.append(part)
        self.with_the_end = events(parts[-1])
        self.assertEqual(self.with_the_end[-1][0], "done", self.with_the_end[-1])
        return events(b"".join(parts))

    def whole(self, text, source="en", target="fr", **more):
        body = {"text": text, "source": source, "target": target, "store": False, **more}
        reply = self.server.post(body, target="/v1/translate")
        self.assertEqual(reply.status, 200, reply)
        return reply.json

    def texts(self, found, count):
        return ["".join(e["text"] for name, e in found if name == "token" and e["index"] == i)
                for i in range(count)]

    def assert_told(self, found, translation):
        """The events before the end are the translation: its text, and each token where it stands."""
        self.assertEqual(self.texts(found, 1), [translation["text"]])
        sentences = translation["sentences"]
        told = [e for name, e in found if name == "sentence"]
        self.assertEqual([e["source"] for e in told], [s["source"] for s in sentences])
        self.assertEqual([[t["span"] for t in e["source_tokens"]] for e in told],
                         [[t["span"] for t in s["source_tokens"]] for s in sentences])
        tokens = [e for name, e in found if name == "token" and "token" in e]
        self.assertEqual([e["token"] for e in tokens], [t for s in sentences for t in s["tokens"]])
        self.assertEqual([e["alignment"] for e in tokens], [r for s in sentences for r in s["alignment"]])
        said = b""
        for name, e in found:
            said += e["text"].encode() if name == "token" else b""
            if name == "token" and "token" in e:
                start, end = e["token"]["span"]
                self.assertEqual(said[start:end].decode(), e["token"]["text"])

    def test_the_tokens_are_the_translation(self):
        for more in ({"beam": 1}, {"beam": 5}, {"beam": 5, "level": "piece"}, {"n_best": 3}):
            with self.subTest(more):
                found = self.stream(TEXT, alignment=True, store=False, **more)
                [translation] = self.whole(TEXT, alignment=True, **more)["translations"]
                self.assert_told(found, translation)

    def test_what_is_held_and_marked_up_is_told_as_it_will_be(self):
        glossary = {"ants": "FOURMIS", "thin ant": "la fourmi"}
        for text, more in ((HELD, {}), (HELD, {"source": "fr", "target": "de"}), (HELD, {"glossary": glossary}),
                           (TEXT, {"glossary": glossary}), (PAGE, {"format": "html"}),
                           ("<p>the <b>thin</b> ant. an &lt;ant&gt;</p>", {"format": "html", "source": "fr", "target": "de"}),
                           (PAGE, {"format": "html", "glossary": glossary})):
            for kind in ({"beam": 1}, {"beam": 3, "n_best": 2}, {"beam": 3, "level": "piece"}):
                with self.subTest(text=text, **more, **kind):
                    found = self.stream(text, alignment=True, store=False, **more, **kind)
                    [translation] = self.whole(text, alignment=True, **more, **kind)["translations"]
                    self.assert_told(found, translation)
                    self.assertEqual([e for _, e in self.with_the_end if "token" in e], [])

    def test_a_sentence_that_was_cut_is_told_as_it_will_be(self):
        text = " ".join(["the"] * 80) + " 12 ants"
        found = self.stream(text, alignment=True, store=False, beam=1)
        [translation] = self.whole(text, alignment=True, beam=1)["translations"]
        self.assertIn("split", [w["kind"] for w in translation["warnings"]])
        self.assert_told(found, translation)

    def test_it_ends_with_the_translation(self):
        found = self.stream(TEXT, store=False)
        self.assertEqual([name for name, _ in found[-2:]], ["translation", "done"])
        [translation] = self.whole(TEXT)["translations"]
        self.assertEqual(found[-2][1], {**translation, "index": 0})
        self.assertEqual(found[-1][1], {"model": "en-fr"})

    def test_texts_of_a_list_are_told_apart(self):
        texts = [TEXT, "12", "", "an ant", TEXT]
        found = self.stream(texts)
        translations = self.whole(texts)["translations"]
        self.assertEqual(self.texts(found, 5), [t["text"] for t in translations])
        self.assertEqual([e["index"] for name, e in found if name == "translation"], [0, 1, 2, 3, 4])

    def test_the_second_of_two_models_is_heard(self):
        found = self.stream(TEXT, "fr", "de")
        translation = self.whole(TEXT, "fr", "de")["translations"][0]
        self.assertEqual(self.texts(found, 1), [translation["text"]])
        self.assertEqual(found[-1][1], {"model": "en-de", "via": "en"})

    def test_what_needs_no_model_comes_at_once(self):
        for found in (self.stream("é\n", "fr", "fr"), self.stream("12 :-)")):
            self.assertEqual([name for name, _ in found], ["token", "translation", "done"])
            self.assertEqual(found[0][1]["text"], found[1][1]["text"])

    def test_what_is_wrong_has_its_status(self):
        body = {"text": "a", "source": "en", "target": "fr", "beam": 99}
        reply = self.server.ask(stream_bytes(body))
        self.assertEqual((reply.status, reply.headers["content-type"]),
                         (400, "application/problem+json"))
        reply = self.server.ask(stream_bytes({**body, "beam": 1, "text": "An ant. " * 1200}))
        self.assertEqual(reply.status, 413)

    def test_requests_behind_it_wait_for_their_turn(self):
        body = {"text": TEXT, "source": "en", "target": "fr"}
        with self.server.connect() as c:
            c.send(request_bytes("GET", "/health") + stream_bytes(body) +
                   request_bytes("GET", "/health") + stream_bytes(body))
            self.assertEqual(c.reply().json, {"status": "ok"})
            for behind in (True, False):
                self.assertEqual(self.head(c)[1]["Transfer-Encoding"], "chunked")
                data = b""
                while part := chunk(c):
                    data += part
                self.assertEqual(events(data)[-1][0], "done")
                if behind:
                    self.assertEqual(c.reply().json, {"status": "ok"})

    def test_http_1_0_reads_until_the_end(self):
        request = stream_bytes({"text": TEXT, "source": "en", "target": "fr"})
        request = request.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n")
        with self.server.connect() as c:
            c.send(request + b"GET /health HTTP/1.0\r\n\r\n")
            status, headers = self.head(c)
            self.assertEqual((status, headers["Connection"]), (200, "close"))
            self.assertNotIn("Transfer-Encoding", headers)
            self.assertEqual(events(c.rest())[-1][0], "done")


class Slow(unittest.TestCase):
    def test_tokens_come_before_the_end_and_a_client_that_leaves_stops_it(self):
        with Server(["en-fr"], *server.SLOWLY, "--threads", 1) as slow:
            body = {"text": "the thin ant. " * 900, "source": "en", "target": "fr"}
            with slow.connect() as c:
                c.send(stream_bytes(body))
                c.until(b"\r\n\r\n")
                self.assertEqual(events(chunk(c))[0][0], "sentence")
            reply = slow.translate("an ant")            # the only thread is free again
            self.assertEqual(reply.status, 200)


if __name__ == "__main__":
    server.main()
