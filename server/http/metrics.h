/*
 * metrics.h - what the server counts, for GET /metrics.
 *
 *     metric_add(METRIC_CONNECTIONS, 1);                    // a count, or a level that goes both ways
 *     metric_limit(LIMIT_QUEUE);                            // somebody met this limit
 *     metric_observe(STAGE_DECODE, clock_now_ns() - from);  // how long a stage took
 *     metric_request("POST", "/translate", 200, ns);        // loop thread only
 *     status = metrics_write(&out);                         // all of it as Prometheus reads it
 *
 * The lists below are the only ones: a row makes the number, its name and its
 * help. Numbers belong to the process, are atomic and never locked: any thread
 * may call any of these but metric_request and metrics_write, which are the
 * loop's. Labels are constants of the program: no text, key or address of a
 * user can get into one.
 */
#ifndef SERVER_HTTP_METRICS_H
#define SERVER_HTTP_METRICS_H

#include <stdint.h>
#include "base/bytes.h"

/* X(NAME, kind, "name", "help"); what ends in _total only grows. */
#define METRIC_LIST(X)                                                                             \
    X(CONNECTIONS, gauge, "verso_connections", "Connections that are open.")                       \
    X(ACCEPTED, counter, "verso_connections_accepted_total", "Connections that were accepted.")    \
    X(RECEIVED_BYTES, counter, "verso_received_bytes_total", "Bytes read from clients.")           \
    X(SENT_BYTES, counter, "verso_sent_bytes_total", "Bytes given to the kernel for clients.")     \
    X(WAITING, gauge, "verso_queue_waiting", "Requests that wait for a worker.")                   \
    X(RUNNING, gauge, "verso_requests_running", "Requests that workers have in flight.")           \
    X(CANCELLED, counter, "verso_requests_cancelled_total",                                        \
      "Requests that were given up: the client left, or they were late.")                          \
    X(SENTENCES, counter, "verso_sentences_total", "Sentences that models translated.")            \
    X(SOURCE_PIECES, counter, "verso_source_pieces_total", "Pieces of those sentences.")           \
    X(TARGET_PIECES, counter, "verso_target_pieces_total", "Pieces of their best translations.")   \
    X(MODELS, gauge, "verso_models", "Models that are live.")                                      \
    X(RELOADS, counter, "verso_model_reloads_total", "Times models were loaded anew.")             \
    X(RELOADS_FAILED, counter, "verso_model_reload_failures_total",                                \
      "Times a file could not be loaded and the model before it stayed.")                          \
    X(BACKGROUND, gauge, "verso_background_running", "Reads and drawings beside the loop.")        \
    X(JOURNAL_STORING, gauge, "verso_journal_storing",                                             \
      "1 when translations are stored; 0 when they cannot be, or shall not.")                      \
    X(JOURNAL_QUEUED, gauge, "verso_journal_queued", "Translations that wait to be stored.")       \
    X(JOURNAL_STORED, counter, "verso_journal_stored_total", "Translations that were stored.")     \
    X(JOURNAL_NOT_STORED, counter, "verso_journal_not_stored_total",                               \
      "Translations that were answered but could not be stored.")                                  \
    X(JOURNAL_COMMITS, counter, "verso_journal_commits_total", "Transactions, one sync each.")     \
    X(JOURNAL_BYTES, counter, "verso_journal_bytes_total", "Bytes of the rows that were stored.")  \
    X(JOURNAL_PRUNED, counter, "verso_journal_pruned_total",                                       \
      "Translations that were deleted because they were too old, or too many.")

/* Each is named as the option of "verso serve" that sets it. */
#define LIMIT_LIST(X)                                                                              \
    X(CONNECTIONS, "connections")                                                                  \
    X(IN_FLIGHT, "in-flight")                                                                      \
    X(QUEUE, "queue")                                                                              \
    X(DEADLINE, "deadline")                                                                        \
    X(HEAD_BYTES, "head-bytes")                                                                    \
    X(REQUEST_BYTES, "request-bytes")                                                              \
    X(LINE_BYTES, "line-bytes")                                                                    \
    X(CHARACTERS, "characters")                                                                    \
    X(BATCH_ITEMS, "batch-items")                                                                  \
    X(SENTENCES, "sentences")                                                                      \
    X(PIECES, "pieces")                                                                            \
    X(BEAM, "beam")                                                                                \
    X(ALTERNATIVES, "alternatives")                                                                \
    X(RATE, "rate")                                                                                \
    X(HEADER_TIME, "header-time")                                                                  \
    X(BODY_TIME, "body-time")                                                                      \
    X(IDLE_TIME, "idle-time")                                                                      \
    X(SEND_TIME, "send-time")                                                                      \
    X(DRAIN_TIME, "drain-time")

/* The stages of a request, in its order. */
#define STAGE_LIST(X)                                                                              \
    X(PARSE, "parse")         /* the message is whole -> checked and in the queue */               \
    X(QUEUE, "queue")         /* -> a worker takes it */                                           \
    X(DOCUMENTS, "documents") /* mark-up and placeholders taken out; and once more: put back */    \
    X(TOKENISE, "tokenise")   /* sentences, normalisation, pieces */                               \
    X(DECODE, "decode")       /* encoder, attention and search, beside others */                   \
    X(DETOKENISE, "detokenise")                                                                    \
    X(JOURNAL, "journal") /* into the journal's queue */                                           \
    X(WRITE, "write")     /* the reply is in the outbox -> the kernel has it */

enum metric {
#define X(name, kind, text, help) METRIC_##name,
    METRIC_LIST(X)
#undef X
};

enum limit {
#define X(name, text) LIMIT_##name,
    LIMIT_LIST(X)
#undef X
};

enum stage {
#define X(name, text) STAGE_##name,
    STAGE_LIST(X)
#undef X
};

void metric_add(enum metric metric, int64_t n);
void metric_set(enum metric metric, int64_t value); // what is counted elsewhere
void metric_limit(enum limit limit);
void metric_observe(enum stage stage, int64_t ns);

/* An answer. method and route are the route's own: they are kept. */
void metric_request(const char *method, const char *route, int status, int64_t ns);

int64_t metric_value(enum metric metric);
int64_t metric_limit_count(enum limit limit);

/* Appends the whole text, the memory and processor time of the process with it. */
MUST_CHECK enum status metrics_write(struct bytes *out, struct error *err);

#endif
