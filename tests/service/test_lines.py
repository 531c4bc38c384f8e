"""Lines of text on the same port."""
import unittest

import server
from server import Server, request_bytes

TEXT = "the thin reindeer"


class Lines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, code

    def exchange(self, data, count):
        with self.server.connect() as c:
            c.send(data)
            return [c.line() for _ in range(count)]

    def test_lines_are_answered_in_order_and_as_over_http(self):
        texts = ["the %d ants in it" % i for i in range(200)]
        expected = [self.server.translate(t).text for t in texts]
        data = "#!pair en-fr\n" + "".join(t + "\n" for t in texts)
        self.assertEqual(self.exchange(data.encode(), len(texts)), expected)

    def test_empty_lines_stay_empty(self):
        answers = self.exchange(b"\n#!pair en-fr\nthe ant\n\n\r\n12\r\n", 5)
        self.assertEqual([answers[0], *answers[2:]], ["", "", "", "12"])

    def test_the_pair_holds_for_the_lines_behind_it(self):
        data = "#!pair en-fr\n%s\n#!pair EN-DE\n%s\n#!pair fr-de\n%s\n#!pair de-de\n%s\n" % (
            TEXT, TEXT, TEXT, TEXT)
        expected = [self.server.translate(TEXT, *pair).text
                    for pair in (("en", "fr"), ("en", "de"), ("fr", "de"), ("de", "de"))]
        self.assertEqual(self.exchange(data.encode(), 4), expected)

    def test_without_a_pair_the_only_model_answers(self):
        with Server(["fr-en"]) as one, one.connect() as c:
            c.send(TEXT.encode() + b"\n")
            self.assertEqual(c.line(), one.translate(TEXT, "fr", "en").text)

    def test_without_a_pair_several_models_are_an_error(self):
        answer, = self.exchange(b"the ant\n", 1)
        self.assertTrue(answer.startswith("#!error BAD_INPUT There are several models"), answer)

    def test_an_unknown_pair_is_an_error_in_its_place(self):
        answers = self.exchange(b"#!pair en-fr\n12\n#!pair de-en\n13\n#!pair en-fr\n14\n", 4)
        self.assertEqual((answers[0], answers[3]), ("12", "14"))
        for answer in answers[1:3]:
            self.assertTrue(answer.startswith("#!error NOT_FOUND There is no model from de to en"),
                            answer)

    def test_bad_input_is_answered_in_its_place(self):
        answers = self.exchange(b"#!pair en-fr\n12\nabc\xffdef\n#!stop\n{\"a\":1}\n" +
                                b"\xed\xa0\x80\n13\n", 6)
        self.assertEqual((answers[0], answers[5]), ("12", "13"))
        for answer in answers[1:5]:
            self.assertTrue(answer.startswith("#!error BAD_INPUT "), answer)
        self.assertIn("byte 3", answers[1])

    def test_a_request_line_that_is_none_is_a_sentence(self):
        with Server(["en-fr"]) as one, one.connect() as c:
            c.send(b"GET the book\n")
            self.assertEqual(c.line(), one.translate("GET the book").text)

    def test_marks_inside_an_answer_are_plain(self):
        with Server(["en-fr"]) as one, one.connect() as c:
            c.send("#!pair en-en\n #!error\né{}\n".encode())
            self.assertEqual([c.line(), c.line()], [" #!error", "é{}"])

    def test_bytes_one_at_a_time(self):
        with self.server.connect() as c:
            c.send_slowly(("#!pair en-fr\r\n%s é\r\n\r\nend\n" % TEXT).encode())
            self.assertEqual(c.line(), self.server.translate(TEXT + " é").text)
            self.assertEqual(c.line(), "")
            self.assertEqual(c.line(), self.server.translate("end").text)

    def test_a_client_that_closes_its_half_gets_all_answers(self):
        with self.server.connect() as c:
            c.send(b"#!pair en-fr\n" + b"12\n" * 500 + b"13")
            c.end()
            self.assertEqual(c.rest(), b"12\n" * 500 + b"13\n")

    def test_a_client_that_sends_nothing_is_no_error(self):
        with self.server.connect() as c:
            c.end()
            self.assertEqual(c.rest(), b"")
        with self.server.connect() as c:
            c.send(b"12")
            c.end()
            self.assertIn(b"There are several models", c.rest())

    def test_http_on_another_connection_is_not_disturbed(self):
        with self.server.connect() as lines, self.server.connect() as http:
            lines.send(b"#!pair en-fr\n1")
            http.send(request_bytes("GET", "/health"))
            self.assertEqual(http.reply().json, {"status": "ok"})
            lines.send(b"2\n")
            self.assertEqual(lines.line(), "12")


if __name__ == "__main__":
    server.main()
