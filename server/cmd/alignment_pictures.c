/*
 * alignment_pictures.c - a few pairs chosen once, and followed by each model that comes.
 */
#include "server/cmd/alignment_pictures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/cmd/picture.h"
#include "server/engine/align.h"
#include "tokenizer/tokenizer.h"

#define PAIRS_LOOKED_AT 1000
#define PIECES_MAX 60                // of a side of a pair that is drawn
#define TEXT_BYTES ((size_t)1 << 20) // of all that are drawn
#define ARENA_BYTES ((size_t)256 << 20)
#define PATH_BYTES 4096

/* One of about so many pieces each: short ones to see, long ones to judge by. */
static const int lengths[ALIGNMENT_PICTURES] = { 8, 14, 20, 28, 36 };

/* ---- which ---- */

static bool is_taken(const int *chosen, int count, int pair)
{
    for (int i = 0; i < count; i++)
        if (chosen[i] == pair)
            return true;
    return false;
}

/* The pair nearest to a length, -1 if there is none that is not taken. */
static int nearest(const struct pairs *pairs, int length, const int *chosen, int count)
{
    int best = -1, best_distance = 0;
    for (int i = 0; i < pairs->count && i < PAIRS_LOOKED_AT; i++) {
        const struct pair *pair = &pairs->list[i];
        const int distance = abs(pair->source_len - 1 - length);
        if (pair->source_len - 1 > PIECES_MAX || pair->target_len - 1 > PIECES_MAX ||
            is_taken(chosen, count, i) || (best >= 0 && distance >= best_distance))
            continue;
        best = i;
        best_distance = distance;
    }
    return best;
}

static enum status text_of(struct alignment_pictures *p, const int32_t *ids, int len,
                           const char **text, struct error *err)
{
    struct detokenised out;
    enum status status = tokenizer_decode(p->vocabulary, ids, len - 1, &p->texts, &out, err);
    if (status == STATUS_OK)
        *text = out.text;
    return status;
}

static enum status choose(struct alignment_pictures *p, const struct pairs *pairs,
                          struct error *err)
{
    int chosen[ALIGNMENT_PICTURES];
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < ALIGNMENT_PICTURES; i++) {
        const int k = nearest(pairs, lengths[i], chosen, p->count);
        if (k < 0)
            break;
        chosen[p->count] = k;
        status = text_of(p, pairs_source(pairs, k), pairs->list[k].source_len,
                         &p->sources[p->count], err);
        if (status == STATUS_OK)
            status = text_of(p, pairs_target(pairs, k), pairs->list[k].target_len,
                             &p->targets[p->count], err);
        p->count++;
    }
    return status;
}

/* ---- life cycle ---- */

enum status alignment_pictures_init(struct alignment_pictures *p, const char *folder,
                                    const struct vocabulary *vocabulary, const struct pairs *pairs,
                                    const char *source_language, const char *target_language,
                                    struct error *err)
{
    *p = (struct alignment_pictures){ .folder = folder,
                                      .vocabulary = vocabulary,
                                      .source_language = source_language,
                                      .target_language = target_language };
    if ((mkdir(folder, 0777) != 0 && errno != EEXIST) || access(folder, W_OK | X_OK) != 0)
        return error_set(err, STATUS_IO, "no pictures can be put into %s: %s", folder,
                         strerror(errno));
    if (!arena_init(&p->texts, TEXT_BYTES))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the sentences of the pictures");
    const enum status status = choose(p, pairs, err);
    if (status != STATUS_OK)
        alignment_pictures_release(p);
    return status;
}

void alignment_pictures_release(struct alignment_pictures *p)
{
    arena_release(&p->texts);
    *p = (struct alignment_pictures){ 0 };
}

/* ---- drawing ---- */

static enum status draw_one(const struct alignment_pictures *p, int i, int64_t updates,
                            const struct engine_answer *answer, struct arena *arena,
                            struct error *err)
{
    char path[PATH_BYTES], title[64];
    snprintf(title, sizeof title, "Update %lld", (long long)updates);
    const struct picture_options options = { .source_language = p->source_language,
                                             .target_language = p->target_language,
                                             .render = { .title = title } };
    if (snprintf(path, sizeof path, "%s/sentence-%d-update-%08lld.svg", p->folder, i + 1,
                 (long long)updates) >= (int)sizeof path)
        return error_set(err, STATUS_BAD_USAGE, "the path of the pictures is too long");
    return picture_of_sentence(path, p->vocabulary, p->sources[i], &answer->sentences[0], &options,
                               arena, err);
}

static enum status follow(const struct alignment_pictures *p, struct aligner *aligner,
                          int64_t updates, struct arena *arena, struct error *err)
{
    struct engine_pair pairs[ALIGNMENT_PICTURES];
    struct engine_answer answers[ALIGNMENT_PICTURES];
    for (int i = 0; i < p->count; i++)
        pairs[i] =
            (struct engine_pair){ .source = { .text = p->sources[i], .len = strlen(p->sources[i]) },
                                  .target = { .text = p->targets[i],
                                              .len = strlen(p->targets[i]) } };
    enum status status = aligner_run(aligner, pairs, p->count, arena, answers, err);
    for (int i = 0; status == STATUS_OK && i < p->count; i++)
        status = draw_one(p, i, updates, &answers[i], arena, err);
    return status;
}

static enum status draw(const struct alignment_pictures *p, const char *model_path, int64_t updates,
                        struct error *err)
{
    const struct aligner_limits limits = { .pairs = ALIGNMENT_PICTURES, .pieces = 2 * PIECES_MAX };
    struct engine *engine = NULL;
    struct aligner *aligner = NULL;
    struct arena arena = { 0 };
    enum status status = engine_load(&engine, model_path, WEIGHT_F32, err);
    if (status == STATUS_OK)
        status = aligner_new(&aligner, engine, &limits, err);
    if (status == STATUS_OK && !arena_init(&arena, ARENA_BYTES))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for pictures");
    if (status == STATUS_OK)
        status = follow(p, aligner, updates, &arena, err);
    arena_release(&arena);
    aligner_free(aligner);
    engine_free(engine);
    return status;
}

void alignment_pictures_draw(struct alignment_pictures *p, const char *model_path, int64_t updates)
{
    struct error err;
    if (p->given_up || draw(p, model_path, updates, &err) == STATUS_OK)
        return;
    fprintf(stderr, "verso train: %s; the training goes on without pictures\n", err.text);
    p->given_up = true;
}
