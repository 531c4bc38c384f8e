/*
 * v1_links.c - GET /v1/links: which words were made of which, how often.
 *
 *     ?source=bank     {"links":[{"source":"bank","target":"banque","source_language":"en",
 *                                 "target_language":"fr","count":3,"example_ids":["a1-01J..."]}]}
 *
 * The example is the last translation with the link, unless that was deleted.
 */
#include "server/http/routes.h"
#include "server/http/v1_stored.h"

#define LINKS_LIMIT 20

struct links_wish {
    struct v1_stored common;
    struct links_query query;
};

static enum status read_wish(struct task *task, const json_t *query, struct error *err)
{
    struct links_query *q = &((struct links_wish *)task->owner)->query;
    q->limit = LINKS_LIMIT;
    enum status status = v1_stored_int(query, "limit", 1, LINKS_LIST_MAX, &q->limit, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "source", &q->source, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "target", &q->target, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "source_language", &q->source_language, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "target_language", &q->target_language, err);
    if (status == STATUS_OK && !q->source && !q->target)
        status = error_set(err, STATUS_BAD_INPUT,
                           "source or target must be a word: that whose links are asked for");
    return status;
}

static json_t *link_to_json(const struct stored_link *link, const char *tag)
{
    char id[JOURNAL_ID_BYTES];
    json_t *ids = json_array();
    if (link->last_id) {
        journal_id_write(id, tag, link->last_id);
        json_array_append_new(ids, json_string(id));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:o}", "source", link->source, "target", link->target,
                     "source_language", link->source_language, "target_language",
                     link->target_language, "count", (json_int_t)link->count, "example_ids", ids);
}

static json_t *links_to_json(const struct stored_link *found, int count, const char *tag)
{
    json_t *list = json_array();
    bool ok = list;
    for (int i = 0; ok && i < count; i++)
        ok = json_array_append_new(list, link_to_json(&found[i], tag)) == 0;
    json_t *whole = ok ? json_pack("{s:O}", "links", list) : NULL;
    json_decref(list);
    return whole;
}

static enum status write_links(struct task *task, struct error *err)
{
    const struct links_wish *wish = task->owner;
    struct stored_link *found;
    char tag[JOURNAL_TAG_BYTES];
    struct db *db;
    int count;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = v1_stored_tag(task, tag, err);
    if (status == STATUS_OK)
        status =
            links_list(db, &wish->query, task->x.caller.rows, &task->arena, &found, &count, err);
    if (status == STATUS_OK)
        status = v1_stored_write(task, links_to_json(found, count, tag), err);
    return status;
}

void get_v1_links(struct exchange *x)
{
    static const char *const names[] = { "source",          "target", "source_language",
                                         "target_language", "limit",  NULL };
    static const struct v1_stored_way way = { .names = names,
                                              .wish_bytes = sizeof(struct links_wish),
                                              .read = read_wish,
                                              .work = write_links };
    v1_stored_take(x, &way);
}
