/* lines.c - what a line of text is answered with. */
#include "server/http/lines.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "server/http/call.h"
#include "server/http/metrics.h"
#include "tokenizer/utf8.h"

struct pair_codes {
    char source[LANGUAGE_CODE_BYTES], target[LANGUAGE_CODE_BYTES];
};

static bool copy_code(char code[LANGUAGE_CODE_BYTES], const char *text, size_t len)
{
    if (len == 0 || len >= LANGUAGE_CODE_BYTES)
        return false;
    for (size_t i = 0; i < len; i++)
        code[i] = (char)tolower((unsigned char)text[i]);
    code[len] = '\0';
    return utf8_check(code, len, NULL) == STATUS_OK;
}

static enum status read_pair(const struct pairs *pairs, struct slice pair, struct pair_codes *codes,
                             struct error *err)
{
    const char *dash = memchr(pair.at, '-', pair.len); // the protocol saw to it
    size_t source_len = (size_t)(dash - pair.at);
    if (!copy_code(codes->source, pair.at, source_len) ||
        !copy_code(codes->target, dash + 1, pair.len - source_len - 1))
        return error_set(err, STATUS_BAD_INPUT,
                         "A pair is two language codes, source-target: #!pair en-fr");
    if (!pairs_reach(pairs, codes->source, codes->target))
        return error_set(err, STATUS_NOT_FOUND,
                         "There is no model from %s to %s; choose another pair: #!pair en-fr",
                         codes->source, codes->target);
    return STATUS_OK;
}

static enum status choose_pair(const struct pairs *pairs, struct slice pair,
                               struct pair_codes *codes, struct error *err)
{
    const char *source, *target;
    if (pair.at)
        return read_pair(pairs, pair, codes, err);
    if (!pairs_only(pairs, &source, &target))
        return error_set(err, STATUS_BAD_INPUT,
                         "There are several models: choose a pair first, as in #!pair en-fr");
    snprintf(codes->source, sizeof codes->source, "%s", source);
    snprintf(codes->target, sizeof codes->target, "%s", target);
    return STATUS_OK;
}

void lines_choose_pair(struct exchange *x)
{
    struct error err;
    struct pair_codes codes;
    if (choose_pair(&x->service->pairs, x->message->pair, &codes, &err) == STATUS_OK)
        exchange_line_silent(x);
    else
        exchange_line_fail(x, &err);
}

static enum status check_text(const struct service_limits *limits, struct slice text,
                              struct error *err)
{
    enum status status = utf8_check(text.at, text.len, err);
    if (status != STATUS_OK)
        return status;
    size_t characters = utf8_length(text.at, text.len);
    if (characters <= (size_t)limits->characters)
        return STATUS_OK;
    metric_limit(LIMIT_CHARACTERS);
    return error_set(err, STATUS_TOO_LARGE, "The line has %zu characters, the limit is %d.",
                     characters, limits->characters);
}

/* Plain text, but what could be taken for an error or for JSON is sent as JSON. */
static void write_text(struct exchange *x, const char *text, size_t len)
{
    bool is_ambiguous = len > 0 && (text[0] == '{' || (len > 1 && memcmp(text, "#!", 2) == 0));
    if (!is_ambiguous) {
        exchange_line(x, 200, text, len);
        return;
    }
    struct bytes *body = &x->service->body;
    json_t *reply = json_pack("{s:[{s:o}]}", "translations", "text", json_stringn(text, len));
    bytes_reset(body);
    if (reply && json_write(body, reply))
        exchange_line(x, 200, body->data, body->len);
    else
        exchange_line_fail(x, &(struct error){ .status = STATUS_NO_MEMORY,
                                               .text = "There is no memory for the answer." });
    json_decref(reply);
}

static void write_answer(struct call *call)
{
    const struct request *r = call->request;
    if (r->status == STATUS_OK)
        write_text(&call->x, r->answers[0].text, r->answers[0].len);
    else
        exchange_line_fail(&call->x, &r->err);
}

static enum status start(struct exchange *x, const struct pair_codes *codes, struct error *err)
{
    struct slice text = x->message->body;
    struct call *call = call_new(x, 1);
    if (!call)
        return error_set(err, STATUS_NO_MEMORY, "There is no memory for the line.");
    call->answer = write_answer;
    call->request->hop_count =
        pairs_find(&x->service->pairs, codes->source, codes->target, call->request->hops);
    enum status status = call_set_text(call, 0, text.at, text.len, err);
    if (status == STATUS_OK)
        status = call_use_suggestions(call, codes->source, codes->target, err);
    if (status == STATUS_OK)
        status = call_submit(call, err);
    if (status != STATUS_OK)
        call_free(call);
    return status;
}

void lines_translate(struct exchange *x)
{
    struct error err;
    struct pair_codes codes;
    struct slice text = x->message->body;
    enum status status = check_text(&x->service->limits, text, &err);
    if (status == STATUS_OK)
        status = choose_pair(&x->service->pairs, x->message->pair, &codes, &err);
    if (status == STATUS_OK && strcmp(codes.source, codes.target) == 0)
        write_text(x, text.at, text.len);
    else if (status == STATUS_OK)
        status = start(x, &codes, &err);
    if (status != STATUS_OK)
        exchange_line_fail(x, &err);
}
