/*
 * session.h - a protocol session for fuzzers: it is fed pieces whose size the
 * first byte chooses, and messages are answered at once or, every third, late
 * and in reverse, so that replies are held too.
 */
#ifndef TESTS_FUZZ_SESSION_H
#define TESTS_FUZZ_SESSION_H

#include <stdlib.h>

#include "server/protocol/protocol.h"

#define FUZZ_LATE_MAX 4

struct fuzz_sink {
    struct sink sink; // first, so that a sink is a fuzz_sink
    const struct protocol *protocol;
    void *session;
    uint64_t late[FUZZ_LATE_MAX];
    int late_count;
    bool has_finished;
};

static inline int64_t fuzz_clock(void)
{
    return 0;
}

/* Every fifth in parts, where there are such. */
static inline void fuzz_reply(struct fuzz_sink *f, uint64_t number)
{
    const bool in_parts = f->protocol->part && number % 5 == 0;
    struct reply reply = {
        .number = number, .code = 200, .body = "answer\n", .len = 7, .in_parts = in_parts
    };
    if (f->protocol->reply(f->session, &reply) == STATUS_NO_MEMORY)
        abort();
    for (int last = 0; in_parts && last < 2; last++)
        if (f->protocol->part(f->session, number, (struct slice){ "part\r\n", 6 }, last) ==
            STATUS_NO_MEMORY)
            abort();
}

static inline void fuzz_reply_late(struct fuzz_sink *f)
{
    while (f->late_count > 0)
        fuzz_reply(f, f->late[--f->late_count]);
}

/* Reads every byte it is given, so that a slice into the void is found. */
static inline void fuzz_message(struct sink *sink, const struct message *m)
{
    struct fuzz_sink *f = (struct fuzz_sink *)sink;
    const struct slice *slices[] = { &m->method, &m->path,         &m->query,
                                     &m->pair,   &m->content_type, &m->body };
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++)
        for (size_t j = 0; j < slices[i]->len; j++)
            sum += (unsigned char)slices[i]->at[j];
    __asm__ volatile("" : : "r"(sum)); // or the compiler would not read them
    if (m->number % 3 == 0 && f->late_count < FUZZ_LATE_MAX)
        f->late[f->late_count++] = m->number;
    else
        fuzz_reply(f, m->number);
}

static inline void fuzz_bytes(struct sink *sink, const char *bytes, size_t len)
{
    (void)sink;
    (void)bytes;
    (void)len;
}

static inline void fuzz_refused(struct sink *sink, const char *id, int code)
{
    (void)sink;
    (void)id;
    if (code < 400 || code > 599)
        abort();
}

static inline void fuzz_finish(struct sink *sink)
{
    struct fuzz_sink *f = (struct fuzz_sink *)sink;
    if (f->has_finished)
        abort(); // once is enough
    f->has_finished = true;
}

static inline void fuzz_session(const struct protocol *protocol, const uint8_t *data, size_t size)
{
    static const struct protocol_options options = { .name = "c1",
                                                     .wall_ms = fuzz_clock,
                                                     .head_bytes =
                                                         500, // what is behind it is poisoned
                                                     .body_bytes = 256,
                                                     .line_bytes = 64,
                                                     .in_flight = 5,
                                                     .held_bytes = 2048 };
    struct arena arena;
    if (size < 1 || !arena_init(&arena, 1 << 16))
        return;
    struct fuzz_sink f = { .sink = { .message = fuzz_message,
                                     .bytes = fuzz_bytes,
                                     .refused = fuzz_refused,
                                     .finish = fuzz_finish },
                           .protocol = protocol };
    f.session = protocol->open(&arena, &f.sink, &options);
    size_t step = 1 + data[0];
    for (size_t at = 1; at < size;) {
        size_t len = size - at < step ? size - at : step;
        size_t taken = protocol->feed(f.session, (const char *)data + at, len);
        at += taken;
        if (taken < len)
            fuzz_reply_late(&f);
        (void)protocol->phase(f.session);
    }
    if (data[0] & 1)
        protocol->end(f.session);
    else
        protocol->expire(f.session);
    protocol->close(f.session);
    arena_release(&arena);
}

#endif
