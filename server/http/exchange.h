/*
 * exchange.h - one message of a client, until it has its answer.
 *
 *     static void get_health(struct exchange *x)
 *     {
 *         exchange_json(x, 200, json_pack("{s:s}", "status", "ok"));
 *     }
 *
 * A resource that cannot answer at once copies the exchange into memory of its
 * own, calls exchange_wait() on the copy and answers that later. Each answer is
 * one line in the log, without the client's text.
 */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include "base/json.h"
#include "server/http/caller.h"
#include "server/http/service.h"

#define METHOD_BYTES 24 // longer ones are not known to llhttp
#define PATH_VALUES_MAX 2
#define PATH_VALUE_BYTES 128

struct exchange;

/* A path, a method and who answers. */
struct route {
    const char *method;
    const char *path; // "{name}" in it stands for a value, without "/"
    void (*answer)(struct exchange *x);
    bool cross_origin; // pages of other servers may read the answer
    enum scope scope;  // that the caller must have
};

struct exchange {
    struct service *service;
    const struct route *route;     // NULL: the path is not known
    const struct message *message; // borrowed until the handler returns
    struct client *client;
    struct caller caller;
    uint64_t number;
    char id[MESSAGE_ID_BYTES];
    char values[PATH_VALUES_MAX][PATH_VALUE_BYTES]; // decoded, in the order of the route's path
    bool is_v1;                                     // errors are problems (http_error.h)
    char method[METHOD_BYTES];                      // as the client wrote it, for the log
    int64_t started_ns;                             // clock_now_ns()
    bool waits;
    int begun_code;       // of an answer in parts; 0: it has not begun
    struct ticket ticket; // in use while it waits
    void (*on_gone)(struct exchange *x);
};

/* For a copy of the exchange that lives until the answer. on_gone: it need not be answered. */
void exchange_wait(struct exchange *x, void (*on_gone)(struct exchange *x));

/* One that waited and whose client is still there waits no more: it can be answered at once or wait
 * again, as or in another copy. */
void exchange_resume(struct exchange *x);

/* Takes the value over; NULL (no memory) is answered as 503, more than REPLY_BYTES_MAX as 413. */
void exchange_json(struct exchange *x, int code, json_t *value);
/* A body that is ready. */
void exchange_body(struct exchange *x, int code, const char *type, struct slice body);
/* headers: lines ended by CRLF, here and below. */
void exchange_body_with(struct exchange *x, int code, const char *type, const char *headers,
                        struct slice body);
/* One that waits, in parts: its beginning, more, and with is_last the end. */
void exchange_begin(struct exchange *x, int code, const char *type, const char *headers);
void exchange_part(struct exchange *x, struct slice bytes, bool is_last);
/* {"error":"..."}, or on /v1 a problem of RFC 9457 whose detail is the text. */
void exchange_error(struct exchange *x, int code, const char *text);
int exchange_code(enum status status); // by the table in exchange.c
/* As the table in exchange.c says; STATUS_BUSY with Retry-After. */
void exchange_fail(struct exchange *x, const struct error *err);
/* Without a body. */
void exchange_empty(struct exchange *x, const char *headers);
void exchange_error_with(struct exchange *x, int code, const char *headers, const char *text);

/* Whether the request says that its body is JSON; if not, that is answered. */
MUST_CHECK bool exchange_takes_json(struct exchange *x);

/* Lines: one line of text; code is for the log. */
void exchange_line(struct exchange *x, int code, const char *text, size_t len);
void exchange_line_fail(struct exchange *x, const struct error *err);
void exchange_line_silent(struct exchange *x);

#endif
