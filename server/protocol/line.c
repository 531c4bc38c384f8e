/*
 * line.c - a sentence a line in, its translation a line out, in order.
 *
 *     TEXT ----- over line_bytes -----> DISCARDING
 *      ^ '--- "\n": a message               |
 *      '------ "\n": one #!error -----------'
 *
 *     both --> FINISHED    drained, expired, or the client has ended
 *
 * A line may end in CR LF. "#!pair en-fr" chooses the model for the lines
 * behind it and "#!key KEY" says who asks; an empty line is answered here, by an empty line; one that starts
 * with "{" is a request in JSON.
 */
#include "server/protocol/line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "server/protocol/order.h"
#include "server/protocol/protocol.h"

#define LINE_KEEP_BYTES 16384 // a longer line's memory is given back after it
#define PAIR_BYTES_MAX 32
#define KEY_BYTES_MAX 128

struct line {
    struct sink *sink;
    const struct protocol_options *options;
    struct order order;

    enum { LINE_TEXT, LINE_DISCARDING, LINE_FINISHED } state;
    struct bytes text;             // of the line that is coming in
    char pair[PAIR_BYTES_MAX + 1]; // "" before the first #!pair
    char key[KEY_BYTES_MAX + 1];   // "" before the first #!key

    bool draining; // the next line is the last
    bool finish_sent;
};

static void *line_open(struct arena *arena, struct sink *sink,
                       const struct protocol_options *options)
{
    struct line *line = arena_alloc(arena, sizeof *line);
    if (!line)
        return NULL;
    *line = (struct line){ .sink = sink, .options = options };
    bytes_init(&line->text, options->line_bytes);
    if (!order_init(&line->order, arena, sink, options->in_flight, options->held_bytes))
        return NULL;
    return line;
}

static void line_close(void *session)
{
    struct line *line = session;
    order_release(&line->order);
    bytes_release(&line->text);
}

/* ---- replies ---- */

size_t line_error(enum status status, const char *sentence, char out[LINE_ERROR_BYTES])
{
    int len = snprintf(out, LINE_ERROR_BYTES, "#!error %s %s", status_name(status), sentence);
    return len < LINE_ERROR_BYTES ? (size_t)len : LINE_ERROR_BYTES - 1;
}

static void finish_if_idle(struct line *line)
{
    if (line->state != LINE_FINISHED || line->order.count > 0 || line->finish_sent)
        return;
    line->finish_sent = true;
    line->sink->finish(line->sink);
}

/* An answer is one line, whatever the model wrote. */
static enum status write_answer(struct line *line, struct order_slot *slot, const char *text,
                                size_t len)
{
    enum status status = STATUS_OK;
    size_t from = 0;
    for (size_t at = 0; at < len && status == STATUS_OK; at++) {
        if (text[at] != '\n' && text[at] != '\r')
            continue;
        status = order_write(&line->order, slot, text + from, at - from);
        if (status == STATUS_OK)
            status = order_write(&line->order, slot, " ", 1);
        from = at + 1;
    }
    if (status == STATUS_OK)
        status = order_write(&line->order, slot, text + from, len - from);
    if (status == STATUS_OK)
        status = order_write(&line->order, slot, "\n", 1);
    return status;
}

static enum status line_reply(void *session, const struct reply *reply)
{
    struct line *line = session;
    struct order_slot *slot = order_find(&line->order, reply->number);
    assert(slot && !slot->done);
    enum status status = STATUS_OK;
    if (!reply->silent)
        status = write_answer(line, slot, reply->body, reply->len);
    order_done(&line->order, slot);
    finish_if_idle(line);
    return status;
}

static void format_id(const struct line *line, uint64_t number, char out[MESSAGE_ID_BYTES])
{
    snprintf(out, MESSAGE_ID_BYTES, "%.40s-%" PRIu64, line->options->name, number);
}

/* An answer of our own to the newest line. A short one: if it cannot be held, it is left out. */
static void answer(struct line *line, const char *text, size_t len)
{
    (void)!line_reply(
        line, &(struct reply){ .number = line->order.last_number, .body = text, .len = len });
}

static void refuse(struct line *line, enum status status, const char *sentence)
{
    char id[MESSAGE_ID_BYTES], text[LINE_ERROR_BYTES];
    format_id(line, line->order.last_number, id);
    line->sink->refused(line->sink, id, status == STATUS_TOO_LARGE ? 413 : 400);
    answer(line, text, line_error(status, sentence, text));
}

/* ---- lines ---- */

static void send_message(struct line *line, enum message_kind kind, struct slice body)
{
    struct message message = {
        .kind = kind,
        .number = line->order.last_number,
        .body = body,
    };
    if (line->pair[0])
        message.pair = (struct slice){ line->pair, strlen(line->pair) };
    if (line->key[0])
        message.key = (struct slice){ line->key, strlen(line->key) };
    format_id(line, message.number, message.id);
    line->sink->message(line->sink, &message);
}

