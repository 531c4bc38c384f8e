/*
 * script.h - golden conversations: what a client sends, what the server
 * replies, and everything that must come of it.
 *
 *     # a comment
 *     limit in_flight 2               before anything else; or another of protocol_options
 *     > GET / HTTP/1.1\r\n            the client's bytes; \r \n \0 \xHH, \{9000:a} is 9000 a's
 *     reply 1 200 "body"              the server answers message 1; lines have no status
 *     headers 1 405 "Allow: GET\r\n" "body"
 *     silent 1                        the server answers message 1 with nothing
 *     begin 1 200 ""                  the server begins to answer message 1 in parts;
 *     part 1 "body", last 1 ""        more of that, and the end
 *     full, room                      the connection can take no more, can again
 *     no_memory                       what the client sends next finds no memory
 *     end, expire, drain              the client has ended, took too long; the server wants to stop
 *
 *     message 1 ...  refused ...      events and
 *     < HTTP/1.1 200 OK\r\n           bytes expected, a line for each "\n"; "Date" and
 *     finish                          "X-Content-Type-Options", always the same, are left out
 *
 * script_run() plays it with the client's bytes cut in a given way and returns
 * the log of events; script.expected is what it must be.
 */
#ifndef TESTS_SERVER_PROTOCOL_SCRIPT_H
#define TESTS_SERVER_PROTOCOL_SCRIPT_H

#include <ctype.h>

#include "base/bytes.h"
#include "server/protocol/protocol.h"
#include "tests/helpers.h"
#include "tests/server/protocol/guard.h"

#define SCRIPT_BYTES_MAX (1 << 20)
#define SCRIPT_STEPS_MAX 64
#define PRINTED_BODY_MAX 60 // longer ones are logged by their length

#define CUT_NOWHERE (-1)
#define CUT_EVERYWHERE (-2)

enum script_step_kind {
    STEP_INPUT,
    STEP_REPLY,
    STEP_BEGIN,
    STEP_PART,
    STEP_LAST,
    STEP_SILENT,
    STEP_FULL,
    STEP_ROOM,
    STEP_NO_MEMORY,
    STEP_END,
    STEP_EXPIRE,
    STEP_DRAIN,
};

struct script_step {
    enum script_step_kind kind;
    uint64_t number;
    int code;
    struct bytes bytes; // input or body
    struct bytes headers;
};

struct script {
    struct script_step steps[SCRIPT_STEPS_MAX];
    int count;
    size_t input_bytes;
    struct protocol_options options;
    struct bytes expected;
};

static inline int64_t script_clock(void)
{
    return 0;
}

/* ---- reading ---- */

static inline int script_hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Up to an unescaped `end`; returns what follows it. */
static inline const char *script_unescape(const char *at, char end, struct bytes *out)
{
    while (*at && *at != end) {
        if (*at != '\\') {
            bytes_append_char(out, *at++);
            continue;
        }
        at++;
        if (*at == '{') {
            char *colon;
            long times = strtol(at + 1, &colon, 10);
            for (long i = 0; i < times; i++)
                bytes_append_char(out, colon[1]);
            at = colon + 3;
        } else if (*at == 'x') {
            bytes_append_char(out, (char)(script_hex(at[1]) * 16 + script_hex(at[2])));
            at += 3;
        } else {
            static const char names[] = "rnt0\\\"", values[] = "\r\n\t\0\\\"";
            const char *name = strchr(names, *at);
            ck_assert_msg(name != NULL, "unknown escape \\%c", *at);
            bytes_append_char(out, values[name - names]);
            at++;
        }
    }
    ck_assert(!out->failed);
    return *at ? at + 1 : at;
}

static inline struct script_step *script_add(struct script *s, enum script_step_kind kind)
{
    ck_assert_int_lt(s->count, SCRIPT_STEPS_MAX);
    struct script_step *step = &s->steps[s->count++];
    memset(step, 0, sizeof *step);
    step->kind = kind;
    bytes_init(&step->bytes, SCRIPT_BYTES_MAX);
    bytes_init(&step->headers, SCRIPT_BYTES_MAX);
    return step;
}

