"""/v1/translations, alignments as files and /v1/links: what is stored, and for whom."""
import json
import os
import subprocess
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

import server
from server import Server, request_bytes

TEXT = "the thin reindeer"
FORMS = {"json": "application/json", "csv": "text/csv", "txt": "text/plain", "svg": "image/svg+xml",
         "png": "image/png", "html": "text/html"}


def add_key(database, name, scopes):
    done = subprocess.run([os.path.join(server.BUILD, "verso"), "keys", "add", "--database", database,
                           "--name", name, "--scopes", scopes], check=True, capture_output=True)
    return done.stdout.decode().strip()


class Stored(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = server.folder()
        database = os.path.join(cls.folder.name, "verso.db")
        cls.keys = {name: add_key(database, name, scopes) for name, scopes in (
            ("anna", "translate,read"), ("bert", "translate,read"), ("carl", "translate"),
            ("root", "translate,admin"))}
        cls.server = Server(["en-fr", "fr-en", "en-de"], "--database", database)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls.folder.cleanup()
        assert code == 0, code

    def ask(self, target, method="GET", key=None, headers=(), body=b""):
        if key:
            headers = (*headers, "Authorization: Bearer " + self.keys[key])
        return self.server.ask(request_bytes(method, target, body=body, headers=headers))

    def store(self, text, source="en", target="fr", key=None, **more):
        reply = self.ask("/v1/translate", "POST", key, body={
            "text": text, "source": source, "target": target, "durable": True, **more})
        self.assertEqual(reply.status, 200, reply)
        return reply.json["translations"][0]

    def list(self, key=None, **query):
        reply = self.ask("/v1/translations?" + urllib.parse.urlencode(query), key=key)
        self.assertEqual(reply.status, 200, reply)
        return reply.json

    def file(self, one, form, key=None, **query):
        return self.ask("/v1/translations/%s/alignment.%s?%s" %
                        (one["id"], form, urllib.parse.urlencode(query)), key=key)

    def assert_problem(self, reply, status, *words):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers["content-type"], "application/problem+json")
        for word in words:
            self.assertIn(word, reply.json["detail"])

    # ---- one ----

    def test_a_stored_translation_is_what_was_answered(self):
        for level in ("word", "piece"):
            said = self.store(TEXT + ".\n\nan ant", alignment=True, level=level, n_best=3)
            reply = self.ask("/v1/translations/%s?level=%s" % (said["id"], level))
            self.assertEqual(reply.status, 200, reply)
            self.assertEqual(reply.headers["cache-control"], "no-store")
            one = reply.json
            self.assertEqual((one["id"], one["model"], one["source"], one["target"], one["origin"]),
                             (said["id"], "en-fr", "en", "fr", "model"))
            self.assertEqual((one["source_text"], one["target_text"]),
                             (TEXT + ".\n\nan ant", said["text"]))
            answer = one["answer"]
            self.assertEqual(answer["source_text"], one["source_text"])
            self.assertEqual(answer["warnings"], said["warnings"])
            self.assertEqual(answer["alternatives"], said["alternatives"])
            self.assertEqual(len(answer["sentences"]), 2)
            for stored, sent in zip(answer["sentences"], said["sentences"]):
                self.assertEqual(stored["source"], sent["source"])
                self.assertEqual([t["text"] for t in stored["tokens"]],
                                 [t["text"] for t in sent["tokens"]])
                if level == "word":     # rounded weights may make another of nearly equal pieces win
                    self.assertEqual([t["links"] for t in stored["tokens"]],
                                     [t["links"] for t in sent["tokens"]])
                self.assertEqual([n["text"] for n in stored["n_best"]],
                                 [n["text"] for n in sent["n_best"]])
                for row, sent_row in zip(stored["alignment"], sent["alignment"]):
                    for weight, sent_weight in zip(row, sent_row):
                        self.assertAlmostEqual(weight, sent_weight, delta=0.02)

    def test_an_answer_can_be_had_without_its_matrices(self):
        said = self.store(TEXT)
        reply = self.ask("/v1/translations/%s?alignment=false" % said["id"])
        self.assertNotIn("alignment", reply.json["answer"]["sentences"][0])

    def test_a_pair_through_english_has_the_text_in_between(self):
        said = self.store(TEXT, "fr", "de")
        one = self.ask("/v1/translations/" + said["id"]).json
        self.assertEqual((one["via"], one["source"], one["target"]), ("en", "fr", "de"))
        self.assertEqual(one["answer"]["source_text"], said["via_text"])
        self.assertEqual(one["source_text"], TEXT)

    def test_what_is_not_there_is_404(self):
        gone = "a1-0000000000001"
        for target in ("/v1/translations/" + gone, "/v1/translations/" + gone + "/alignment.svg",
                       "/v1/translations/xyz", "/v1/translations/%00", "/v1/translations/"):
            self.assert_problem(self.ask(target), 404)
        self.assert_problem(self.ask("/v1/translations/" + gone, "DELETE"), 404, "no such")
        self.assert_problem(self.ask("/v1/translations/xyz", "DELETE"), 404, "no id")

    def test_what_is_queued_is_found_before_it_is_written(self):
        with self.server.connect() as c:
            c.send(request_bytes(target="/v1/translate",
                                 body={"text": TEXT, "source": "en", "target": "fr"}))
            said = c.reply().json["translations"][0]
            c.send(request_bytes("GET", "/v1/translations/" + said["id"]))
            reply = c.reply()
        self.assertEqual((reply.status, reply.json["target_text"]), (200, said["text"]))

    # ---- the list ----

    def test_the_list_is_newest_first_and_goes_on(self):
        ids = [self.store("an ant in it %d" % i)["id"] for i in range(5)]
        seen, before = [], {}
        while len(seen) < 5:
            page = self.list(limit=2, q="an ant in it", **before)
            self.assertLessEqual(len(page["translations"]), 2)
            seen += [t["id"] for t in page["translations"]]
            before = {"before": page["next"]}
        self.assertEqual(seen[:5], ids[::-1])
        self.assertTrue(page["storing"])
        self.assertIsNone(self.list(limit=100)["next"])

    def test_the_list_is_searched(self):
        self.store("a 100% _odd_ \\ ant")
        other = self.store("a reindeer", "en", "de")["id"]
        for q in ("100%", "_odd_", "\\", "ODD"):
            self.assertEqual([t["source_text"] for t in self.list(q=q)["translations"]],
                             ["a 100% _odd_ \\ ant"])
        self.assertEqual(self.list(q="1000%")["translations"], [])
        self.assertIn(other, [t["id"] for t in self.list(target="de")["translations"]])
        for query, field in (({"target": "de"}, "target"), ({"source": "en"}, "source"),
                             ({"model": "en-fr"}, "model")):
            for t in self.list(limit=100, **query)["translations"]:
                self.assertEqual(t[field], query[field])
        self.assertEqual(self.list(source="xx")["translations"], [])

    def test_a_query_is_read_strictly(self):
        for query, word in (("limit=0", "limit"), ("limit=101", "100"), ("limit=1e1", "limit"),
                            ("limit=", "limit"), ("limit=-1", "limit"), ("before=xyz", "before"), ("before=", "before"),
                            ("nonsense=1", "nonsense"), ("q=a&q=b", "twice"), ("q=%ff", "UTF-8"),
                            ("q=a%00b", "zero"), ("q=" + "a" * 1001, "1000")):
            self.assert_problem(self.ask("/v1/translations?" + query), 400, word)
        said = self.store(TEXT)
        for query, word in (("level=x", "level"), ("alignment=1", "alignment"), ("a", "a")):
            self.assert_problem(self.ask("/v1/translations/%s?%s" % (said["id"], query)), 400, word)
        for query, word in (("sentence=-1", "sentence"), ("n=a", "n"), ("theme=red", "theme"),
                            ("ribbons=yes", "ribbons"), ("level=letter", "level")):
            self.assert_problem(self.ask("/v1/translations/%s/alignment.svg?%s" %
                                         (said["id"], query)), 400, word)

    # ---- alignments as files ----

    def test_every_form_is_there(self):
        said = self.store(TEXT, alignment=True)
        [sentence] = said["sentences"]
        for form, media_type in FORMS.items():
            reply = self.file(said, form)
            self.assertEqual(reply.status, 200, reply)
            self.assertEqual(reply.headers["content-type"].split(";")[0], media_type)
            self.assertEqual(reply.headers["x-content-type-options"], "nosniff")
            self.assertIn(said["id"] + "." + form, reply.headers["content-disposition"])
            policy = reply.headers["content-security-policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertIn("sandbox", policy)
            self.assertNotIn("unsafe", policy)
        words = [t["text"] for t in sentence["source_tokens"]]
        data = self.file(said, "json").json
        self.assertEqual(data["source"], words)
        self.assertEqual(data["target"], [t["text"] for t in sentence["tokens"]])
        rows = self.file(said, "csv").body.decode().split("\r\n")
        self.assertEqual(len([r for r in rows if r]), len(sentence["tokens"]) + 1)
        links = ["%d-%d" % (s, t) for t, token in enumerate(sentence["tokens"])
                 for s in token["links"]]
        self.assertEqual(self.file(said, "txt").body.decode().split(), links)
        self.assertTrue(self.file(said, "png").body.startswith(b"\x89PNG"))

    def test_pictures_look_as_they_are_asked_to(self):
        said = self.store(TEXT)
        plain = self.file(said, "svg").body
        ElementTree.fromstring(plain)
        for query in ({"theme": "dark"}, {"ribbons": "true"}, {"level": "piece"}):
            other = self.file(said, "svg", **query).body
            ElementTree.fromstring(other)
            self.assertNotEqual(other, plain, query)
        self.assertEqual(self.file(said, "svg", theme="light", ribbons="false", level="word",
                                   sentence=0, n=0).body, plain)

    def test_a_sentence_and_a_hypothesis_are_chosen(self):
        said = self.store("the ant.\n\nin it!", n_best=3)
        first, second = (self.file(said, "json", sentence=i).json["source"] for i in range(2))
        self.assertEqual((first[-1], second[-1]), (".", "!"))
        self.assertNotEqual(self.file(said, "json", n=1).body, self.file(said, "json").body)
        self.assert_problem(self.file(said, "json", sentence=2), 404, "sentence 2", "has 2")
        self.assert_problem(self.file(said, "json", n=9), 404, "translation 9")
        self.assert_problem(self.file(said, "gif"), 404, "svg")
        self.assert_problem(self.file(self.store("12 :-)"), "svg"), 404, "has 0")

    def test_what_users_write_stays_text(self):
        said = self.store("<script>alert(1)</script> the ant </title>")
        for form in ("svg", "html"):
            body = self.file(said, form).body.decode()
            self.assertNotIn("<script>alert", body)
            self.assertNotIn("ant </title>", body)

    def test_a_picture_has_its_limit(self):
        said = self.store(" ".join(["a"] * 125))
        reply = self.file(said, "svg")
        self.assert_problem(reply, 413, "120")
        self.assertEqual(self.file(said, "csv").status, 200)

    # ---- links ----

    def links(self, key=None, **query):
        reply = self.ask("/v1/links?" + urllib.parse.urlencode(query), key=key)
        self.assertEqual(reply.status, 200, reply)
        return reply.json["links"]

    def test_links_are_counted(self):
        said = [self.store("reindeer a %d" % i, alignment=True) for i in range(3)][-1]
        [sentence] = said["sentences"]
        number = [t["text"] for t in sentence["source_tokens"]].index("reindeer")
        made = {t["text"] for t in sentence["tokens"] if number in t["links"]}
        found = {l["target"]: l for l in self.links(source="reindeer", source_language="en",
                                                    target_language="fr", limit=1000)}
        strong = [word for word in made if word in found]
        self.assertTrue(strong, (made, found))
        for word in strong:
            self.assertEqual(set(found[word]), {"source", "target", "source_language",
                                                "target_language", "count", "example_ids"})
            self.assertGreaterEqual(found[word]["count"], 1)
            [example] = found[word]["example_ids"]
            self.assertEqual(self.ask("/v1/translations/" + example).status, 200)
            self.assertIn(found[word], self.links(target=word, limit=1000))
        self.assertEqual(self.links(source="unheard-of"), [])
        self.assertLessEqual(len(self.links(source="reindeer", limit=1)), 1)
        self.assert_problem(self.ask("/v1/links"), 400, "source or target")
        self.assert_problem(self.ask("/v1/links?source=&target="), 400, "source or target")

    # ---- for whom ----

    def test_a_key_sees_its_own_rows(self):
        mine = self.store("annas ant", key="anna")
        target = "/v1/translations/" + mine["id"]
        for key, status in (("anna", 200), ("root", 200), ("bert", 404), ("carl", 403)):
            self.assertEqual(self.ask(target, key=key).status, status, key)
            self.assertEqual(self.file(mine, "svg", key=key).status, status, key)
        self.assertEqual([t["id"] for t in self.list("anna", q="annas ant")["translations"]],
                         [mine["id"]])
        self.assertEqual(self.list("bert", q="annas ant")["translations"], [])
        self.assertEqual(len(self.list("root", q="annas ant")["translations"]), 1)
        self.assertEqual(self.links("bert", source="annas"), [])
        self.assert_problem(self.ask("/v1/links?source=a", key="carl"), 403, "read")

    def test_only_admins_delete(self):
        said = self.store("annas last ant", key="anna")
        target = "/v1/translations/" + said["id"]
        self.assert_problem(self.ask(target, "DELETE", "anna"), 403, "admin")
        reply = self.ask(target, "DELETE", "root")
        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertEqual(self.ask(target, key="anna").status, 404)
        self.assertEqual(self.ask(target, "DELETE", "root").status, 404)

    def test_what_is_stored_is_not_for_pages_of_others(self):
        said = self.store(TEXT)
        for target in ("/v1/translations", "/v1/translations/" + said["id"],
                       "/v1/translations/%s/alignment.svg" % said["id"], "/v1/links?source=a"):
            reply = self.ask(target, headers=("Origin: http://elsewhere.example",))
            self.assert_problem(reply, 403, "other servers")
            self.assertNotIn("access-control-allow-origin", reply.headers)
            reply = self.ask(target, "POST")
            self.assertEqual(reply.status, 405)
            self.assertIn("GET", reply.headers["allow"])


class Suggested(unittest.TestCase):
    """Words of people are stored as theirs."""
    WORDS = "le renne maigre"

    def verso(self, s, *words):
        return subprocess.run([os.path.join(server.BUILD, "verso"), *words, "--database",
                               os.path.join(s.folder.name, "verso.db")], check=True,
                              capture_output=True).stdout.decode()

    def store(self, s, text):
        """Stored, once what was accepted has been taken up."""
        body = {"text": text, "source": "en", "target": "fr", "durable": True}
        s.post({"q": TEXT, "s": self.WORDS, "source": "en", "target": "fr"}, target="/suggest")
        self.verso(s, "suggestions", "accept", "1")
        s.wait_until(lambda: s.translate(TEXT).text == self.WORDS, "suggestion that is given")
        return s.v1(body).json["translations"]

    def test_an_answer_of_people_says_whose_words_it_is(self):
        with Server(["en-fr"]) as s:
            said = self.store(s, [TEXT, "an ant"])
            self.assertEqual([t["origin"] for t in said], ["suggestion", "model"])
            self.assertEqual(said[0]["sentences"], [])
            for one in said:
                target = "/v1/translations/" + one["id"]
                stored = s.get(target).json
                self.assertEqual((stored["origin"], stored["target_text"]), (one["origin"], one["text"]))
                self.assertEqual(len(stored["answer"]["sentences"]), len(one["sentences"]))
                self.assertEqual(json.loads(self.verso(s, "show", "--json", one["id"]))["origin"],
                                 one["origin"])
                self.assertEqual("suggested by people" in self.verso(s, "show", one["id"]),
                                 one["origin"] == "suggestion")
            listed = {t["id"]: t["origin"] for t in s.get("/v1/translations").json["translations"]}
            self.assertEqual([listed[t["id"]] for t in said], ["suggestion", "model"])
            reply = s.get("/v1/translations/%s/alignment.svg" % said[0]["id"])
            self.assertEqual(reply.status, 404)
            self.assertEqual(s.get("/v1/links?source=thin&limit=5").json["links"], [])

    def test_a_suggestion_that_is_rejected_later_still_says_so(self):
        with Server(["en-fr"]) as s:
            one = self.store(s, TEXT)[0]
            self.verso(s, "suggestions", "reject", "1")
            self.assertEqual(s.get("/v1/translations/" + one["id"]).json["origin"], "suggestion")

    def test_it_says_so_without_text_too(self):
        with Server(["en-fr"], "--journal", "without-text") as s:
            one = s.get("/v1/translations/" + self.store(s, TEXT)[0]["id"]).json
            self.assertEqual((one["origin"], one["target_text"]), ("suggestion", None))


class Modes(unittest.TestCase):
    """Other settings of the journal."""

    def store(self, s):
        reply = s.ask(request_bytes(target="/v1/translate", body={
            "text": TEXT, "source": "en", "target": "fr", "durable": True}))
        return reply.json["translations"][0]["id"]

    def test_beyond_loopback_it_is_off_unless_public(self):
        for words, status in (((), 401), (("--public-history",), 200)):
            with Server(["en-fr"], "--host", "0.0.0.0", *words) as s:
                one = s.get("/v1/translations/" + self.store(s))
                self.assertEqual(one.status, status)
                for target in ("/v1/translations", "/v1/links?source=a"):
                    self.assertEqual(s.get(target).status, status)

    def test_without_text_there_are_figures_and_no_words(self):
        with Server(["en-fr"], "--journal", "without-text") as s:
            target = "/v1/translations/" + self.store(s)
            one = s.get(target).json
            self.assertEqual((one["source_text"], one["target_text"], one["answer"]),
                             (None, None, None))
            self.assertEqual(one["source_length"], len(TEXT))
            self.assertEqual(s.get("/v1/translations").json["translations"][0]["id"], one["id"])
            reply = s.get(target + "/alignment.svg")
            self.assertEqual(reply.status, 404)
            self.assertIn("no text", reply.json["detail"])

    def test_with_the_journal_off_nothing_more_is_stored(self):
        with Server(["en-fr"], "--journal", "off") as s:
            s.v1({"text": TEXT, "source": "en", "target": "fr"})
            self.assertEqual(s.get("/v1/translations").json,
                             {"translations": [], "next": None, "storing": False})


if __name__ == "__main__":
    server.main()
