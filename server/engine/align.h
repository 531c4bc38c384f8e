/*
 * align.h - given translations: how probable a model finds them, and what it aligns them to.
 *
 *     struct aligner *aligner;
 *     status = aligner_new(&aligner, engine, &limits, &err);                 // one a thread
 *     status = aligner_run(aligner, pairs, count, &arena, out, &err);
 *     aligner_free(aligner);
 *
 * The model follows the given target (forced decoding). The answer is that of
 * engine_translate had the search found it, so all that explains translations
 * explains these.
 */
#ifndef SERVER_ENGINE_ALIGN_H
#define SERVER_ENGINE_ALIGN_H

#include "server/engine/engine.h"

struct aligner_limits {
    int pairs;  // in flight at once
    int pieces; // a source; a target may have LENGTH_RATIO_MAX times as many
};

struct aligner;

MUST_CHECK enum status aligner_new(struct aligner **out, const struct engine *engine,
                                   const struct aligner_limits *limits, struct error *err);
void aligner_free(struct aligner *aligner); // NULL is fine

/* out[i] for pairs[i]: one sentence with one hypothesis, the target as it was given; its score is
 * the log-probability. A text of either side is one sentence whatever is in it. A pair over the
 * limits (STATUS_TOO_LARGE) or not valid UTF-8 fails the call. */
MUST_CHECK enum status aligner_run(struct aligner *aligner, const struct engine_pair *pairs,
                                   int count, struct arena *arena, struct engine_answer *out,
                                   struct error *err);

/* Private to server/engine: a pair as a search, and the answer but for what that will say; then all of
 * it. */
MUST_CHECK enum status align_prepare(const struct vocabulary *vocabulary,
                                     const struct engine_pair *pair, struct arena *arena,
                                     struct source *source, struct engine_answer *answer,
                                     struct error *err);
struct search_options align_options(void);
void align_explain(const struct translation *found, struct engine_answer *answer);

#endif