static inline void script_limit(struct script *s, const char *line)
{
    char name[32];
    long value;
    ck_assert_int_eq(sscanf(line, "limit %31s %ld", name, &value), 2);
    if (!strcmp(name, "in_flight"))
        s->options.in_flight = (int)value;
    else if (!strcmp(name, "head_bytes"))
        s->options.head_bytes = (size_t)value;
    else if (!strcmp(name, "body_bytes"))
        s->options.body_bytes = (size_t)value;
    else if (!strcmp(name, "line_bytes"))
        s->options.line_bytes = (size_t)value;
    else if (!strcmp(name, "held_bytes"))
        s->options.held_bytes = (size_t)value;
    else
        ck_abort_msg("unknown limit %s", name);
}

static inline void script_reply(struct script *s, enum script_step_kind kind, const char *line)
{
    struct script_step *step = script_add(s, kind);
    bool has_headers = line[0] == 'h';
    const char *at = strchr(line, ' ');
    step->number = strtoul(at, (char **)&at, 10);
    if (*++at != '"')
        step->code = (int)strtol(at, (char **)&at, 10);
    at = strchr(at, '"') + 1;
    if (has_headers)
        at = strchr(script_unescape(at, '"', &step->headers), '"') + 1;
    script_unescape(at, '"', &step->bytes);
}

static inline bool script_starts(const char *line, const char *word)
{
    size_t len = strlen(word);
    return strncmp(line, word, len) == 0 && (line[len] == ' ' || line[len] == '\0');
}

static inline void script_line(struct script *s, const char *line)
{
    static const struct {
        const char *word;
        enum script_step_kind kind;
    } words[] = { { "full", STEP_FULL }, { "room", STEP_ROOM },     { "no_memory", STEP_NO_MEMORY },
                  { "end", STEP_END },   { "expire", STEP_EXPIRE }, { "drain", STEP_DRAIN } };
    if (line[0] == '#' || line[0] == '\0')
        return;
    if (line[0] == '>') {
        struct script_step *step = script_add(s, STEP_INPUT);
        script_unescape(line + 2, '\0', &step->bytes);
        s->input_bytes += step->bytes.len;
        return;
    }
    if (script_starts(line, "limit")) {
        script_limit(s, line);
        return;
    }
    if (script_starts(line, "reply") || script_starts(line, "headers")) {
        script_reply(s, STEP_REPLY, line);
        return;
    }
    if (script_starts(line, "begin")) {
        script_reply(s, STEP_BEGIN, line);
        return;
    }
    if (script_starts(line, "part") || script_starts(line, "last")) {
        script_reply(s, line[0] == 'p' ? STEP_PART : STEP_LAST, line);
        return;
    }
    if (script_starts(line, "silent")) {
        script_add(s, STEP_SILENT)->number = strtoul(line + 7, NULL, 10);
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!strcmp(line, words[i].word)) {
            script_add(s, words[i].kind);
            return;
        }
    }
    bytes_printf(&s->expected, "%s\n", line);
}

static inline void script_load(struct script *s, const char *path)
{
    struct error err;
    struct bytes file;
    memset(s, 0, sizeof *s);
    s->options = (struct protocol_options){ .name = "c1",
                                            .wall_ms = script_clock,
                                            .head_bytes = 16384,
                                            .body_bytes = 1024,
                                            .line_bytes = 64,
                                            .in_flight = 4,
                                            .held_bytes = 4096 };
    bytes_init(&s->expected, SCRIPT_BYTES_MAX);
    bytes_init(&file, SCRIPT_BYTES_MAX);
    assert_ok(bytes_read_file(&file, path, &err), err);
    char *rest = NULL;
    for (char *line = strtok_r(file.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        script_line(s, line);
    bytes_release(&file);
}

static inline void script_release(struct script *s)
{
    for (int i = 0; i < s->count; i++) {
        bytes_release(&s->steps[i].bytes);
        bytes_release(&s->steps[i].headers);
    }
    bytes_release(&s->expected);
}

/* ---- playing ---- */

struct player {
    struct sink sink; // first, so that a sink is a player
    struct bytes log;
    struct bytes output; // bytes of the running line of output
};

/* `quote` is escaped beside the usual ones. */
static inline void log_escaped(struct bytes *log, const char *text, size_t len, char quote)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        static const char names[] = "rnt\\", values[] = "\r\n\t\\";
        const char *value = c ? strchr(values, (char)c) : NULL;
        if (c == (unsigned char)quote)
            bytes_printf(log, "\\%c", c);
        else if (value)
            bytes_printf(log, "\\%c", names[value - values]);
        else if (c < 0x20 || c >= 0x7f)
            bytes_printf(log, "\\x%02x", c);
        else
            bytes_append_char(log, (char)c);
    }
}

