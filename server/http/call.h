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
 * It lives in its request's arena, until `answer` has returned. Texts of several
 * languages are parts of one call, each with a request of its own: call_add().
 * All are submitted, answered and freed with the first.
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
    struct call *first, *next;         // its parts; of the first one the rest of this:
    int pending;                       // parts that have not come home
    enum status status;                // the first failure of any
    struct error err;
};

MUST_CHECK struct call *call_new(const struct exchange *x, int text_count);
/* Another part. It is freed with the first. */
MUST_CHECK struct call *call_add(struct call *first, int text_count);
void call_free(struct call *call); // with all its parts; NULL is fine

/* Copies. STATUS_TOO_LARGE when the request's arena is full. */
MUST_CHECK enum status call_set_text(struct call *call, int i, const char *text, size_t len,
                                     struct error *err);
/* Texts of this pair for which something was accepted are answered with that. */
MUST_CHECK enum status call_use_suggestions(struct call *call, const char *source,
                                            const char *target, struct error *err);
/* The models are those in request->hops; a part without models answers with its texts. If no part
 * has models, `answer` is called at once. */
MUST_CHECK enum status call_submit(struct call *call, struct error *err);

#endif
