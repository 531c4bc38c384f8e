/*
 * desk.h - a tiny model that translates, and a database to store that in.
 *
 *     struct desk desk;
 *     desk_open(&desk);
 *     struct journal_entry entry = desk_translate(&desk, "the ant", 1);
 *     ...
 *     desk_close(&desk);
 *
 * What it says lives until desk_close or desk_forget.
 */
#ifndef TESTS_SERVER_STORE_DESK_H
#define TESTS_SERVER_STORE_DESK_H

#include "server/store/journal_read.h"
#include "tests/server/live.h"
#include "tests/server/store/database.h"

#define DESK_ARENA_BYTES ((size_t)256 << 20)

struct desk {
    struct live live;
    struct live_model *model;
    struct engine_worker *worker;
    struct arena answers, scratch;
    char path[128]; // of the database
};

static inline void desk_open(struct desk *desk)
{
    struct error err;
    const struct engine_limits limits = {
        .sentences = 8, .beam = 5, .pieces = 64, .text_sentences = 200
    };
    live_open(&desk->live, (const char *const[]){ "en-fr", "fr-en", NULL });
    desk->model = live_find(desk->live.registry, "en", "fr");
    ck_assert_ptr_nonnull(desk->model);
    assert_ok(engine_worker_new(&desk->worker, live_model_engine(desk->model), &limits, &err), err);
    ck_assert(arena_init(&desk->answers, DESK_ARENA_BYTES));
    ck_assert(arena_init(&desk->scratch, DESK_ARENA_BYTES));
    snprintf(desk->path, sizeof desk->path, "%s/verso.db", desk->live.folder);
}

static inline void desk_close(struct desk *desk)
{
    engine_worker_free(desk->worker);
    live_model_release(desk->model);
    arena_release(&desk->answers);
    arena_release(&desk->scratch);
    live_close(&desk->live);
}

static inline void desk_forget(struct desk *desk)
{
    arena_reset(&desk->answers);
}

static inline struct journal_entry desk_translate(struct desk *desk, const char *text, int n_best)
{
    struct error err;
    struct engine_text *given = arena_array(&desk->answers, struct engine_text, 1);
    struct engine_answer *answer = arena_array(&desk->answers, struct engine_answer, 1);
    struct search_options options = search_options_default();
    options.n_best = n_best;
    *given = (struct engine_text){ .text = text, .len = strlen(text) };
    assert_ok(engine_translate(desk->worker, given, 1, &options, &desk->answers, answer, &err),
              err);
    return (struct journal_entry){
        .model_id = live_model_id(desk->model),
        .vocabulary = engine_vocabulary(live_model_engine(desk->model)),
        .source_language = "en",
        .target_language = "fr",
        .source = { text, strlen(text) },
        .target = { answer->text, answer->len },
        .texts = given,
        .answers = answer,
        .count = 1,
        .beam = options.beam,
        .took_us = 1234,
    };
}

static inline struct journal_limits desk_limits(void)
{
    return (struct journal_limits){ .replica = "a1",
                                    .keep_text = true,
                                    .queue_rows = JOURNAL_QUEUE_ROWS,
                                    .queue_bytes = JOURNAL_QUEUE_BYTES };
}

/* Its number in the database. */
static inline long long desk_add(struct desk *desk, struct journal *journal,
                                 const struct journal_entry *entry)
{
    struct error err;
    long long id;
    char text[1][JOURNAL_ID_BYTES];
    assert_ok(journal_add(journal, entry, 1, &desk->scratch, text, NULL, &err), err);
    ck_assert(journal_id_read(text[0], &id));
    return id;
}

#endif
