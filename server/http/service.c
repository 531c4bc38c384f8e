/* service.c - what clients can ask of this server, in HTTP or in lines. */
#include "server/http/service.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/http/access.h"
#include "server/http/exchange.h"
#include "server/http/lines.h"
#include "server/http/routes.h"
#include "server/protocol/http_error.h"

#define FIRST_BODY_BYTES 4096 // enough for any error text, taken at start

static const struct route line_routes[] = {
    [MESSAGE_LINE] = { "LINE", "sentence", lines_translate, .scope = SCOPE_TRANSLATE },
    [MESSAGE_REQUEST] = { "LINE", "request", lines_request, .scope = SCOPE_TRANSLATE },
    [MESSAGE_PAIR] = { "LINE", "pair", lines_choose_pair, .scope = SCOPE_NONE },
    [MESSAGE_KEY] = { "LINE", "key", access_identify, .scope = SCOPE_NONE },
};

static void on_message(struct handler *handler, struct client *client,
                       const struct message *message)
{
    struct service *service = (struct service *)handler;
    service_refresh(service);
    struct exchange x = {
        .service = service,
        .message = message,
        .client = client,
        .number = message->number,
        .started_ns = clock_now_ns(),
    };
    snprintf(x.id, sizeof x.id, "%s", message->id);
    if (message->kind == MESSAGE_HTTP) {
        snprintf(x.method, sizeof x.method, "%.*s", (int)message->method.len, message->method.at);
        x.is_v1 = http_error_is_problem(message->path);
        routes_answer(&x);
    } else {
        x.route = &line_routes[message->kind];
        snprintf(x.method, sizeof x.method, "%s", x.route->method);
        if (access_admits(&x))
            x.route->answer(&x);
    }
}

enum status service_new(struct service **out, const struct service_parts *parts,
                        const struct service_limits *limits, struct error *err)
{
    *out = NULL;
    struct service *service = memory_zeroed(1, sizeof *service);
    if (!service)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the service");
    service->handler.message = on_message;
    service->jobs = parts->jobs;
    service->journal = parts->journal;
    service->background = parts->background;
    service->access = parts->access;
    service->suggested = parts->suggested;
    service->detector = parts->detector;
    service->limits = *limits;
    bytes_init(&service->body, REPLY_BYTES_MAX);
    enum status status = pairs_init(&service->pairs, parts->registry, err);
    if (status == STATUS_OK && !bytes_reserve(&service->body, FIRST_BODY_BYTES))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the service");
    if (status != STATUS_OK) {
        service_free(service);
        return status;
    }
    *out = service;
    return STATUS_OK;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    pairs_release(&service->pairs);
    bytes_release(&service->body);
    memory_free(service);
}

struct handler *service_handler(struct service *service)
{
    return &service->handler;
}

void service_refresh(struct service *service)
{
    struct error err;
    if (pairs_refresh(&service->pairs, &err) != STATUS_OK)
        log_event(LOG_ERROR, "models_not_used", "reason", LOG_TEXT(err.text), NULL);
}

void service_stopping(struct service *service)
{
    service->is_stopping = true;
}
