"""test_libretranslate.py - LibreTranslate's API: what its clients do, and those clients themselves.

libretranslatepy and deep-translator, unchanged, are run with the Python that VERSO_PYTHON names (it
has tests/requirements.txt); without it those tests are skipped.
"""
import json
import os
import subprocess
import time
import unittest
import urllib.parse

import server
from server import PATIENCE_S, Server, request_bytes

DETECTOR = os.path.join(os.path.dirname(__file__), "../../deploy/models/detect.safetensors")
ENGLISH = "This is a long English sentence about the weather and the people who talk of it."
FRENCH = "Ceci est une longue phrase en français sur le temps et les gens qui en parlent."
GERMAN = "Das ist ein langer deutscher Satz über das Wetter und die Leute, die davon reden."
FORM = "application/x-www-form-urlencoded"


def python():
    wanted = os.environ.get("VERSO_PYTHON")
    beside = os.path.join(os.path.dirname(__file__), "../../.venv/bin/python")
    return wanted or (beside if os.path.exists(beside) else None)


def run_client(module, code):
    """What a program in Python that imports `module` printed, as JSON."""
    if not python() or subprocess.run([python(), "-c", "import " + module],
                                      stderr=subprocess.DEVNULL).returncode != 0:
        raise unittest.SkipTest("there is no Python with " + module)
    done = subprocess.run([python(), "-c", code], stdout=subprocess.PIPE, timeout=PATIENCE_S)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def multipart(fields, boundary="----form7MA4YW"):
    parts = ['--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
             % (boundary, name, value) for name, value in fields.items()]
    return ("".join(parts) + "--%s--\r\n" % boundary).encode()


class Base(unittest.TestCase):
    words = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(["en-fr", "fr-en", "en-de"], *cls.words, files=[DETECTOR])
        cls.addClassCleanup(cls.server.stop)

    def post(self, target, body, **kind):
        return self.server.ask(request_bytes("POST", target, body, **kind))

    def assert_error(self, reply, status, text):
        self.assertEqual((reply.status, reply.json), (status, {"error": text}))


class Detection(Base):
    def test_detect_names_the_languages_best_first(self):
        for text, language in ((ENGLISH, "en"), (FRENCH, "fr"), (GERMAN, "de")):
            found = self.post("/detect", {"q": text}).json
            self.assertEqual(found[0]["language"], language)
            self.assertEqual(set(found[0]), {"confidence", "language"})
            self.assertTrue(50 < found[0]["confidence"] <= 100)
            self.assertEqual([f["confidence"] for f in found],
                             sorted((f["confidence"] for f in found), reverse=True))

    def test_nothing_found_is_english_with_confidence_0(self):
        for text in ("123", "\U0001f600", "?"):
            self.assertEqual(self.post("/detect", {"q": text}).body,
                             b'[{"confidence":0.0,"language":"en"}]')

    def test_detect_takes_forms_lists_and_says_what_is_missing(self):
        body = urllib.parse.urlencode({"q": FRENCH}).encode()
        self.assertEqual(self.post("/detect", body, content_type=FORM).json[0]["language"], "fr")
        self.assertEqual(self.post("/detect", {"q": [FRENCH, FRENCH]}).json[0]["language"], "fr")
        self.assert_error(self.post("/detect", {}), 400, "Invalid request: missing q parameter")
        self.assert_error(self.post("/detect", {"q": 5}), 400,
                          "Invalid request: q must be a text or a list of texts")
        self.assert_error(self.post("/detect", {"q": "a" * 50001}), 400,
                          "Invalid request: request (50001) exceeds text limit (50000)")
        self.assertEqual(self.server.get("/detect").status, 405)

    def test_auto_says_what_it_found(self):
        reply = self.server.translate(FRENCH, "auto", "en").json
        self.assertEqual(set(reply), {"detectedLanguage", "translatedText"})
        self.assertEqual(reply["detectedLanguage"]["language"], "fr")
        self.assertTrue(50 < reply["detectedLanguage"]["confidence"] <= 100)
        self.assertEqual(reply["translatedText"], self.server.translate(FRENCH, "fr", "en").text)
        self.assertNotIn("detectedLanguage", self.server.translate(FRENCH, "fr", "en").json)

    def test_auto_is_for_each_text(self):
        texts = [FRENCH, ENGLISH, "12", FRENCH + " Oui.", GERMAN]
        reply = self.server.translate(texts, "Auto", "de", alternatives=1).json
        found = [d["language"] for d in reply["detectedLanguage"]]
        self.assertEqual(found, ["fr", "en", "en", "fr", "de"])
        self.assertEqual(reply["detectedLanguage"][2]["confidence"], 0)
        expected = [self.server.translate(t, s, "de").text for t, s in zip(texts, found)]
        self.assertEqual(reply["translatedText"], expected)
        self.assertEqual(reply["translatedText"][4], GERMAN)
        self.assertEqual([len(a) <= 1 for a in reply["alternatives"]], [True] * 5)

    def test_a_detected_language_that_cannot_be_translated(self):
        self.assert_error(self.server.translate([ENGLISH, GERMAN], "auto", "fr"), 400,
                          "French (fr) is not available as a target language from German (de)")

    def test_what_has_no_language_comes_back_unchanged(self):
        self.assertEqual(self.server.translate("\U0001f600 12", "auto", "fr").text, "\U0001f600 12")

    def test_the_checks_of_auto_come_in_their_order(self):
        self.assert_error(self.server.translate(ENGLISH, "auto", "zz"), 400, "zz is not supported")
        self.assert_error(self.server.translate("", "auto", "zz"), 400,
                          "Invalid request: missing q parameter")

    def test_many_at_once_and_clients_that_leave(self):
        connections = [self.server.connect() for _ in range(20)]
        for i, c in enumerate(connections):
            c.send(request_bytes(body={"q": [FRENCH, ENGLISH], "source": "auto", "target": "en"}))
            if i % 2:
                c.close()
        for c in connections[::2]:
            self.assertEqual(c.reply().json["translatedText"][1], ENGLISH)
            c.close()


