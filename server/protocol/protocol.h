/*
 * protocol.h - a way of speaking to clients: lines or HTTP/1.1.
 *
 *     const struct protocol *p = &protocol_line;              // or what choose.h says
 *     void *session = p->open(&arena, &sink, &options);
 *     size_t taken = p->feed(session, bytes, len);            // calls sink->message, sink->bytes
 *     p->reply(session, &reply);                              // now or later, in any order
 *     p->close(session);
 *
 * A protocol turns bytes into messages and replies into bytes. It never sees a
 * socket or a loop, so a test or a fuzzer can feed it from an array. Messages
 * are numbered 1, 2, 3, ...; replies may come in any order and leave in that
 * of the messages. How the bytes were cut never matters. One thread at a time.
 */
#ifndef SERVER_PROTOCOL_PROTOCOL_H
#define SERVER_PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

struct slice {
    const char *at; // not NUL-terminated; NULL if absent
    size_t len;
};

enum message_kind {
    MESSAGE_HTTP,    // method, path, query, content_type, body
    MESSAGE_LINE,    // body is a sentence, pair what "#!pair" said last
    MESSAGE_REQUEST, // body is a line that starts with "{", pair as above
    MESSAGE_PAIR,    // "#!pair en-fr": answered by nothing, or by an error
    MESSAGE_KEY,     // "#!key ...", the same
};

#define MESSAGE_ID_BYTES 64

/* One request as the client wrote it. Everything is borrowed until the sink's function returns. */
struct message {
    enum message_kind kind;
    uint64_t number;
    char id[MESSAGE_ID_BYTES]; // "connection-number", X-Request-Id of the answer
    struct slice method, path, query, content_type;
    struct slice host;          // of an absolute target, else of the Host field; absent in HTTP/1.0
    struct slice origin;        // the page that asks, if a browser says so
    struct slice authorization; // "Bearer ..."
    struct slice if_none_match; // entity tags that the client has, or "*"
    struct slice forwarded_for; // addresses that a proxy speaks for, its own client's last
    struct slice key;           // lines: what "#!key" said last
    struct slice pair;          // "en-fr", absent before the first "#!pair"
    struct slice body;
};

struct reply {
    uint64_t number;          // of the message it answers
    int code;                 // HTTP status; lines have none
    const char *content_type; // HTTP; NULL: none
    const char *headers;      // HTTP: further header lines, each ended by CRLF; NULL: none
    const char *body;
    size_t len;
    bool silent;   // lines: answer with nothing at all
    bool in_parts; // HTTP: this is the beginning, the body comes by `part`
};

/* Where a protocol puts what it made. The server's sink is a connection, the tests' a log. */
struct sink {
    void (*message)(struct sink *sink, const struct message *message);
    void (*bytes)(struct sink *sink, const char *bytes, size_t len); // copies
    /* A message was answered by the protocol itself, with this HTTP status (lines: 400 or 413). */
    void (*refused)(struct sink *sink, const char *id, int code);
    /* The last reply has been written: send it and close. Once. */
    void (*finish)(struct sink *sink);
    bool full; // set by the sink: take no further message until it is cleared
};

struct protocol_options {
    const char *name;         // of the connection; ids of messages start with it
    int64_t (*wall_ms)(void); // for the Date header
    size_t head_bytes;        // HTTP: request line and headers of a message
    size_t body_bytes;        // HTTP: body of a message
    size_t line_bytes;        // lines: one line
    int in_flight;            // messages waiting for their reply; more are not taken
    size_t held_bytes;        // replies waiting for their turn; over it the session ends
};

/* What a session is receiving just now; each phase has its own time limit. */
enum phase { PHASE_IDLE, PHASE_HEAD, PHASE_BODY };

struct protocol {
    const char *name;
    bool half_close; // the end of the client's bytes is no goodbye: it waits for answers

    /* NULL: the arena is full. sink and options must outlive the session. */
    void *(*open)(struct arena *arena, struct sink *sink, const struct protocol_options *options);
    void (*close)(void *session);

    /* How many bytes were taken: fewer than len when as many messages are in flight as may be, or
     * when the sink is full. Feed the rest again after a reply or when the sink has room. */
    size_t (*feed)(void *session, const char *bytes, size_t len);
    enum phase (*phase)(const void *session);

    void (*end)(void *session);    // the client has sent its last byte, and all are taken
    void (*expire)(void *session); // it took too long over what it is sending
    void (*drain)(void *session);  // finish with the messages in flight, or else the next

    /* STATUS_TOO_LARGE, STATUS_NO_MEMORY: the reply could not be kept, close the connection. */
    enum status (*reply)(void *session, const struct reply *reply);
    /* More of a reply in_parts; NULL where there are none. Failures as above. */
    enum status (*part)(void *session, uint64_t number, struct slice bytes, bool is_last);
};

extern const struct protocol protocol_http;
extern const struct protocol protocol_line;

#endif