static inline void log_slice(struct bytes *log, const char *name, struct slice s)
{
    if (!s.at)
        return;
    if (s.len > PRINTED_BODY_MAX) {
        bytes_printf(log, " %s=%zu bytes", name, s.len);
        return;
    }
    bytes_printf(log, " %s=\"", name);
    log_escaped(log, s.at, s.len, '"');
    bytes_append_char(log, '"');
}

static inline void flush_output(struct player *p)
{
    static const char *const constant[] = { "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
                                            "X-Content-Type-Options: nosniff\r\n" };
    if (p->output.len == 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(p->output.data, constant[i]) == 0) {
            bytes_reset(&p->output);
            return;
        }
    }
    bytes_append_text(&p->log, "< ");
    log_escaped(&p->log, p->output.data, p->output.len, '\\');
    bytes_append_char(&p->log, '\n');
    bytes_reset(&p->output);
}

static inline void player_bytes(struct sink *sink, const char *bytes, size_t len)
{
    struct player *p = (struct player *)sink;
    for (size_t i = 0; i < len; i++) {
        bytes_append_char(&p->output, bytes[i]);
        if (bytes[i] == '\n')
            flush_output(p);
    }
}

static inline void player_message(struct sink *sink, const struct message *m)
{
    struct player *p = (struct player *)sink;
    flush_output(p);
    bytes_printf(&p->log, "message %llu", (unsigned long long)m->number);
    if (m->kind == MESSAGE_HTTP) {
        bytes_printf(&p->log, " %.*s %.*s", (int)m->method.len, m->method.at, (int)m->path.len,
                     m->path.at);
        log_slice(&p->log, "query", m->query);
        log_slice(&p->log, "type", m->content_type);
        log_slice(&p->log, "origin", m->origin);
        log_slice(&p->log, "authorization", m->authorization);
        if (m->body.len > 0)
            log_slice(&p->log, "body", m->body);
    } else if (m->kind == MESSAGE_LINE || m->kind == MESSAGE_REQUEST) {
        bytes_append_text(&p->log, m->kind == MESSAGE_LINE ? " line" : " request");
        log_slice(&p->log, "pair", m->pair);
        log_slice(&p->log, "key", m->key);
        log_slice(&p->log, "text", m->body);
    } else {
        bytes_append_text(&p->log, m->kind == MESSAGE_PAIR ? " choose" : " identify");
        log_slice(&p->log, "key", m->key);
        log_slice(&p->log, "pair", m->pair);
    }
    bytes_append_char(&p->log, '\n');
}

static inline void player_refused(struct sink *sink, const char *id, int code)
{
    struct player *p = (struct player *)sink;
    flush_output(p);
    bytes_printf(&p->log, "refused %s %d\n", id, code);
}

static inline void player_finish(struct sink *sink)
{
    struct player *p = (struct player *)sink;
    flush_output(p);
    bytes_append_text(&p->log, "finish\n");
}

/* What is left over of the client's bytes, and how they are cut. */
struct feeder {
    const struct protocol *protocol;
    void *session;
    struct guard *guard;
    struct bytes pending;
    size_t taken;      // bytes of pending
    size_t fed;        // bytes of the whole script so far
    long cut;          // CUT_* or a position
    bool lacks_memory; // for each of its pieces
};

