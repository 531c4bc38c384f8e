"""/v1: translations with all that explains them, and what is refused."""
import json
import os
import unittest

import server
from server import Server, request_bytes

TEXT = "the thin reindeer"
DETECTOR = os.path.join(os.path.dirname(__file__), "../../deploy/models/detect.safetensors")
ENGLISH = "The weather is very nice today and we are going to the river."
FRENCH = "Le temps est tr\u00e8s beau aujourd'hui et nous allons \u00e0 la rivi\u00e8re."
LIMITS = ("--characters", 2000, "--batch-items", 4, "--alternatives", 3, "--beam", 4,
          "--deadline", 50000)


def by_bytes(text, span):
    return text.encode()[span[0]:span[1]].decode()


class V1(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr", "fr-en", "en-de"], *LIMITS)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, code

    def ask(self, target, body, **more):
        return self.server.post(body, target=target, **more)

    def v1(self, text, source="en", target="fr", **more):
        body = {"text": text, "source": source, "target": target, "store": False, **more}
        return self.ask("/v1/translate", body)

    def assert_problem(self, reply, status, *words):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers["content-type"], "application/problem+json")
        self.assertEqual(list(reply.json), ["type", "title", "status", "detail"])
        self.assertEqual(reply.json["status"], status)
        for word in words:
            self.assertIn(word, reply.json["detail"])

    # ---- translations ----

    def test_a_text_is_translated_as_the_other_interface_does(self):
        reply = self.v1(TEXT)
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["content-type"], "application/json")
        self.assertEqual(list(reply.json), ["model", "translations"])
        self.assertEqual(reply.json["model"], "en-fr")
        [one] = reply.json["translations"]
        self.assertEqual(one["text"], self.server.translate(TEXT).text)
        self.assertEqual(one["origin"], "model")

    def test_tokens_are_the_bytes_they_say(self):
        text = "  the thin reindeer.\n\nthe ant, in it!"
        [one] = self.v1(text).json["translations"]
        self.assertEqual(len(one["sentences"]), 2)
        for sentence in one["sentences"]:
            for token in sentence["source_tokens"]:
                self.assertEqual(by_bytes(text, token["span"]), token["text"])
            for token in sentence["tokens"]:
                self.assertEqual(by_bytes(one["text"], token["span"]), token["text"])
                for link in token["links"]:
                    self.assertLess(link, len(sentence["source_tokens"]))
            self.assertNotIn("alignment", sentence)
            self.assertNotIn("n_best", sentence)

    def test_an_alignment_has_a_row_a_token(self):
        for level in ("word", "piece"):
            [one] = self.v1(TEXT, alignment=True, level=level).json["translations"]
            [sentence] = one["sentences"]
            self.assertEqual(len(sentence["alignment"]), len(sentence["tokens"]))
            for row in sentence["alignment"]:
                self.assertEqual(len(row), len(sentence["source_tokens"]) + 1)
                self.assertAlmostEqual(sum(row), 1, delta=0.01)

    def test_pieces_are_finer_than_words(self):
        words, pieces = (self.v1(TEXT, level=level).json["translations"][0]["sentences"][0]
                         for level in ("word", "piece"))
        self.assertGreater(len(pieces["source_tokens"]), len(words["source_tokens"]))

    def test_as_many_hypotheses_as_are_asked_for(self):
        [one] = self.v1(TEXT, n_best=4, alignment=True).json["translations"]
        [sentence] = one["sentences"]
        self.assertEqual(len(sentence["n_best"]), 3)
        scores = [sentence["score"]] + [h["score"] for h in sentence["n_best"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertTrue(all(h["alignment"] for h in sentence["n_best"]))

    def test_an_alternative_of_a_document_joins_those_of_its_sentences(self):
        text = " the ant.\n\nin it! "
        [one] = self.v1(text, n_best=4).json["translations"]
        first, second = ([h["text"] for h in s["n_best"]] for s in one["sentences"])
        joined = []
        for k in range(max(len(first), len(second))):
            whole = " %s\n\n%s " % (first[min(k, len(first) - 1)], second[min(k, len(second) - 1)])
            if whole not in [one["text"], *joined]:
                joined.append(whole)
        self.assertEqual([a["text"] for a in one["alternatives"]], joined)
        scores = [one["score"]] + [a["score"] for a in one["alternatives"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertNotIn("alternatives", self.v1(text).json["translations"][0])

    def test_a_beam_is_the_requests_own(self):
        with Server(["en-fr"], "--beam", 1) as greedy:
            expected = greedy.translate(TEXT).text
        self.assertEqual(self.v1(TEXT, beam=1).json["translations"][0]["text"], expected)

    def test_a_list_is_answered_in_its_order(self):
        texts = [TEXT, "12 :-)", "", "an ant"]
        replies = [self.v1(t).json["translations"][0] for t in texts]
        self.assertEqual(self.v1(texts).json["translations"], replies)
        self.assertEqual([r["sentences"] for r in replies[1:3]], [[], []])

    def test_a_pair_without_model_says_by_which_way_it_went(self):
        reply = self.v1(TEXT, "fr", "de").json
        self.assertEqual((reply["model"], reply["via"]), ("en-de", "en"))
        [one] = reply["translations"]
        self.assertEqual(one["via_text"], self.server.translate(TEXT, "fr", "en").text)
        for sentence in one["sentences"]:
            for token in sentence["source_tokens"]:
                self.assertEqual(by_bytes(one["via_text"], token["span"]), token["text"])

    def test_a_text_in_its_own_language_is_unchanged(self):
        reply = self.v1(["é\n", "b"], "fr", "fr").json
        self.assertIsNone(reply["model"])
        self.assertEqual([(t["text"], t["origin"]) for t in reply["translations"]],
                         [("é\n", "unchanged"), ("b", "unchanged")])

    def test_a_model_can_be_named(self):
        self.assertEqual(self.v1(TEXT, model="en-fr").body, self.v1(TEXT).body)
        self.assert_problem(self.v1(TEXT, model="fr-en"), 404, '"fr-en" from en to fr')
        self.assert_problem(self.v1(TEXT, "fr", "de", model="en-de"), 404, '"en-de"')

    def test_what_is_stored_has_an_id(self):
        for more in ({"store": True}, {"durable": True, "store": True}):
            ids = [t["id"] for t in self.v1([TEXT, "an ant"], **more).json["translations"]]
            self.assertEqual(len(set(ids)), 2)
            for one in ids:
                self.assertRegex(one, "^a1-[0-9A-HJKMNP-TV-Z]{13}$")
        self.assertIsNone(self.v1(TEXT).json["translations"][0]["id"])
        self.assert_problem(self.v1(TEXT, durable=True), 400, "durable", "store")

    def test_html_keeps_its_markup(self):
        text = "<p>the <b>thin</b> reindeer</p>"
        [one] = self.v1(text, format="html", alignment=True).json["translations"]
        self.assertEqual(one["text"], self.server.translate(text, format="html").text)
        self.assertTrue(one["text"].startswith("<p>"), one["text"])

    def test_a_glossary_has_its_way(self):
        [one] = self.v1("the thin ant", glossary={"ant": "FOURMI"}).json["translations"]
        self.assertIn("FOURMI", one["text"])
        for glossary, word in (({"a": 1}, "a"), ([], "glossary"), ({"x" * 65: "y"}, "64"),
                               ({"": "y"}, "term")):
            self.assert_problem(self.v1(TEXT, glossary=glossary), 400, word)

    # ---- given translations ----

    def align(self, source_text, target_text, source="en", target="fr", **more):
        return self.ask("/v1/align", {"source_text": source_text, "target_text": target_text,
                                      "source": source, "target": target, **more})

    def test_what_was_found_is_aligned_as_it_was(self):
        for level in ("word", "piece"):
            [found] = self.v1(TEXT, alignment=True, level=level, beam=1).json["translations"]
            reply = self.align(TEXT, found["text"], level=level)
            self.assertEqual((reply.status, reply.json["model"]), (200, "en-fr"))
            [given] = reply.json["translations"]
            self.assertEqual((given["id"], given["origin"], given["text"]),
                             (None, "given", found["text"]))
            [sentence] = given["sentences"]
            if level == "word":             # pieces may be others that make the same text
                self.assertEqual([t["text"] for t in sentence["tokens"]],
                                 [t["text"] for t in found["sentences"][0]["tokens"]])
            self.assertEqual(len(sentence["alignment"]), len(sentence["tokens"]))
            self.assertLess(sentence["score"], 0)

    def test_any_texts_can_be_aligned(self):
        for source_text, target_text in (("", ""), ("a", ""), ("", "b"), ("12", "é \U0001f600\n")):
            self.assertEqual(self.align(source_text, target_text).status, 200)

    def test_what_cannot_be_aligned_is_said(self):
        self.assert_problem(self.align("a", "b", "fr", "de"), 404, "from fr to de")
        self.assert_problem(self.align("a", "b", "fr", "fr"), 404, "from fr to fr")
        self.assert_problem(self.align("a", ["b"]), 400, "target_text")
        self.assert_problem(self.align("a", "b", beam=1), 400, '"beam"')
        self.assert_problem(self.align("a" * 1999, "bc"), 413, "2001", "2000")
        self.assert_problem(self.align("a " * 500, "b"), 413)
        self.assert_problem(self.align("a", "\U0001f600" * 300), 413)

    # ---- models ----

    def test_models_say_what_they_are(self):
        models = self.server.get("/v1/models").json["models"]
        self.assertEqual([m["name"] for m in models], ["en-de", "en-fr", "fr-en"])
        one = models[1]
        self.assertEqual((one["source"], one["target"], one["state"]), ("en", "fr", "live"))
        self.assertRegex(one["digest"], "^[0-9a-f]{64}$")
        self.assertEqual(one["card"]["source"], "en")
        self.assertGreater(one["sizes"]["vocabulary"], 0)

    def test_a_model_can_be_loaded_anew(self):
        before = self.v1(TEXT).body
        reply = self.server.ask(request_bytes(target="/v1/models/en-fr/reload"))
        self.assertEqual((reply.status, reply.json["name"]), (200, "en-fr"))
        self.assertEqual(self.v1(TEXT).body, before)
        self.assert_problem(self.server.ask(request_bytes(target="/v1/models/none/reload")), 404,
                            "none")

    # ---- refusals ----

    def test_what_is_wrong_is_named_with_its_limit(self):
        good = {"text": TEXT, "source": "en", "target": "fr"}
        for change, status, words in (
                ({"text": None}, 400, ["text must be"]),
                ({"text": 5}, 400, ["text must be"]),
                ({"text": []}, 400, ["at least one"]),
                ({"text": ["a", 5]}, 400, ["text must be"]),
                ({"text": ["a"] * 5}, 413, ["5", "limit is 4"]),
                ({"text": "a" * 2001}, 413, ["2001", "limit is 2000"]),
                ({"source": None}, 400, ["source must be a text"]),
                ({"source": "zz"}, 400, ["source", '"zz"']),
                ({"source": "EN"}, 400, ["source", '"EN"']),
                ({"target": "é" * 100}, 400, ["target", '"' + "é" * 20 + '"']),
                ({"source": "de"}, 404, ["from de to fr"]),
                ({"model": 3}, 400, ["model"]),
                ({"beam": 0}, 400, ["beam", "1 to 4"]),
                ({"beam": 5}, 400, ["beam", "1 to 4"]),
                ({"beam": "2"}, 400, ["beam", "1 to 4"]),
                ({"beam": 1.5}, 400, ["beam", "1 to 4"]),
                ({"n_best": 5}, 400, ["n_best", "1 to 4"]),
                ({"alignment": 1}, 400, ["alignment", "true or false"]),
                ({"level": "letter"}, 400, ["level", "word, piece"]),
                ({"deadline_ms": 50001}, 400, ["deadline_ms", "1 to 50000"]),
                ({"colour": "red"}, 400, ['"colour"', "text, source, target"])):
            with self.subTest(change):
                self.assert_problem(self.ask("/v1/translate", {**good, **change}), status, *words)
        for field in good:
            body = {name: value for name, value in good.items() if name != field}
            self.assert_problem(self.ask("/v1/translate", body), 400, field + " is missing")

    def test_a_body_that_is_no_json_object_is_refused(self):
        for body in (b"{", b"[]", b'"a"', b'{"text":"a","text":"b"}', b'{"text":"\xff"}'):
            self.assert_problem(self.ask("/v1/translate", body), 400)
        reply = self.ask("/v1/translate", b"text=a", content_type="application/x-www-form-urlencoded")
        self.assert_problem(reply, 415, "application/json")
        self.assert_problem(self.server.ask(request_bytes(target="/v1/translate")), 415)

    def test_a_number_may_be_written_with_a_point(self):
        self.assertEqual(self.ask("/v1/translate", b'{"text":"a","source":"en","target":"fr",'
                                                   b'"beam":2.0}').status, 200)

    def test_paths_and_methods_that_are_not_there(self):
        self.assert_problem(self.server.get("/v1/nothing"), 404)
        reply = self.server.get("/v1/translate")
        self.assert_problem(reply, 405, "POST")
        self.assertEqual(reply.headers["allow"], "POST, OPTIONS")

    def test_every_method_that_is_known_to_http_is_405_where_it_does_not_fit(self):
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "QUERY", "PROPFIND"):
            reply = self.server.ask(request_bytes(method, "/v1/models"))
            self.assert_problem(reply, 405, "GET")
            self.assertEqual(reply.headers["allow"], "GET, HEAD, OPTIONS")
        self.assert_problem(self.server.ask(request_bytes("FETCH", "/v1/models")), 501, "not known")

    def test_what_is_refused_before_anybody_is_asked_is_a_problem_too(self):
        head = b"POST /v1/translate HTTP/1.1\r\nHost: a\r\n"
        for rest, status in ((b"X: a\r\n b\r\n\r\n", 400),
                             (b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
                             (b"Content-Type: application/json\r\n\r\n", 411),
                             (b"Content-Length: 100000000\r\n\r\n", 413),
                             (b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n", 415),
                             (b"Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417),
                             (b"X: " + b"a" * 20000 + b"\r\n\r\n", 431),
                             (b"Transfer-Encoding: gzip\r\n\r\n", 501)):
            with self.subTest(rest[:40]):
                self.assert_problem(self.server.ask(head + rest), status)
        version = self.server.ask(b"GET /v1/models HTTP/1.2\r\nHost: a\r\n\r\n")
        self.assert_problem(version, 505)
        for target in ("/v1/" + "a" * 20000, "/v2/" + "a" * 20000):     # where it goes is not known
            reply = self.server.get(target)
            self.assertEqual((reply.status, list(reply.json)), (414, ["error"]))

    # ---- lines ----

    def test_a_line_may_be_a_request(self):
        body = {"text": [TEXT, "{"], "source": "en", "target": "fr", "alignment": True,
                "store": False}
        with self.server.connect() as c:
            c.send(json.dumps(body).encode() + b"\n#!pair en-fr\n{\"text\":\"a\",\"store\":false}\n{\"a\":1}\n{\n")
            self.assertEqual(json.loads(c.line()), self.ask("/v1/translate", body).json)
            self.assertEqual(json.loads(c.line()), self.v1("a").json)
            self.assertIn("#!error BAD_INPUT ", c.line())
            self.assertIn("#!error BAD_INPUT ", c.line())


class Auto(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr", "fr-en", "en-de"], files=[DETECTOR])

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, code

    def v1(self, text, source="auto", target="de", path="/v1/translate"):
        return self.server.post({"text": text, "source": source, "target": target, "store": False},
                                target=path)

    def test_each_text_goes_the_way_of_its_language(self):
        texts = [ENGLISH, FRENCH, "12", ENGLISH]
        reply = self.v1(texts).json
        self.assertIsNone(reply["model"])
        for text, one, language in zip(texts, reply["translations"], ("en", "fr", "en", "en")):
            self.assertEqual(one["detected"]["language"], language)
            expected = self.v1(text, language).json
            self.assertEqual((one["model"], one.get("via")),
                             (expected["model"], expected.get("via")))
            self.assertEqual(one["text"], expected["translations"][0]["text"])
        self.assertEqual(reply["translations"][2]["detected"]["confidence"], 0)

    def test_one_language_has_one_model(self):
        reply = self.v1(FRENCH, target="en").json
        self.assertEqual(reply["model"], "fr-en")
        self.assertGreater(reply["translations"][0]["detected"]["confidence"], 0.5)
        same = self.v1(FRENCH, target="fr").json["translations"][0]
        self.assertEqual((same["text"], same["origin"]), (FRENCH, "unchanged"))

    def test_a_stream_has_one_language(self):
        body = {"text": FRENCH, "source": "auto", "target": "de"}
        with self.server.connect() as c:
            c.send(request_bytes(target="/v1/translate/stream", body=body,
                                 headers=["Connection: close"]))
            self.assertIn(b"event: done", c.rest())
        reply = self.v1([FRENCH, ENGLISH], path="/v1/translate/stream")
        self.assertEqual(reply.status, 400)

    def test_detect_says_it_for_each(self):
        def detect(text):
            return self.server.post({"text": text}, target="/v1/detect")
        found = detect([FRENCH, "12", ENGLISH]).json["detections"]
        self.assertEqual([d["language"] for d in found], ["fr", None, "en"])
        self.assertEqual(found[0]["candidates"][0],
                         {"language": "fr", "confidence": found[0]["confidence"]})
        self.assertEqual(found[1], {"language": None, "confidence": 0, "candidates": []})
        for text, status in (([], 400), (5, 400), ("a" * 50001, 413)):
            self.assertEqual(detect(text).status, status)


class Deadlines(unittest.TestCase):
    def test_a_request_may_be_in_a_hurry(self):
        with Server(["en-fr"], *server.SLOWLY) as slow:
            body = {"text": server.sentences(900), "source": "en", "target": "fr", "deadline_ms": 1}
            reply = slow.post(body, target="/v1/translate")
            self.assertEqual(reply.status, 504)
            self.assertIn("1 ms", reply.json["detail"])


if __name__ == "__main__":
    server.main()
