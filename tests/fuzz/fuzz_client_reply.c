/*
 * fuzz_client_reply.c - any server's bytes: a result of libverso-client holds what it promises, or
 * there is none.
 *
 * The first byte chooses what is read, and whether the rest is JSON, events, or
 * HTTP; of HTTP and events it also chooses the size of the pieces.
 */
#include <stdint.h>
#include <stdlib.h>

#include "server/client/reply.h"
#include "server/client/results.h"
#include "server/client/stream.h"
#include "tests/server/client/follow.h"

#define BODY_BYTES_MAX 65536
#define STEPS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = { "The cat sleeps, and the other one does not." };
static const struct verso_request request = {
    .texts = texts, .text_count = 1, .source = "en", .target = "fr"
};

static void parse(unsigned kind, const char *bytes, size_t len)
{
    struct verso_error err = { .status = VERSO_OK };
    json_t *json;
    const enum verso_status status = verso_parse(&json, bytes, len, &err);
    follow_demand(status == VERSO_OK || (err.status == status && err.text[0]), "a sentence");
    if (status == VERSO_OK)
        (void)!follow_json((int)kind, json, texts, &err);
    json_decref(json);
}

static int on_token(void *context, const struct verso_streamed_token *token)
{
    (void)context;
    follow_streamed(token);
    return 0;
}

/* What the call does with bytes that are a reply, or only the events in it. */
static void receive(unsigned kind, const char *bytes, size_t len, size_t step, bool is_http)
{
    struct verso_error err = { .status = VERSO_OK };
    struct verso_translations *got = NULL;
    struct verso_stream stream;
    struct verso_reply reply;
    enum verso_status status = VERSO_OK;
    verso_stream_init(&stream, &request, on_token, NULL, BODY_BYTES_MAX, &err);
    verso_reply_init(&reply, BODY_BYTES_MAX, &stream.events);
    for (size_t at = 0; at < len && status == VERSO_OK && !reply.is_complete; at += step) {
        const size_t now = len - at < step ? len - at : step;
        status = is_http ? verso_reply_feed(&reply, bytes + at, now, &err)
                         : verso_events_feed(&stream.events, bytes + at, now);
    }
    if (status == VERSO_OK && is_http && !reply.is_complete)
        status = verso_reply_end(&reply, &err);
    if (status == VERSO_OK && reply.body.len > 0) {
        parse(kind, reply.body.data, reply.body.len);
    } else if (status == VERSO_OK) {
        status = verso_stream_end(&stream, &got);
        if (got)
            follow_translations(got, texts);
        follow_outcome(status, got, &err);
    }
    verso_reply_release(&reply);
    verso_stream_release(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const unsigned kind = data[0] % FOLLOW_KINDS, form = data[0] / FOLLOW_KINDS % 3;
    const size_t step = (size_t)1 << (data[0] / FOLLOW_KINDS / 3 % STEPS);
    const char *bytes = (const char *)data + 1;
    if (form == 0)
        parse(kind, bytes, size - 1);
    else
        receive(kind, bytes, size - 1, step, form == 2);
    return 0;
}
