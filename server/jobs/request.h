/*
 * request.h - texts to translate, on their way through queue and workers and back.
 *
 *     struct request *r = jobs_request_new(jobs);           // jobs.h
 *     r->texts = arena_array(&r->arena, struct engine_text, n) ...
 *     r->hops[0] = live model, r->hop_count = 1, r->on_done = on_done, r->owner = me
 *     status = jobs_submit(jobs, r, &err);
 *     ... on_done(r): r->status, r->answers ...
 *     jobs_request_free(jobs, r);
 *
 * Everything in it lives in its arena. A pair without a model of its own goes
 * through two: hops[0] to English, hops[1] from it.
 */
#ifndef SERVER_JOBS_REQUEST_H
#define SERVER_JOBS_REQUEST_H

#include <stdatomic.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "server/documents/document.h"
#include "server/engine/engine.h"
#include "server/protocol/protocol.h"
#include "server/registry/registry.h"
#include "server/store/journal_id.h"
#include "server/store/suggestions.h"

/* Texts, what becomes of them in the engine, answers and what its owner keeps there; what is not
 * touched costs nothing. */
#define REQUEST_ARENA_BYTES ((size_t)64 << 20)
#define HOPS_MAX 2
#define POSTED_BYTES_MAX ((size_t)1 << 20) // of a request, waiting for the loop

enum request_state { REQUEST_NEW, REQUEST_WAITING, REQUEST_RUNNING, REQUEST_DONE };

struct request {
    struct arena arena;

    /* what is asked: filled in before it is submitted */
    struct live_model *hops[HOPS_MAX]; // references, released with the request
    int hop_count;
    struct engine_text
        *texts; // (text_count) valid UTF-8; `cancelled` is filled in here; at the end
                // what the last hop translated
    const struct engine_text *given; // (text_count) their translations, to be aligned; NULL: none
    int text_count;
    enum document_format format; // of each text
    /* NULL, or (text_count) for each text what was accepted for it (text NULL: nothing): that is its
     * answer, and the model is not asked. */
    struct suggested_text *suggested;
    const struct glossary *glossary; // NULL: none; ready, in this arena or for longer
    int n_best;                      // 1, or 1 + alternatives wanted
    int beam;                        // 0: the server's
    int time_ms;      // until it is late, if that is sooner than with the server's; 0: the server's
    bool store;       // in the journal, if there is one; true unless the request says no
    bool durable;     // it comes home when it is on the disk, or fails
    long long key_id; // whose request it is; 0: somebody's without a key
    /* NULL, or what the worker's thread does with the answers before they come home. */
    enum status (*on_answers)(struct request *request, struct error *err);
    struct engine_listener *listener; // NULL, or hears on the worker's thread of the last hop
    /* What was posted (jobs.h), on the loop thread, before on_done. */
    void (*on_posted)(struct request *request, struct slice bytes);
    void (*on_done)(struct request *request); // on the loop thread, exactly once
    void *owner;

    /* what came of it: read it in on_done */
    enum status status;
    struct error err;
    struct engine_answer *answers; // (text_count) when STATUS_OK, of the last hop
    char (*ids)[JOURNAL_ID_BYTES]; // (text_count) of the texts in the journal; NULL: not stored
    bool not_stored;               // although it should be: the journal cannot write

    /* the queue's and the workers' */
    enum request_state state; // guarded by the queue's lock, as are the next three
    struct bytes posted;      // and not yet brought home
    bool is_posted;
    struct request *next_posted;
    int hop;
    struct document *documents;     // (text_count) of this hop
    const struct engine_text *sent; // (text_count) what the first hop was given
    int beam_used;
    int64_t begun_ns;      // clock_now_ns() when a worker took it first
    atomic_int holders;    // who must let go of it before it is given back: worker, journal
    enum status stored;    // what the journal says, if it is a holder
    atomic_bool cancelled; // set on the loop thread, read in the decoder
    int64_t deadline_ms;   // clock_now_ms()
    int64_t queued_ns;     // clock_now_ns() when it joined the queue, for this hop
    bool is_late;
    struct request *next, *previous;               // in the queue, or among the done
    struct request *next_active, *previous_active; // loop thread only
};

struct live_model *request_model(const struct request *r); // of the hop it waits for
int request_n_best(const struct request *r);               // of that hop
/* Each text answers itself. */
MUST_CHECK enum status request_echo(struct request *r, struct error *err);

#endif
