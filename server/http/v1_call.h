/*
 * v1_call.h - a request of /v1 that becomes translations, on its way.
 *
 *     static const struct v1_way way = { .read = v1_wish_read, .on_answers = write,
 *                                        .context_bytes = sizeof(struct mine), .answer = answer };
 *     status = v1_call_take(x, pair, &way, &err);
 *
 * The answer is put into words on the worker's thread: long ones, with their
 * alignments, would hold up the loop.
 */
#ifndef SERVER_HTTP_V1_CALL_H
#define SERVER_HTTP_V1_CALL_H

#include "server/engine/answer_json.h"
#include "server/http/call.h"
#include "server/http/v1_wish.h"

struct v1_call { // call->context begins with it; in the request's arena, zeroed
    struct answer_json_options options;
    struct slice body; // what on_answers has written
};

struct v1_way {
    enum status (*read)(struct v1_wish *wish, const struct service *service, const json_t *json,
                        struct slice pair, struct error *err); // v1_wish.h
    size_t context_bytes;
    enum status (*prepare)(struct call *call, struct error *err);    // NULL: nothing more
    enum status (*on_answers)(struct request *r, struct error *err); // on the worker's thread
    void (*answer)(struct call *call);                               // on the loop: done, or failed
};

/* The message's body is the request. `pair`: v1_wish.h. On failure it has yet to be answered. */
MUST_CHECK enum status v1_call_take(const struct exchange *x, struct slice pair,
                                    const struct v1_way *way, struct error *err);

#endif
