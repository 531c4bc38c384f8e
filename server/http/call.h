/*
 * call.h - an exchange that waits for the workers.
 *
 *     struct call *call = call_new(x, text_count);          // NULL: no memory
 *     call_set_text(call, i, text, len) ...
 *     call->answer = write_answer;
 *     status = call_submit(call, &err);                     // then write_answer(call) comes, or,
 *                                                           // when the client leaves, never
 *     call_free(call);                                      // only if it was not submitted
 *
 * It lives in its request's arena, until `answer` has returned.
 */
#ifndef SERVER_HTTP_CALL_H
#define SERVER_HTTP_CALL_H

#include "server/http/exchange.h"
#include "server/jobs/request.h"

struct call {
    struct exchange x; // answer this one
    struct request *request;
    void (*answer)(struct call *call); // request->status says what came of it
    void *context;                     // of whoever made it, in the request's arena
    bool is_list;                      // the answer is a list, as the request was
    bool wants_alternatives;
};

MUST_CHECK struct call *call_new(const struct exchange *x, int text_count);
void call_free(struct call *call); // NULL is fine

/* Copies. STATUS_TOO_LARGE when the request's arena is full. */
MUST_CHECK enum status call_set_text(struct call *call, int i, const char *text, size_t len,
                                     struct error *err);
/* The models are those in request->hops. */
MUST_CHECK enum status call_submit(struct call *call, struct error *err);

#endif