class WithoutDetector(unittest.TestCase):
    def test_it_is_said(self):
        with Server(["en-fr"]) as served:
            reply = served.translate("the ant", "auto", "fr")
            self.assertEqual(reply.status, 400)
            self.assertIn("auto is not supported", reply.error)
            self.assertIn("detect.safetensors", reply.error)
            reply = served.ask(request_bytes("POST", "/detect", {"q": "a"}))
            self.assertEqual(reply.status, 400)
            self.assertIn("detect.safetensors", reply.error)
            source = served.get("/frontend/settings").json["language"]["source"]
            self.assertEqual(source, {"code": "en", "name": "English"})


class Bodies(Base):
    FIELDS = {"q": "the ant in it", "source": "en", "target": "fr"}

    def expected(self):
        return self.server.post(self.FIELDS).body

    def send(self, body, boundary="----form7MA4YW"):
        return self.post("/translate", body,
                         content_type="multipart/form-data; boundary=" + boundary)

    def test_multipart_is_a_form(self):
        self.assertEqual(self.send(multipart(self.FIELDS)).body, self.expected())
        self.assertEqual(self.send(multipart(self.FIELDS, "a b"), '"a b"').body, self.expected())
        text = "é\r\nb %41+"
        reply = self.send(multipart({"q": text, "source": "en", "target": "en"}))
        self.assertEqual(reply.text, "é\nb %41+")

    def test_files_in_a_multipart_are_passed_over(self):
        part = (b'------form7MA4YW\r\nContent-Disposition: form-data; name="q"; filename="a"\r\n'
                b'Content-Type: text/plain\r\n\r\nfile\r\n')
        self.assertEqual(self.send(part + multipart(self.FIELDS)).body, self.expected())

    def test_a_damaged_multipart_is_refused(self):
        whole = multipart(self.FIELDS)
        for body in (whole[:-10], whole[:60], b"nothing", whole.replace(b"\r\n\r\n", b"\r\n", 1)):
            reply = self.send(body)
            self.assertEqual(reply.status, 400, body)
        self.assertIn("multipart", self.send(b"nothing").error)
        many = multipart({"f%d" % i: "" for i in range(100)})
        self.assertIn("64 parts", self.send(many).error)

    def test_head_options_and_wrong_methods(self):
        for path, allow in (("/detect", "POST, OPTIONS"), ("/suggest", "POST, OPTIONS")):
            reply = self.server.get(path)
            self.assertEqual((reply.status, reply.headers["allow"]), (405, allow))
            self.assertIn("error", reply.json)
            reply = self.server.ask(request_bytes("OPTIONS", path))
            self.assertEqual((reply.status, reply.headers["allow"]), (204, allow))

    def test_settings_are_true(self):
        self.assertEqual(self.server.get("/frontend/settings").json, {
            "apiKeys": False, "charLimit": 50000, "filesTranslation": False,
            "frontendTimeout": 500, "keyRequired": False, "suggestions": True,
            "supportedFilesFormat": [],
            "language": {"source": {"code": "auto", "name": "Auto Detect"},
                         "target": {"code": "de", "name": "German"}}})


