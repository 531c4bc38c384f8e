/* exchange.c - one message of a client, until it has its answer. */
#include "server/http/exchange.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/metrics.h"
#include "server/http/parameters.h"
#include "server/protocol/http_error.h"
#include "server/protocol/http_reply.h"
#include "server/protocol/line.h"

#define HEADERS_BYTES 1024
#define JSON_TYPE "application/json"

static const int codes[] = {
    [STATUS_OK] = 200,        [STATUS_NO_MEMORY] = 503, [STATUS_BAD_USAGE] = 500,
    [STATUS_BAD_INPUT] = 400, [STATUS_TOO_LARGE] = 413, [STATUS_NOT_FOUND] = 404,
    [STATUS_BUSY] = 503,      [STATUS_CANCELLED] = 504, [STATUS_BAD_FILE] = 500,
    [STATUS_IO] = 500,        [STATUS_DIVERGED] = 500,  [STATUS_DENIED] = 403,
};

static void on_ticket_gone(struct ticket *ticket)
{
    struct exchange *x = (struct exchange *)((char *)ticket - offsetof(struct exchange, ticket));
    x->on_gone(x);
}

void exchange_wait(struct exchange *x, void (*on_gone)(struct exchange *x))
{
    x->waits = true;
    x->message = NULL;
    x->on_gone = on_gone;
    client_wait(x->client, &x->ticket, x->number, on_ticket_gone);
}

void exchange_resume(struct exchange *x)
{
    client_resume(&x->ticket);
    x->waits = false;
}

/* One line in the log and a number in the metrics, without what the client wrote. */
static void record(const struct exchange *x, int code)
{
    const int64_t ns = clock_now_ns() - x->started_ns;
    const char *path = x->route ? x->route->path : "-";
    log_event(LOG_INFO, "request", "id", LOG_TEXT(x->id), "method", LOG_TEXT(x->method), "path",
              LOG_TEXT(path), "status", LOG_NUMBER(code), "ms",
              LOG_NUMBER((double)(ns / 1000) / 1e3), NULL);
    metric_request(x->route ? x->route->method : "-", path, code, ns);
}

static void answer(struct exchange *x, struct reply *reply)
{
    if (x->waits && !x->ticket.client)
        return; // the client has gone
    record(x, reply->code);
    reply->number = x->number;
    if (x->waits)
        client_answer(&x->ticket, reply);
    else
        x->client->reply(x->client, reply);
}

/* ---- HTTP ---- */

static const char *all_headers(const struct exchange *x, const char *headers,
                               char out[HEADERS_BYTES])
{
    bool cross_origin = x->route && x->route->cross_origin;
    snprintf(out, HEADERS_BYTES, "%s%s", cross_origin ? "Access-Control-Allow-Origin: *\r\n" : "",
             headers);
    return out;
}

static void answer_body(struct exchange *x, int code, const char *type, const char *headers,
                        struct slice body)
{
    char all[HEADERS_BYTES];
    answer(x, &(struct reply){ .code = code,
                               .content_type = type,
                               .headers = all_headers(x, headers, all),
                               .body = body.at,
                               .len = body.len });
}

static void answer_too_large(struct exchange *x)
{
    struct error err;
    error_set(&err, STATUS_TOO_LARGE, "the answer has more than %d bytes: send the text in parts",
              REPLY_BYTES_MAX);
    exchange_fail(x, &err);
}

/* Written beforehand: an error's own text would need memory as well. */
static void answer_without_memory(struct exchange *x)
{
    static const char error[] = "{\"error\":\"there is no memory for the answer\"}";
    static const char problem[] =
        "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
        "\"detail\":\"there is no memory for the answer\"}";
    const char *text = x->is_v1 ? problem : error;
    answer_body(x, 503, http_error_type(x->is_v1), HTTP_RETRY_LATER,
                (struct slice){ text, strlen(text) });
}

static void answer_json(struct exchange *x, int code, const char *type, const char *headers,
                        json_t *value)
{
    struct bytes *body = &x->service->body;
    bytes_reset(body);
    const bool is_written = value && json_write(body, value);
    json_decref(value);
    if (is_written)
        answer_body(x, code, type, headers, (struct slice){ body->data, body->len });
    else if (body->failed && !body->out_of_memory)
        answer_too_large(x);
    else
        answer_without_memory(x);
}

void exchange_json(struct exchange *x, int code, json_t *value)
{
    answer_json(x, code, JSON_TYPE, "", value);
}

void exchange_body(struct exchange *x, int code, const char *type, struct slice body)
{
    answer_body(x, code, type, "", body);
}

void exchange_body_with(struct exchange *x, int code, const char *type, const char *headers,
                        struct slice body)
{
    answer_body(x, code, type, headers, body);
}

void exchange_begin(struct exchange *x, int code, const char *type, const char *headers)
{
    char all[HEADERS_BYTES];
    x->begun_code = code;
    client_begin(&x->ticket, &(struct reply){ .code = code,
                                              .content_type = type,
                                              .headers = all_headers(x, headers, all),
                                              .in_parts = true });
}

void exchange_part(struct exchange *x, struct slice bytes, bool is_last)
{
    if (is_last && x->ticket.client)
        record(x, x->begun_code);
    client_part(&x->ticket, bytes, is_last);
}

int exchange_code(enum status status)
{
    return codes[status];
}

void exchange_error_with(struct exchange *x, int code, const char *headers, const char *text)
{
    answer_json(x, code, http_error_type(x->is_v1), headers, http_error(x->is_v1, code, text));
}

void exchange_error(struct exchange *x, int code, const char *text)
{
    exchange_error_with(x, code, "", text);
}

void exchange_fail(struct exchange *x, const struct error *err)
{
    const int code = codes[err->status];
    exchange_error_with(x, code, code == 503 ? HTTP_RETRY_LATER : "", err->text);
}

void exchange_empty(struct exchange *x, const char *headers)
{
    answer(x, &(struct reply){ .code = 204, .headers = headers, .body = "" });
}

bool exchange_takes_json(struct exchange *x)
{
    if (parameters_are_json(x->message))
        return true;
    exchange_error(x, 415, "the body must be a JSON object: send it as application/json");
    return false;
}

/* ---- lines ---- */

void exchange_line(struct exchange *x, int code, const char *text, size_t len)
{
    answer(x, &(struct reply){ .code = code, .body = text, .len = len });
}

void exchange_line_fail(struct exchange *x, const struct error *err)
{
    char text[LINE_ERROR_BYTES];
    size_t len = line_error(err->status, err->text, text);
    exchange_line(x, codes[err->status], text, len);
}

void exchange_line_silent(struct exchange *x)
{
    answer(x, &(struct reply){ .code = 204, .body = "", .silent = true });
}