static inline size_t next_piece(const struct feeder *f)
{
    size_t left = f->pending.len - f->taken;
    if (f->cut == CUT_EVERYWHERE)
        return 1;
    if (f->cut >= 0 && f->fed < (size_t)f->cut && f->fed + left > (size_t)f->cut)
        return (size_t)f->cut - f->fed;
    return left;
}

static inline void feed_pending(struct feeder *f)
{
    while (f->taken < f->pending.len) {
        size_t piece = next_piece(f);
        const char *bytes = guard_copy(f->guard, f->pending.data + f->taken, piece);
        memory_fail_at(f->lacks_memory ? 1 : 0);
        size_t taken = f->protocol->feed(f->session, bytes, piece);
        memory_fail_at(0);
        ck_assert_uint_le(taken, piece);
        if (taken == 0)
            return;
        f->taken += taken;
        f->fed += taken;
    }
    bytes_reset(&f->pending);
    f->taken = 0;
}

static inline void play_step(struct feeder *f, struct player *p, const struct script_step *step)
{
    switch (step->kind) {
    case STEP_INPUT:
        bytes_append(&f->pending, step->bytes.data, step->bytes.len);
        break;
    case STEP_REPLY: {
        enum status status = f->protocol->reply(
            f->session, &(struct reply){ .number = step->number,
                                         .code = step->code,
                                         .content_type = step->code == 204 ? NULL : "text/plain",
                                         .headers = step->headers.data,
                                         .body = step->bytes.data ? step->bytes.data : "",
                                         .len = step->bytes.len });
        if (status != STATUS_OK)
            bytes_printf(&p->log, "failed %s\n", status_name(status));
        break;
    }
    case STEP_BEGIN:
        assert_status(f->protocol->reply(f->session, &(struct reply){ .number = step->number,
                                                                      .code = step->code,
                                                                      .content_type = "text/plain",
                                                                      .in_parts = true }),
                      STATUS_OK);
        break;
    case STEP_PART:
    case STEP_LAST: {
        enum status status = f->protocol->part(
            f->session, step->number,
            (struct slice){ step->bytes.data ? step->bytes.data : "", step->bytes.len },
            step->kind == STEP_LAST);
        if (status != STATUS_OK)
            bytes_printf(&p->log, "failed %s\n", status_name(status));
        break;
    }
    case STEP_SILENT:
        assert_status(f->protocol->reply(f->session,
                                         &(struct reply){ .number = step->number, .silent = true }),
                      STATUS_OK);
        break;
    case STEP_FULL:
        p->sink.full = true;
        break;
    case STEP_ROOM:
        p->sink.full = false;
        break;
    case STEP_NO_MEMORY:
        f->lacks_memory = true;
        break;
    case STEP_END:
        f->protocol->end(f->session);
        break;
    case STEP_EXPIRE:
        f->protocol->expire(f->session);
        break;
    case STEP_DRAIN:
        f->protocol->drain(f->session);
        break;
    }
}

/* The log is the caller's to release. */
static inline struct bytes script_run(const struct script *s, const struct protocol *protocol,
                                      long cut, struct guard *guard)
{
    struct arena arena;
    struct player p = { .sink = { .message = player_message,
                                  .bytes = player_bytes,
                                  .refused = player_refused,
                                  .finish = player_finish } };
    bytes_init(&p.log, SCRIPT_BYTES_MAX);
    bytes_init(&p.output, SCRIPT_BYTES_MAX);
    ck_assert(arena_init(&arena, 1 << 20));
    struct feeder f = { .protocol = protocol, .guard = guard, .cut = cut };
    bytes_init(&f.pending, SCRIPT_BYTES_MAX);
    f.session = protocol->open(&arena, &p.sink, &s->options);
    ck_assert_ptr_nonnull(f.session);

    for (int i = 0; i < s->count; i++) {
        play_step(&f, &p, &s->steps[i]);
        feed_pending(&f);
        flush_output(&p);
    }
    if (f.taken < f.pending.len)
        bytes_printf(&p.log, "not taken %zu\n", f.pending.len - f.taken);

    protocol->close(f.session);
    arena_release(&arena);
    bytes_release(&f.pending);
    bytes_release(&p.output);
    return p.log;
}

#endif
