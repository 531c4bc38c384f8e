/*
 * engine.h - text in, text + spans + alignment out: tokenizer and model wired together.
 *
 *     struct engine *engine;
 *     status = engine_load(&engine, "en-fr.safetensors", WEIGHT_F32, &err);       // or engine_new
 *     struct engine_worker *worker;
 *     status = engine_worker_new(&worker, engine, &limits, &err);     // one a thread
 *     status = engine_translate(worker, texts, count, &options, &arena, out, &err);
 *
 * or, for texts that come while others are on their way:
 *
 *     struct engine_task *task;
 *     status = engine_begin(worker, texts, count, &options, &arena, &task, &err);
 *     while (!engine_task_is_done(task))
 *         engine_step(worker);                 // every task's sentences a piece further
 *     status = engine_finish(worker, task, out, &err);
 *
 * No socket and no SQL. An engine never changes: share it. A worker is one
 * thread's. A text may be a document: it is split into sentences, an over-long
 * sentence at a clause (and said so), and the white space between them comes
 * back byte for byte.
 */
#ifndef SERVER_ENGINE_ENGINE_H
#define SERVER_ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/status.h"
#include "model/search/translator.h"
#include "tokenizer/tokenizer.h"

struct engine;
struct engine_worker;

/* The vocabulary is read from the model file; matrices are packed as `type`. */
MUST_CHECK enum status engine_load(struct engine **out, const char *path, enum weight_type type,
                                   struct error *err);
/* Takes over the model (also on failure); the vocabulary is borrowed and must outlive it. */
MUST_CHECK enum status engine_new(struct engine **out, struct model *model,
                                  const struct vocabulary *vocabulary, struct error *err);
void engine_free(struct engine *engine); // NULL is fine
/* Models of the same vocabulary that translate together with the first, and a language model whose
 * log-probability counts `weight` times. Before the first worker. */
MUST_CHECK enum status engine_add_model(struct engine *engine, const char *path,
                                        enum weight_type type, struct error *err);
MUST_CHECK enum status engine_add_lm(struct engine *engine, const char *path, enum weight_type type,
                                     float weight, struct error *err);
/* How much of the model's shortlist sentences keep to: so many pieces of each source piece's row,
 * or SHORTLIST_WHOLE; 0, and until this is called, it is the whole vocabulary. Before the first
 * worker; without effect where the model has no shortlist. */
void engine_limit_shortlist(struct engine *engine, int per_piece);

const struct model *engine_model(const struct engine *engine);
const struct ensemble *engine_ensemble(const struct engine *engine);
const struct vocabulary *engine_vocabulary(const struct engine *engine);
int engine_shortlist(const struct engine *engine); // pieces of a row; 0: the whole vocabulary
/* From the model's card: language codes "en", "fr" and a name "en-fr"; "" if the card has none. */
const char *engine_source(const struct engine *engine);
const char *engine_target(const struct engine *engine);
const char *engine_name(const struct engine *engine);

#define ENGINE_TEXT_BYTES_MAX (1 << 28) // a longer text is STATUS_TOO_LARGE

struct engine_limits {
    int sentences;      // in flight at once in a worker: 64
    int beam;           // largest a request may ask for
    int pieces;         // a sentence; longer ones are split at a clause: 256
    int text_sentences; // all texts of a call; more is STATUS_TOO_LARGE
};

MUST_CHECK enum status engine_worker_new(struct engine_worker **out, const struct engine *engine,
                                         const struct engine_limits *limits, struct error *err);
void engine_worker_free(struct engine_worker *worker); // NULL is fine

struct engine_phrase {
    struct span source; // bytes of the text it stands for
    const char *target; // what the translation of that sentence must contain
    size_t len;
};

struct engine_text {
    const char *text; // need not be NUL-terminated
    size_t len;
    const atomic_bool *cancelled;        // NULL, or checked at each decoder step
    const struct engine_phrase *phrases; // (phrase_count) by source.from; a sentence has those that
    int phrase_count; // begin in it, PHRASES_MAX of them at most, each of PHRASE_PIECES_MAX pieces
                      // at most; what is over that is not asked for
};

