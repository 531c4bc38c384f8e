"""HTTP as clients of LibreTranslate speak it."""
import json
import unittest
import urllib.parse

import server
from server import Server, request_bytes

TEXT = "the thin reindeer"


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, code

    def form(self, fields, target="/translate"):
        body = urllib.parse.urlencode(fields).encode()
        return self.server.ask(request_bytes(
            target=target, body=body, content_type="application/x-www-form-urlencoded"))

    # ---- translations ----

    def test_a_text_is_answered_by_a_text(self):
        reply = self.server.translate(TEXT)
        self.assertEqual(reply.status, 200)
        self.assertEqual(list(reply.json), ["translatedText"])
        self.assertTrue(reply.text)
        self.assertNotEqual(reply.text, TEXT)

    def test_a_list_is_answered_by_a_list_in_its_order(self):
        texts = [TEXT, "", "12 :-)", "an ant", TEXT, "  \n "]
        single = [self.server.translate(t).text if t else "" for t in texts]
        self.assertEqual(self.server.translate(texts).text, single)

    def test_form_query_and_json_say_the_same(self):
        fields = {"q": TEXT + " + 100% & é", "source": "en", "target": "fr"}
        expected = self.server.translate(fields["q"]).body
        self.assertEqual(self.form(fields).body, expected)
        query = "/translate?" + urllib.parse.urlencode(fields)
        self.assertEqual(self.server.ask(request_bytes(target=query)).body, expected)
        part = {"q": fields["q"]}
        self.assertEqual(self.form(part, "/translate?source=en&target=fr").body, expected)

    def test_html_keeps_its_markup_through_one_model_and_through_two(self):
        page = "<p class=a>the <i>cat</i> of {name} &lt;b&gt;\n<script>a<b</script><p>1984"
        for source, target in (("en", "fr"), ("fr", "de")):
            reply = self.server.translate(page, source, target, format="html", alternatives=2)
            self.assertEqual(reply.json["alternatives"], [])
            text = reply.json["translatedText"]
            self.assertTrue(text.startswith("<p class=a>"), text)
            for once in ("<i>", "</i>", "{name}", "<script>a<b</script>", "<p>1984"):
                self.assertEqual(text.count(once), 1, (once, text))

    def test_a_form_has_lf_for_crlf(self):
        fields = {"q": "the ant\r\nin\rit", "source": "en", "target": "en"}
        self.assertEqual(self.form(fields).text, "the ant\nin\rit")

    def test_what_has_no_letters_comes_back_unchanged(self):
        for text in ("12345", "\U0001f600 \U0001f680", " \t ", "?!", "3.14 \n\n 2.71\n"):
            self.assertEqual(self.server.translate(text).text, text)

    def test_newlines_and_indentation_stay(self):
        text = "  the ant\n\n\tin it\n"
        lines = self.server.translate(text).text.split("\n")
        self.assertEqual(len(lines), 4)
        self.assertTrue(lines[0].startswith("  "))
        self.assertEqual(lines[1], "")
        self.assertTrue(lines[2].startswith("\t"))

    def test_source_equal_to_target_returns_the_text(self):
        reply = self.server.translate(["a \"b\"", "é\n"], "de", "DE", alternatives=2)
        self.assertEqual(reply.json, {"alternatives": [[], []], "translatedText": ["a \"b\"", "é\n"]})

    def test_a_pair_without_model_goes_through_english(self):
        between = self.server.translate(TEXT, "fr", "en").text
        expected = self.server.translate(between, "en", "de").text
        self.assertEqual(self.server.translate(TEXT, "fr", "de").text, expected)

    def test_codes_are_lower_cased(self):
        self.assertEqual(self.server.translate(TEXT, "EN", "Fr").text,
                         self.server.translate(TEXT).text)

    def test_utf8_is_not_escaped(self):
        self.assertIn("é😀".encode(), self.server.translate("é😀", "fr", "fr").body)

    def test_alternatives_only_if_asked_for(self):
        plain = self.server.translate(TEXT)
        for none in (0, "0", -3, None):
            self.assertEqual(self.server.translate(TEXT, alternatives=none).body, plain.body)
        one = self.server.translate(TEXT, alternatives=2).json
        self.assertEqual(one["translatedText"], plain.text)
        self.assertLessEqual(len(one["alternatives"]), 2)
        self.assertNotIn(plain.text, one["alternatives"])
        batch = self.server.translate([TEXT, "12"], alternatives="2").json
        self.assertEqual(batch["alternatives"], [one["alternatives"], []])

    # ---- errors ----

    def assert_error(self, reply, status, text):
        self.assertEqual((reply.status, reply.json), (status, {"error": text}))
        self.assertEqual(reply.headers["content-type"], "application/json")

    def test_errors_have_their_texts(self):
        good = {"q": "a", "source": "en", "target": "fr"}
        for change, text in (
                ({"q": None}, "Invalid request: missing q parameter"),
                ({"q": ""}, "Invalid request: missing q parameter"),
                ({"q": []}, "Invalid request: missing q parameter"),
                ({"q": 5}, "Invalid request: q must be a text or a list of texts"),
                ({"q": ["a", 5]}, "Invalid request: q must be a text or a list of texts"),
                ({"source": ""}, "Invalid request: missing source parameter"),
                ({"target": None}, "Invalid request: missing target parameter"),
                ({"source": 7}, "Invalid request: source must be a language code"),
                ({"source": "zz"}, "zz is not supported"),
                ({"target": "ZZ"}, "ZZ is not supported"),
                ({"source": "auto"}, "auto is not supported: this server has no language detector "
                 "(detect.safetensors in its folder of models)"),
                ({"source": "é" * 100}, "é" * 20 + " is not supported"),
                ({"format": "xml"}, "xml format is not supported"),
                ({"alternatives": "abc"},
                 "Invalid request: alternatives parameter is not a number"),
                ({"alternatives": ""}, "Invalid request: alternatives parameter is not a number"),
                ({"alternatives": [1]}, "Invalid request: alternatives parameter is not a number"),
                ({"alternatives": 5}, "Invalid request: alternatives parameter must be <= 4"),
                ({"source": "de"},
                 "French (fr) is not available as a target language from German (de)")):
            with self.subTest(change):
                self.assert_error(self.server.post({**good, **change}), 400, text)

    def test_checks_come_in_their_order(self):
        wrong = {"q": "", "source": "", "target": "", "alternatives": "x", "format": "xml"}
        steps = (("q", "a", "q parameter"), ("source", "zz", "source parameter"),
                 ("target", "zy", "target parameter"), ("alternatives", 99, "not a number"),
                 ("alternatives", 0, "must be <="), ("source", "de", "zz is not"),
                 ("target", "fr", "zy is not"), ("format", "text", "xml format"))
        for name, better, text in steps:
            self.assertIn(text, self.server.post(wrong).error)
            wrong[name] = better
        self.assertIn("French (fr) is not available", self.server.post(wrong).error)

    def test_bad_json_is_said(self):
        for body in (b"{", b"[]", b"5", b'{"q":"a","q":"b"}', b'{"q":"\xff"}', b'{"q":"a"} x',
                     b'{"q":"\\u0000"}', b"[" * 5000, b'{"a":' * 1000):
            with self.subTest(body[:20]):
                self.assert_error(self.server.post(body), 400, "Invalid JSON format")

    def test_invalid_utf8_in_a_form_is_said(self):
        reply = self.server.ask(request_bytes(body=b"q=%ff&source=en&target=fr",
                                              content_type="application/x-www-form-urlencoded"))
        self.assert_error(reply, 400, "Invalid request: q is not valid UTF-8")

    def test_another_content_type_has_no_q(self):
        reply = self.server.ask(request_bytes(body=b'{"q":"a"}', content_type="text/plain"))
        self.assert_error(reply, 400, "Invalid request: missing q parameter")

    def test_unknown_paths_and_methods_are_json(self):
        self.assertEqual(self.server.get("/nothing").status, 404)
        self.assertIn("error", self.server.get("/nothing").json)
        self.assertEqual(self.server.get("/translate/").status, 404)
        for method, path, allow in (("GET", "/translate", "POST, OPTIONS"),
                                    ("POST", "/languages", "GET, HEAD, OPTIONS"),
                                    ("POST", "/health", "GET, HEAD, OPTIONS"),
                                    ("DELETE", "/frontend/settings", "GET, HEAD, OPTIONS")):
            reply = self.server.ask(request_bytes(method, path))
            self.assertEqual((reply.status, reply.headers["allow"]), (405, allow))
            self.assertIn("error", reply.json)

    # ---- other resources ----

    def test_languages(self):
        self.assertEqual(self.server.get("/languages").json, [
            {"code": "de", "name": "German", "targets": ["de"]},
            {"code": "en", "name": "English", "targets": ["de", "en", "fr"]},
            {"code": "fr", "name": "French", "targets": ["de", "en", "fr"]}])

    def test_health(self):
        self.assertEqual(self.server.get("/health").json, {"status": "ok"})
        self.assertEqual(self.server.get("/health?x=1").json, {"status": "ok"})

    def test_frontend_settings(self):
        settings = self.server.get("/frontend/settings").json
        self.assertEqual(settings["charLimit"], 50000)
        self.assertEqual(settings["keyRequired"], False)
        self.assertEqual(settings["supportedFilesFormat"], [])
        self.assertEqual(settings["language"]["target"], {"code": "de", "name": "German"})

    # ---- the protocol ----

    def test_every_reply_has_an_id_of_its_own(self):
        ids = set()
        with self.server.connect() as c:
            for data in (request_bytes("GET", "/health"), request_bytes("GET", "/nothing"),
                         request_bytes("OPTIONS", "/translate"), request_bytes("GET", "/translate"),
                         request_bytes(body={"q": "a", "source": "en", "target": "fr"}),
                         b"GET / HTTP/1.1\r\n\r\n"):
                c.send(data)
                ids.add(c.reply().headers["x-request-id"])
        self.assertEqual(len(ids), 6)
        for name in ids:
            self.server.wait_for_id(name)

    def test_head_has_the_headers_of_get(self):
        get = self.server.get("/languages")
        with self.server.connect() as c:
            c.send(request_bytes("HEAD", "/languages") + request_bytes("GET", "/health"))
            head = c.reply(to_head=True)
            self.assertEqual(c.reply().json, {"status": "ok"})
        self.assertEqual(head.status, 200)
        self.assertEqual(head.headers["content-length"], get.headers["content-length"])

    def test_pages_of_other_servers_may_ask(self):
        reply = self.server.ask(request_bytes("OPTIONS", "/translate", headers=[
            "Origin: http://other.example", "Access-Control-Request-Method: POST"]))
        self.assertEqual(reply.status, 204)
        self.assertEqual(reply.headers["access-control-allow-origin"], "*")
        self.assertIn("POST", reply.headers["access-control-allow-methods"])
        self.assertIn("Content-Type", reply.headers["access-control-allow-headers"])
        for target in ("/languages", "/health", "/frontend/settings"):
            self.assertEqual(self.server.get(target).headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-origin", self.server.get("/nothing").headers)
        self.assertEqual(self.server.ask(request_bytes("OPTIONS", "*")).status, 204)
        self.assertEqual(self.server.ask(request_bytes("OPTIONS", "/nothing")).status, 404)

    def test_a_connection_is_used_again(self):
        with self.server.connect() as c:
            for i in range(50):
                c.send(request_bytes(body={"q": "%d ants" % i, "source": "en", "target": "fr"}))
                self.assertEqual(c.reply().status, 200)

    def test_pipelined_requests_are_answered_in_order(self):
        texts = ["the %d ants in it" % i for i in range(40)]
        expected = [self.server.translate(t).text for t in texts]
        with self.server.connect() as c:
            data = b""
            for i, text in enumerate(texts):
                data += request_bytes(body={"q": text, "source": "en", "target": "fr"})
                if i % 5 == 0:
                    data += request_bytes("GET", "/health")
            c.send(data)
            for i, text in enumerate(expected):
                self.assertEqual(c.reply().text, text)
                if i % 5 == 0:
                    self.assertEqual(c.reply().json, {"status": "ok"})

    def test_bytes_one_at_a_time(self):
        body = {"q": TEXT, "source": "en", "target": "fr"}
        with self.server.connect() as c:
            c.send_slowly(request_bytes(body=body) + request_bytes("GET", "/health"))
            self.assertEqual(c.reply().text, self.server.translate(TEXT).text)
            self.assertEqual(c.reply().json, {"status": "ok"})

    def test_a_chunked_body(self):
        body = json.dumps({"q": TEXT, "source": "en", "target": "fr"}).encode()
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                          for i in range(0, len(body), 7)) + b"0\r\n\r\n"
        head = request_bytes(headers=["Transfer-Encoding: chunked",
                                      "Content-Type: application/json"])
        with self.server.connect() as c:
            c.send(head + chunks + request_bytes("GET", "/health"))
            self.assertEqual(c.reply().text, self.server.translate(TEXT).text)
            self.assertEqual(c.reply().json, {"status": "ok"})

    def test_expect_100_continue(self):
        body = json.dumps({"q": TEXT, "source": "en", "target": "fr"}).encode()
        head = request_bytes(headers=["Expect: 100-continue", "Content-Length: %d" % len(body),
                                      "Content-Type: application/json"])
        with self.server.connect() as c:
            c.send(head)
            self.assertEqual(c.reply().status, 100)
            c.send(body)
            self.assertEqual(c.reply().status, 200)

    def test_an_encoded_body_is_refused_before_it_is_sent(self):
        for coding in ("gzip", "GZip", "identity, br", "utf-8"):
            for target in ("/translate", "/detect", "/languages"):
                with self.subTest(coding=coding, target=target), self.server.connect() as c:
                    c.send(request_bytes("GET" if target == "/languages" else "POST", target, headers=[
                        "Content-Type: application/json", "Content-Encoding: " + coding,
                        "Content-Length: 100"]))
                    reply = c.reply()
                    self.assertEqual((reply.status, list(reply.json)), (415, ["error"]))
                    self.assertIn("send the body as it is", reply.error)
                    self.assertEqual(reply.headers["accept-encoding"], "identity")
                    self.assertEqual(c.rest(), b"")

    def test_a_body_that_says_it_is_not_encoded_is_read(self):
        for coding in ("identity", "Identity", ""):
            reply = self.server.post({"q": "12", "source": "en", "target": "fr"},
                                     headers=["Content-Encoding: " + coding])
            self.assertEqual((reply.status, reply.text), (200, "12"))

    def test_http_1_0_and_close_end_the_connection(self):
        with self.server.connect() as c:
            c.send(b"GET /health HTTP/1.0\r\n\r\n")
            self.assertEqual(c.reply().headers["connection"], "close")
            self.assertEqual(c.rest(), b"")
        with self.server.connect() as c:
            c.send(request_bytes("GET", "/health", headers=["Connection: close"]))
            self.assertEqual(c.reply().headers["connection"], "close")
            self.assertEqual(c.rest(), b"")

    def test_doubtful_requests_are_refused_and_nothing_behind_them_is_read(self):
        for head in ("Content-Length: 4\r\nTransfer-Encoding: chunked",
                     "Content-Length: 4\r\nContent-Length: 4", "X: \rY: z", "X: a\r\n b",
                     "Host: twice", "Transfer-Encoding: chunked\r\n\r\nzz"):
            with self.subTest(head), self.server.connect() as c:
                c.send(b"POST /translate HTTP/1.1\r\nHost: a\r\n" + head.encode() + b"\r\n\r\n" +
                       request_bytes("GET", "/health"))
                reply = c.reply()
                self.assertEqual((reply.status, reply.headers["connection"]), (400, "close"))
                self.assertIn("error", reply.json)
                self.assertEqual(c.rest(), b"")

    def test_an_http_2_preface_gets_505(self):
        with self.server.connect() as c:
            c.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            self.assertEqual(c.reply().status, 505)
            self.assertEqual(c.rest(), b"")

    def test_a_tls_hello_is_closed(self):
        with self.server.connect() as c:
            c.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200))
            self.assertEqual(c.rest(), b"")

    def test_a_bad_request_behind_good_ones_is_answered_in_its_turn(self):
        with self.server.connect() as c:
            c.send(request_bytes(body={"q": TEXT, "source": "en", "target": "fr"}) +
                   b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(c.reply().status, 200)
            self.assertEqual(c.reply().status, 400)
            self.assertEqual(c.rest(), b"")

    def test_the_log_has_no_text_of_users(self):
        self.server.translate("the secret ant")
        self.server.get("/nothing?q=secret")
        self.server.get("/secret")
        self.server.wait_for("request")
        self.assertNotIn("secret", json.dumps(self.server.log))


if __name__ == "__main__":
    server.main()