class Suggestions(Base):
    SOURCE = "the ant in the house"

    def suggest(self, q, s, source="en", target="fr", **more):
        return self.post("/suggest", {"q": q, "s": s, "source": source, "target": target, **more})

    def listed(self, state="pending"):
        return self.server.get("/v1/suggestions?state=" + state).json["suggestions"]

    def verso(self, *words):
        done = subprocess.run([os.path.join(server.BUILD, "verso"), "suggestions", *words,
                               "--database", os.path.join(self.server.folder.name, "verso.db")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)
        return done.returncode, done.stdout.decode()

    def becomes(self, is_so):
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_one_is_given_after_it_was_accepted_and_not_before(self):
        before = self.server.translate(self.SOURCE).text
        reply = self.suggest(self.SOURCE, "la fourmi dans la maison")
        self.assertEqual((reply.status, reply.json), (200, {"success": True}))
        self.assertEqual(self.server.translate(self.SOURCE).text, before)
        one = next(s for s in self.listed() if s["text"] == self.SOURCE)
        self.assertEqual((one["state"], one["source"], one["target"], one["suggestion"]),
                         ("pending", "en", "fr", "la fourmi dans la maison"))
        reply = self.post("/v1/suggestions/%d/accept" % one["id"], b"")
        self.assertEqual(reply.json, {"id": one["id"], "state": "accepted"})
        self.becomes(lambda: self.server.translate(self.SOURCE).text == one["suggestion"])

        batch = self.server.translate(["an ant", self.SOURCE]).json["translatedText"]
        self.assertEqual(batch, [self.server.translate("an ant").text, one["suggestion"]])
        reply = self.post("/v1/translate", {"text": [self.SOURCE, "an ant"], "source": "en",
                                            "target": "fr"}).json
        self.assertEqual([t["origin"] for t in reply["translations"]], ["suggestion", "model"])
        self.assertEqual(reply["translations"][0]["text"], one["suggestion"])
        with self.server.connect() as c:
            c.send(b"#!pair en-fr\n%s\n" % self.SOURCE.encode())
            self.assertEqual(c.line(), one["suggestion"])

        near = self.server.translate("the ant in a house", alternatives=2).json
        self.assertEqual(near["alternatives"][0], one["suggestion"])
        self.assertLessEqual(len(near["alternatives"]), 2)
        self.assertNotEqual(near["translatedText"], one["suggestion"])
        html = self.server.translate(self.SOURCE, format="html", alternatives=2)
        self.assertNotEqual(html.text, one["suggestion"])

        self.assertEqual(self.post("/v1/suggestions/%d/reject" % one["id"], b"").status, 200)
        self.becomes(lambda: self.server.translate(self.SOURCE).text == before)

    def test_from_a_terminal(self):
        self.suggest("an ant", "une\tfourmi")
        code, text = self.verso("list")
        self.assertEqual(code, 0)
        row = next(r for r in (line.split("\t") for line in text.splitlines()) if r[3] == "an ant")
        self.assertEqual(row[1:], ["pending", "en-fr", "an ant", "une\\tfourmi"])
        self.assertEqual(self.verso("accept", row[0])[0], 0)
        self.becomes(lambda: self.server.translate("an ant").text == "une\tfourmi")
        self.assertEqual(self.verso("reject", row[0])[0], 0)
        self.assertIn("an ant", self.verso("list", "--state", "rejected")[1])
        self.assertEqual(self.verso("accept", "999999")[0], 5)
        self.assertEqual(self.verso("accept", "x")[0], 2)

    def test_what_is_missing_or_not_supported(self):
        good = {"q": "a", "s": "b", "source": "en", "target": "fr"}
        for name in good:
            self.assert_error(self.post("/suggest", {**good, name: ""}), 400,
                              "Invalid request: missing %s parameter" % name)
        self.assert_error(self.suggest("a", "b", "zz"), 400, "zz is not supported")
        self.assert_error(self.suggest("a", "b", "en", "zz"), 400, "zz is not supported")
        self.assert_error(self.suggest("a", "b", "de", "fr"), 400,
                          "French (fr) is not available as a target language from German (de)")
        self.assert_error(self.suggest(5, "b"), 400, "Invalid request: q must be a text")
        self.assertIn("8192 bytes", self.suggest("a" * 8193, "b").error)
        body = urllib.parse.urlencode(good).encode()
        self.assertEqual(self.post("/suggest", body, content_type=FORM).json, {"success": True})

    def test_so_many_of_one_client_wait(self):
        with self.server.connect() as c:
            for i in range(110):
                c.send(request_bytes("POST", "/suggest", {"q": "text %d" % i, "s": "texte",
                                                          "source": "en", "target": "de"}))
            replies = [c.reply() for _ in range(110)]
        self.assertIn(503, [r.status for r in replies])
        self.assertLessEqual(len(self.listed()), 100)
        self.assertIn("waiting", next(r.error for r in replies if r.status == 503))
        for one in self.listed():
            self.post("/v1/suggestions/%d/reject" % one["id"], b"")

    def test_the_list_is_paged_and_its_query_checked(self):
        for i in range(3):
            self.suggest("page %d" % i, "page")
        first = self.server.get("/v1/suggestions?limit=2").json["suggestions"]
        self.assertEqual(len(first), 2)
        rest = self.server.get("/v1/suggestions?limit=2&before=%d" % first[1]["id"]).json
        self.assertLess(rest["suggestions"][0]["id"], first[1]["id"])
        for query in ("limit=0", "limit=501", "limit=x", "before=0", "before=-1",
                      "before=9007199254740992", "state=none"):
            self.assertEqual(self.server.get("/v1/suggestions?" + query).status, 400, query)
        for path in ("/v1/suggestions/x/accept", "/v1/suggestions/99999999/reject"):
            self.assertEqual(self.post(path, b"").status, 404)


class Clients(Base):
    """Clients that this project did not write, unchanged."""

    def url(self):
        return "http://127.0.0.1:%d" % self.server.port

    def test_libretranslatepy(self):
        said = run_client("libretranslatepy", """if True:
            import json
            from libretranslatepy import LibreTranslateAPI
            lt = LibreTranslateAPI("%s")
            print(json.dumps([lt.translate("the ant & é", "en", "fr"), lt.detect(%r),
                              lt.languages(), lt.translate(%r, "auto", "en")]))
            """ % (self.url(), FRENCH, FRENCH))
        self.assertEqual(said[0], self.server.translate("the ant & é").text)
        self.assertEqual(said[1][0]["language"], "fr")
        self.assertEqual([l["code"] for l in said[2]], ["de", "en", "fr"])
        self.assertEqual(said[3], self.server.translate(FRENCH, "fr", "en").text)

    def test_deep_translator(self):
        said = run_client("deep_translator", """if True:
            import json
            from deep_translator import LibreTranslator
            t = LibreTranslator(source="en", target="fr", api_key="x", custom_url="%s/")
            auto = LibreTranslator(source="auto", target="en", api_key="x", custom_url="%s/")
            print(json.dumps([t.translate("the ant"), t.translate_batch(["the ant", "in it"]),
                              auto.translate(%r)]))
            """ % (self.url(), self.url(), FRENCH))
        one = self.server.translate("the ant").text
        self.assertEqual(said[:2], [one, [one, self.server.translate("in it").text]])
        self.assertEqual(said[2], self.server.translate(FRENCH, "fr", "en").text)

    def test_a_page_in_a_browser(self):
        """As LibreTranslate's own page asks: fetch() with a FormData, from another origin."""
        headers = ["Origin: http://page.example"]
        reply = self.post("/translate", multipart({"q": "the ant", "source": "auto", "target": "fr",
                                                   "format": "text", "alternatives": "3",
                                                   "api_key": ""}),
                          content_type="multipart/form-data; boundary=----form7MA4YW",
                          headers=headers)
        self.assertEqual(reply.headers["access-control-allow-origin"], "*")
        self.assertEqual(set(reply.json), {"alternatives", "detectedLanguage", "translatedText"})

    def test_curl_with_a_list(self):
        body = json.dumps({"q": ["the ant", "in it"], "source": "en", "target": "fr",
                           "format": "text", "alternatives": 0, "api_key": ""})
        done = subprocess.run(["curl", "-s", self.url() + "/translate", "-H",
                               "Content-Type: application/json", "-d", body],
                              stdout=subprocess.PIPE, timeout=PATIENCE_S)
        self.assertEqual(json.loads(done.stdout), {"translatedText": [
            self.server.translate("the ant").text, self.server.translate("in it").text]})


if __name__ == "__main__":
    server.main()