struct engine_sentence {
    struct span source;   // bytes of the request's text
    struct span target;   // bytes of the answer's text
    struct tokens tokens; // source pieces, spans in the request's text without the space before
    struct translation translation; // all hypotheses, ids of pieces
    struct detokenised *texts;      // (translation.count) each hypothesis' text and spans
    bool split;                     // part of a sentence over the piece limit
    bool truncated;                 // the length limit ended the best hypothesis
    int *phrases;                   // (phrase_count) of the text's, those that were asked for
    struct span *phrase_places; // (translation.count, phrase_count) where each of `texts` has each,
                                // with the space in front; empty: nowhere
    int phrase_count;
};

struct engine_answer {
    const char *text; // the whole text in the target language, NUL-terminated; NULL when
                      // it was cancelled
    size_t len;
    float score; // sum over the sentences of what their best was ranked by
    struct engine_sentence *sentences;
    int sentence_count;
    int alternative_count; // n_best joined: the k-th alternative joins the k-th (or last) of each
    char **alternatives;   // without the best itself; equal ones left out
    float *alternative_scores; // sums as score
};

/* Sentences of all texts go through the model together, out[i] answers texts[i]. What has no
 * letters (digits, emoji, spaces) comes back unchanged, without sentences. One text that is not
 * valid UTF-8 or over a limit fails the call (utf8_check tells beforehand); a cancelled one does
 * not. STATUS_NO_MEMORY: the arena is full. */
MUST_CHECK enum status engine_translate(struct engine_worker *worker,
                                        const struct engine_text *texts, int count,
                                        const struct search_options *options, struct arena *arena,
                                        struct engine_answer *out, struct error *err);

/* The texts of one call on their way: what engine_translate is made of. Sentences of all tasks of a
 * worker are let in one of each in turn, so that a short text does not wait for a long one, and an
 * answer does not depend on that. Everything of a task lives in its arena, which must not be used
 * for anything else, as must its texts not change, until it is done; a full arena is the failure of
 * this task alone. A cancelled text takes no part from the next step on. */
struct engine_task;

/* On failure there is no task. */
MUST_CHECK enum status engine_begin(struct engine_worker *worker, const struct engine_text *texts,
                                    int count, const struct search_options *options,
                                    struct arena *arena, struct engine_task **out,
                                    struct error *err);
/* Texts whose translations are given, each one sentence: how probable they are, and what they are
 * aligned to (align.h). A pair over the limits is STATUS_TOO_LARGE, when it is finished. */
struct engine_pair {
    struct engine_text source, target; // what cancels the source cancels the pair
};
MUST_CHECK enum status engine_begin_pairs(struct engine_worker *worker,
                                          const struct engine_pair *pairs, int count,
                                          struct arena *arena, struct engine_task **out,
                                          struct error *err);
/* Lets in what there is room for, then a decoder step of all that are in flight. */
void engine_step(struct engine_worker *worker);
bool engine_task_is_done(const struct engine_task *task);

/* Hears from engine_step what of a task's translations is certain, whatever is found yet: of each
 * text one sentence after the other, in their order. */
struct engine_listener {
    /* so_far has one hypothesis, with its text, but no target; it lives as long as the call. It grows
     * from call to call until it is_whole: then the next call is of the next sentence, which begins
     * at byte `next` of the text; of the last one that is the text's end. */
    void (*on_sentence)(struct engine_listener *listener, int text,
                        const struct engine_sentence *so_far, uint32_t next, bool is_whole);
};

/* Before the task's first step. The listener must live until the task is done. */
void engine_listen(struct engine_worker *worker, struct engine_task *task,
                   struct engine_listener *listener);
/* As engine_translate says, once, when the task is done; an answer that nobody wants any more need not
 * be asked for. */
MUST_CHECK enum status engine_finish(struct engine_worker *worker, struct engine_task *task,
                                     struct engine_answer *out, struct error *err);

#endif
