/*
 * v1_call.h - a request of /v1 that becomes translations, on its way.
 *
 *     static const struct v1_way way = { .read = v1_wish_read, .on_answers = write,
 *                                        .context_bytes = sizeof(struct mine), .answer = answer };
 *     status = v1_call_take(x, pair, &way, &err);
 *
 * The answer is put into words on the worker's thread: long ones, with their
 * alignments, would hold up the loop. With "auto" the languages are detected
 * first, beside the loop, and those of each are a part of the call.
 */
#ifndef SERVER_HTTP_V1_CALL_H
#define SERVER_HTTP_V1_CALL_H

#include "server/engine/answer_json.h"
#include "server/http/call.h"
#include "server/http/v1_wish.h"

struct v1_way;

struct v1_detected { // of a text
    char language[LANGUAGE_CODE_BYTES];
    double confidence; // 0..1
};

struct v1_call { // call->context of each part begins with it; in the request's arena, zeroed
    const struct v1_way *way;
    struct answer_json_options options;
    int all_texts;                // of all parts
    int *places;                  // (text_count) of this part's texts among them
    struct v1_detected *detected; // (text_count) NULL: nothing was detected
    struct slice *written;        // (text_count) by on_answers, of each text; NULL: not yet
};

struct v1_way {
    enum status (*read)(struct v1_wish *wish, const struct service *service, const json_t *json,
                        struct slice pair, struct error *err); // v1_wish.h
    size_t context_bytes;
    bool one_part;                                                   // one language a request
    enum status (*prepare)(struct call *part, struct error *err);    // NULL: nothing more
    enum status (*on_answers)(struct request *r, struct error *err); // on the worker's thread
    void (*answer)(struct call *call); // on the loop: call->status; all is written, or it failed
};

/* The message's body is the request. `pair`: v1_wish.h. On failure it has yet to be answered. */
MUST_CHECK enum status v1_call_take(const struct exchange *x, struct slice pair,
                                    const struct v1_way *way, struct error *err);

#endif
