/*
 * health.c - whether the server is there, and whether to send it work.
 *
 * GET /health is LibreTranslate's. /health/live is true as long as the loop
 * runs: restart what does not answer it. /health/ready is true from the first
 * answer on (models are loaded before the port is opened) until the server is
 * told to stop: then a proxy should choose another. That translations cannot
 * be stored just now is said, and is no reason to go elsewhere.
 */
#include "server/http/background.h"
#include "server/http/metrics.h"
#include "server/http/routes.h"
#include "server/store/journal.h"

void get_health(struct exchange *x)
{
    exchange_json(x, 200, json_pack("{s:s}", "status", "ok"));
}

void get_health_live(struct exchange *x)
{
    exchange_json(x, 200, json_pack("{s:s}", "status", "live"));
}

void get_health_ready(struct exchange *x)
{
    const struct service *service = x->service;
    struct journal_counts journal = { .is_storing = false };
    if (service->journal)
        journal_count(service->journal, &journal);
    exchange_json(x, service->is_stopping ? 503 : 200,
                  json_pack("{s:s, s:i, s:b}", "status",
                            service->is_stopping ? "stopping" : "ready", "models",
                            service->pairs.models->count, "storing", (int)journal.is_storing));
}

static void count_journal(struct journal *journal)
{
    struct journal_counts counts;
    journal_count(journal, &counts);
    metric_set(METRIC_JOURNAL_STORING, counts.is_storing);
    metric_set(METRIC_JOURNAL_QUEUED, counts.queued);
    metric_set(METRIC_JOURNAL_STORED, counts.stored);
    metric_set(METRIC_JOURNAL_NOT_STORED, counts.not_stored);
    metric_set(METRIC_JOURNAL_COMMITS, counts.commits);
    metric_set(METRIC_JOURNAL_BYTES, counts.bytes);
    metric_set(METRIC_JOURNAL_PRUNED, counts.pruned);
}

void get_metrics(struct exchange *x)
{
    struct error err;
    struct bytes *body = &x->service->body;
    metric_set(METRIC_WAITING, jobs_waiting_count(x->service->jobs));
    metric_set(METRIC_MODELS, x->service->pairs.models->count);
    metric_set(METRIC_BACKGROUND, background_task_count(x->service->background));
    if (x->service->journal)
        count_journal(x->service->journal);
    bytes_reset(body);
    if (metrics_write(body, &err) != STATUS_OK) {
        exchange_fail(x, &err);
        return;
    }
    exchange_body(x, 200, "text/plain; version=0.0.4; charset=utf-8",
                  (struct slice){ body->data, body->len });
}