/* Whether `text` is the command, with what follows it. */
static bool is_command(struct slice text, const char *command, struct slice *value)
{
    const size_t len = strlen(command);
    if (text.len <= len || memcmp(text.at, command, len) != 0)
        return false;
    *value = (struct slice){ text.at + len, text.len - len };
    return true;
}

static void take_pair(struct line *line, struct slice name)
{
    if (name.len > PAIR_BYTES_MAX || !memchr(name.at, '-', name.len) ||
        memchr(name.at, '\0', name.len)) {
        line->pair[0] = '\0';
        refuse(line, STATUS_BAD_INPUT, "A pair is written source-target: #!pair en-fr");
        return;
    }
    memcpy(line->pair, name.at, name.len);
    line->pair[name.len] = '\0';
    send_message(line, MESSAGE_PAIR, (struct slice){ "", 0 });
}

/* One that is none must not leave the one before it in its place. */
static void take_key(struct line *line, struct slice key)
{
    const bool is_key = key.len <= KEY_BYTES_MAX && !memchr(key.at, '\0', key.len);
    const size_t len = is_key ? key.len : 1;
    memcpy(line->key, is_key ? key.at : "?", len);
    line->key[len] = '\0';
    send_message(line, MESSAGE_KEY, (struct slice){ "", 0 });
}

static void take_command(struct line *line, struct slice text)
{
    struct slice value;
    if (is_command(text, "#!pair ", &value))
        take_pair(line, value);
    else if (is_command(text, "#!key ", &value))
        take_key(line, value);
    else
        refuse(line, STATUS_BAD_INPUT, "The commands are: #!pair en-fr and #!key KEY");
}

static void take_text(struct line *line, struct slice text)
{
    if (text.len == 0)
        answer(line, "", 0);
    else if (text.len >= 2 && memcmp(text.at, "#!", 2) == 0)
        take_command(line, text);
    else if (text.at[0] == '{')
        send_message(line, MESSAGE_REQUEST, text);
    else
        send_message(line, MESSAGE_LINE, text);
}

/* The line in `text` is whole. Whatever it is, it has an answer in its place. */
static void line_complete(struct line *line)
{
    bool was_discarded = line->state == LINE_DISCARDING;
    order_add(&line->order);
    line->state = line->draining ? LINE_FINISHED : LINE_TEXT;

    struct slice text = { line->text.len > 0 ? line->text.data : "", line->text.len };
    if (text.len > 0 && text.at[text.len - 1] == '\r')
        text.len--;
    if (was_discarded) {
        char sentence[96];
        snprintf(sentence, sizeof sentence, "A line has more than %zu bytes; it was left out.",
                 line->options->line_bytes);
        refuse(line, STATUS_TOO_LARGE, sentence);
    } else {
        take_text(line, text);
    }

    if (line->text.capacity > LINE_KEEP_BYTES)
        bytes_release(&line->text);
    else
        bytes_reset(&line->text);
}

static void add(struct line *line, const char *bytes, size_t len)
{
    if (line->state == LINE_TEXT && !bytes_append(&line->text, bytes, len))
        line->state = LINE_DISCARDING;
}

static size_t line_feed(void *session, const char *bytes, size_t len)
{
    struct line *line = session;
    size_t at = 0;
    while (at < len) {
        if (line->state == LINE_FINISHED)
            return len;
        if (order_is_full(&line->order) || line->sink->full)
            return at;
        const char *newline = memchr(bytes + at, '\n', len - at);
        size_t piece = newline ? (size_t)(newline - (bytes + at)) : len - at;
        add(line, bytes + at, piece);
        at += piece + (newline ? 1 : 0);
        if (newline)
            line_complete(line);
    }
    return at;
}

/* ---- time and ends ---- */

static enum phase line_phase(const void *session)
{
    const struct line *line = session;
    bool is_inside = line->state == LINE_DISCARDING || line->text.len > 0;
    return line->state != LINE_FINISHED && is_inside ? PHASE_BODY : PHASE_IDLE;
}

/* Bytes behind the last "\n" are a line too. A line is only begun when it could also be finished,
 * so there is a slot for it. */
static void line_end(void *session)
{
    struct line *line = session;
    if (line_phase(line) == PHASE_BODY)
        line_complete(line);
    line->state = LINE_FINISHED;
    finish_if_idle(line);
}

static void line_expire(void *session)
{
    struct line *line = session;
    bool was_inside = line_phase(line) == PHASE_BODY;
    line->state = LINE_FINISHED;
    if (was_inside) {
        order_add(&line->order);
        refuse(line, STATUS_CANCELLED, "The line took too long to end.");
    }
    finish_if_idle(line);
}

static void line_drain(void *session)
{
    struct line *line = session;
    line->draining = true;
    if (line_phase(line) == PHASE_IDLE && line->order.count > 0)
        line->state = LINE_FINISHED;
}

const struct protocol protocol_line = {
    .name = "line",
    .half_close = true,
    .open = line_open,
    .close = line_close,
    .feed = line_feed,
    .phase = line_phase,
    .end = line_end,
    .expire = line_expire,
    .drain = line_drain,
    .reply = line_reply,
};
