/*
 * test_refusals.c - requests that two parsers could read differently are not
 * served, and ordinary ones are not refused by mistake.
 */
#include "tests/server/protocol/script.h"

#define OK 0 // in place of a code: it is served

struct sample {
    const char *what;
    const char *bytes;
    int code;
};

#define HEAD "POST /translate HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

static const struct sample samples[] = {
    /* two lengths, or none that can be trusted */
    { "type without length", HEAD "Content-Type: text/plain\r\n\r\n", 411 },
    { "type without length in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Type: a/b\r\n\r\n", 411 },
    { "neither type nor length", HEAD "\r\n", OK },
    { "type of a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\n\r\n", OK },
    { "length and chunks", HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "chunks and length", HEAD "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400 },
    { "two equal lengths", HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400 },
    { "two lengths", HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400 },
    { "length list", HEAD "Content-Length: 1, 1\r\n\r\na", 400 },
    { "length with sign", HEAD "Content-Length: +1\r\n\r\na", 400 },
    { "negative length", HEAD "Content-Length: -1\r\n\r\na", 400 },
    { "hexadecimal length", HEAD "Content-Length: 0x1\r\n\r\na", 400 },
    { "empty length", HEAD "Content-Length:\r\n\r\n", 400 },
    { "length over 64 bits", HEAD "Content-Length: 99999999999999999999\r\n\r\n", 400 },
    { "length over the limit", HEAD "Content-Length: 1025\r\n\r\n", 413 },
    { "length at the limit", HEAD "Content-Length: 1024\r\n\r\n", OK },
    { "chunked twice", HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      400 },
    { "chunked twice in one", HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", 400 },
    { "gzip, chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
    { "chunked, identity", HEAD "Transfer-Encoding: chunked, identity\r\n\r\n", 400 },
    { "identity", HEAD "Transfer-Encoding: identity\r\n\r\n", 501 },
    { "xchunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n", 501 },
    { "empty encoding", HEAD "Transfer-Encoding:\r\n\r\n", 501 },
    { "chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },

    /* line ends and white space */
    { "CR after an empty value", HEAD "X:\rY: z\r\n\r\n", 400 },
    { "CR after a blank value", HEAD "X: \rY: z\r\n\r\n", 400 },
    { "CR inside a value", HEAD "X: a\rb\r\n\r\n", 400 },
    { "CR inside a name", HEAD "X\rY: a\r\n\r\n", 400 },
    { "two CRs", HEAD "X: a\r\r\n\r\n", 400 },
    { "CR in the request line", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "CR before the request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "LF alone", "GET / HTTP/1.1\nHost: a\n\n", 400 },
    { "LF alone at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400 },
    { "folded by a space", HEAD "X: a\r\n b\r\n\r\n", 400 },
    { "folded by a tab", HEAD "X: a\r\n\tb\r\n\r\n", 400 },
    { "folded first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400 },
    { "space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
    { "no name", HEAD ": a\r\n\r\n", 400 },
    { "no colon", HEAD "X\r\n\r\n", 400 },
    { "brackets in a name", HEAD "X(y): a\r\n\r\n", 400 },
    { "control character", HEAD "X: a\x01\r\n\r\n", 400 },
    { "delete character", HEAD "X: a\x7f\r\n\r\n", 400 },
    { "tab in a value", HEAD "X: a\tb\r\nContent-Length: 0\r\n\r\n", OK },
    { "UTF-8 in a value", HEAD "X: \xc3\xa9\r\nContent-Length: 0\r\n\r\n", OK },
    { "empty value", HEAD "X:\r\nContent-Length: 0\r\n\r\n", OK },

    /* the request line */
    { "two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "two spaces behind the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400 },
    { "space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "no version", "GET /\r\nHost: a\r\n\r\n", 400 },
    { "HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505 },
    { "HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505 },
    { "HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
    { "RTSP", "GET / RTSP/1.0\r\nHost: a\r\n\r\n", 400 },
    { "unknown method", "FETCH / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
    { "QUERY", "QUERY / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na", OK },
    { "QUERY with a type alone", "QUERY / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\n\r\n", 411 },
    { "query", "query / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
    { "QUERYX", "QUERYX / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
    { "POS", "POS / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
    { "PRI in HTTP/1.1", "PRI * HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "a host as target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "UTF-8 in the target", "GET /?q=\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", OK },
    { "CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", OK },

    /* host and expectations */
    { "no host", "GET / HTTP/1.1\r\n\r\n", 400 },
    { "two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
    { "space in the host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
    { "list of hosts", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400 },
    { "user before the host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400 },
    { "path behind the host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
    { "UTF-8 in the host", "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", 400 },
    { "empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", OK },
    { "host with a port", "GET / HTTP/1.1\r\nHost: xn--caf-dma_1.example:80\r\n\r\n", OK },
    { "IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", OK },
    { "no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", OK },
    { "another expectation", HEAD "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", 417 },

    /* encoded bodies */
    { "gzip", HEAD "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", 415 },
    { "gzip in chunks", HEAD "Content-Encoding: GZip\r\nTransfer-Encoding: chunked\r\n\r\n", 415 },
    { "an encoding that nobody knows", HEAD "Content-Encoding: utf-8\r\n\r\n", 415 },
    { "identity and gzip", HEAD "Content-Encoding: identity, gzip\r\n\r\n", 415 },
    { "identity, then gzip", HEAD "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\n",
      415 },
    { "encoding of a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\n\r\n", 415 },
    { "no encoding", HEAD "Content-Encoding: Identity\r\nContent-Length: 1\r\n\r\na", OK },
    { "empty list of encodings", HEAD "Content-Encoding:\r\nContent-Length: 1\r\n\r\na", OK },

    /* chunks */
    { "no chunk size", CHUNKED "\r\n", 400 },
    { "signed chunk size", CHUNKED "+1\r\na\r\n0\r\n\r\n", 400 },
    { "negative chunk size", CHUNKED "-1\r\na\r\n0\r\n\r\n", 400 },
    { "prefixed chunk size", CHUNKED "0x1\r\na\r\n0\r\n\r\n", 400 },
    { "space before a chunk size", CHUNKED " 1\r\na\r\n0\r\n\r\n", 400 },
    { "space behind a chunk size", CHUNKED "1 \r\na\r\n0\r\n\r\n", 400 },
    { "chunk size over 64 bits", CHUNKED "fffffffffffffffff\r\na\r\n0\r\n\r\n", 413 },
    { "chunk size over the limit", CHUNKED "401\r\n", 413 },
    { "chunk size with LF alone", CHUNKED "1\na\r\n0\r\n\r\n", 400 },
    { "chunk size with CR alone", CHUNKED "1\rXa\r\n0\r\n\r\n", 400 },
    { "CR in an extension", CHUNKED "1;a\rb\r\na\r\n0\r\n\r\n", 400 },
    { "LF in an extension", CHUNKED "1;a\nb\r\na\r\n0\r\n\r\n", 400 },
    { "chunk longer than its size", CHUNKED "1\r\nab\r\n0\r\n\r\n", 400 },
    { "chunk with LF alone", CHUNKED "1\r\na\n0\r\n\r\n", 400 },
    { "chunk with CR alone", CHUNKED "1\r\na\r0\r\n\r\n", 400 },
    { "CR in a trailer", CHUNKED "0\r\nX: \rY: z\r\n\r\n", 400 },
    { "folded trailer", CHUNKED "0\r\n X: z\r\n\r\n", 400 },
    { "many leading zeros", CHUNKED "0000000000000000000000000001\r\na\r\n0\r\n\r\n", OK },
    { "trailers", CHUNKED "1\r\na\r\n0\r\nX: y\r\n\r\n", OK },
};

/* 0 when served or not yet complete. */
static int code_of(const char *bytes, size_t len)
{
    struct guard guard;
    struct script script = { .options = { .name = "c1",
                                          .wall_ms = script_clock,
                                          .head_bytes = 16384,
                                          .body_bytes = 1024,
                                          .in_flight = 4,
                                          .held_bytes = 4096 } };
    struct script_step *step = script_add(&script, STEP_INPUT);
    bytes_append(&step->bytes, bytes, len);
    guard_init(&guard, SCRIPT_BYTES_MAX);
    struct bytes log = script_run(&script, &protocol_http, CUT_NOWHERE, &guard);
    int code = 0;
    const char *refused = log.data ? strstr(log.data, "refused c1-1 ") : NULL;
    if (refused)
        code = atoi(refused + strlen("refused c1-1 "));
    bytes_release(&log);
    guard_release(&guard);
    script_release(&script);
    return code;
}

START_TEST(requests_that_could_be_read_two_ways_are_refused)
{
    const struct sample *sample = &samples[_i];
    int code = code_of(sample->bytes, strlen(sample->bytes));
    ck_assert_msg(code == sample->code, "%s: %d, expected %d", sample->what, code, sample->code);
}
END_TEST

START_TEST(a_zero_in_the_head_is_refused)
{
    static const char bytes[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    ck_assert_int_eq(code_of(bytes, sizeof bytes - 1), 400);
}
END_TEST

/* One byte a chunk is allowed; framing without end is not, though the body stays empty. */
START_TEST(framing_of_chunks_has_a_limit)
{
    struct bytes bytes;
    bytes_init(&bytes, SCRIPT_BYTES_MAX);
    bytes_append_text(&bytes, CHUNKED);
    for (int i = 0; i < 1024; i++)
        bytes_append_text(&bytes, "1\r\na\r\n");
    bytes_append_text(&bytes, "0\r\n\r\n");
    ck_assert_int_eq(code_of(bytes.data, bytes.len), OK);

    bytes_reset(&bytes);
    bytes_append_text(&bytes, CHUNKED "1;");
    for (int i = 0; i < 30000; i++)
        bytes_append_text(&bytes, "x");
    ck_assert_int_eq(code_of(bytes.data, bytes.len), 413);
    bytes_release(&bytes);
}
END_TEST

START_TEST(trailers_have_a_limit)
{
    struct bytes bytes;
    bytes_init(&bytes, SCRIPT_BYTES_MAX);
    bytes_append_text(&bytes, CHUNKED "0\r\n");
    for (int i = 0; i < 1000; i++)
        bytes_append_text(&bytes, "X-Trailer: y\r\n");
    ck_assert_int_eq(code_of(bytes.data, bytes.len), 431);
    bytes_release(&bytes);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(requests_that_could_be_read_two_ways_are_refused, sizeof samples / sizeof samples[0]),
    TEST(a_zero_in_the_head_is_refused),
    TEST(framing_of_chunks_has_a_limit),
    TEST(trailers_have_a_limit),
};
TEST_MAIN("server/protocol/refusals", cases)
