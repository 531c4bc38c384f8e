/*
 * answer_json.c - an answer as JSON, token by token.
 */
#include "server/engine/answer_json.h"

#include "server/engine/token_json.h"
#include "server/engine/word_links.h"

struct writer {
    const struct vocabulary *vocabulary;
    const char *text;
    const struct answer_json_options *options;
    struct arena *arena;
    json_t *warnings;
    bool is_full; // something could not be allocated
};

/* ---- values ---- */

static void append(struct writer *w, json_t *list, json_t *value)
{
    if (!token_json_append(list, value))
        w->is_full = true;
}

static void set(struct writer *w, json_t *object, const char *key, json_t *value)
{
    if (!token_json_set(object, key, value))
        w->is_full = true;
}

/* ---- a sentence ---- */

static enum status align(const struct writer *w, const struct engine_sentence *sentence,
                         int hypothesis, struct word_alignment *out, struct error *err)
{
    return w->options->pieces
               ? piece_alignment(w->vocabulary, sentence, hypothesis, w->arena, out, err)
               : word_alignment(w->vocabulary, sentence, hypothesis, w->arena, out, err);
}

static json_t *tokens_to_json(struct writer *w, const struct engine_sentence *sentence,
                              const struct word_alignment *words)
{
    json_t *list = json_array();
    for (int t = 0; t < words->T; t++)
        append(w, list,
               token_json_target(sentence->texts[0].text, sentence->target.from, words, t));
    return list;
}

static json_t *source_tokens_to_json(struct writer *w, const struct word_alignment *words)
{
    json_t *list = json_array();
    for (int s = 0; s < words->S; s++)
        append(w, list, token_json_source(w->text, words, s));
    return list;
}

static json_t *alignment_to_json(struct writer *w, const struct word_alignment *words)
{
    json_t *rows = json_array();
    for (int t = 0; t < words->T; t++)
        append(w, rows, token_json_row(words, t));
    return rows;
}

static enum status add_other(struct writer *w, const struct engine_sentence *sentence, int k,
                             json_t *list, struct error *err)
{
    struct word_alignment words;
    enum status status = STATUS_OK;
    json_t *other = json_object();
    set(w, other, "text", json_stringn(sentence->texts[k].text, sentence->texts[k].len));
    set(w, other, "score", token_json_number(sentence->translation.best[k].score));
    if (w->options->alignment)
        status = align(w, sentence, k, &words, err);
    if (w->options->alignment && status == STATUS_OK)
        set(w, other, "alignment", alignment_to_json(w, &words));
    append(w, list, other);
    return status;
}

/* All hypotheses but the best. */
static enum status add_others(struct writer *w, const struct engine_sentence *sentence,
                              json_t *object, struct error *err)
{
    enum status status = STATUS_OK;
    json_t *list = json_array();
    for (int k = 1; status == STATUS_OK && k < sentence->translation.count; k++) {
        const struct arena_mark mark = arena_mark(w->arena);
        status = add_other(w, sentence, k, list, err);
        arena_rewind(w->arena, mark);
    }
    set(w, object, "n_best", list);
    return status;
}

static void add_warnings(struct writer *w, const struct engine_sentence *sentence,
                         const struct word_alignment *words)
{
    for (int i = 0; i < words->warning_count; i++) {
        const struct word_warning *warning = &words->warnings[i];
        const bool is_of_source = word_warning_is_of_source(warning->kind);
        json_t *object = json_object();
        set(w, object, "kind", json_string(word_warning_name(warning->kind)));
        set(w, object, is_of_source ? "source" : "target",
            token_json_span(warning->span, is_of_source ? 0 : sentence->target.from));
        append(w, w->warnings, object);
    }
}

static enum status add_sentence(struct writer *w, const struct engine_sentence *sentence,
                                json_t *list, struct error *err)
{
    const struct arena_mark mark = arena_mark(w->arena);
    struct word_alignment words;
    enum status status = align(w, sentence, 0, &words, err);
    if (status != STATUS_OK)
        return status;
    json_t *object = json_object();
    set(w, object, "source", token_json_span(sentence->source, 0));
    set(w, object, "target", token_json_span(sentence->target, 0));
    set(w, object, "score", token_json_number(sentence->translation.best[0].score));
    set(w, object, "tokens", tokens_to_json(w, sentence, &words));
    set(w, object, "source_tokens", source_tokens_to_json(w, &words));
    if (w->options->alignment)
        set(w, object, "alignment", alignment_to_json(w, &words));
    add_warnings(w, sentence, &words);
    arena_rewind(w->arena, mark);
    if (sentence->translation.count > 1)
        status = add_others(w, sentence, object, err);
    append(w, list, object);
    return status;
}

static json_t *alternatives_to_json(struct writer *w, const struct engine_answer *answer)
{
    json_t *list = json_array();
    for (int i = 0; i < answer->alternative_count; i++) {
        json_t *object = json_object();
        set(w, object, "text", json_string(answer->alternatives[i]));
        set(w, object, "score", token_json_number(answer->alternative_scores[i]));
        append(w, list, object);
    }
    return list;
}

enum status answer_to_json(json_t **root, const struct vocabulary *vocabulary, const char *text,
                           const struct engine_answer *answer,
                           const struct answer_json_options *options, struct arena *arena,
                           struct error *err)
{
    struct writer w = { .vocabulary = vocabulary,
                        .text = text,
                        .options = options,
                        .arena = arena,
                        .warnings = json_array() };
    json_t *object = json_object(), *sentences = json_array();
    enum status status = STATUS_OK;
    *root = NULL;
    set(&w, object, "text", json_stringn(answer->text, answer->len));
    set(&w, object, "score", token_json_number(answer->score));
    for (int i = 0; status == STATUS_OK && !w.is_full && i < answer->sentence_count; i++)
        status = add_sentence(&w, &answer->sentences[i], sentences, err);
    set(&w, object, "sentences", sentences);
    if (answer->alternative_count > 0)
        set(&w, object, "alternatives", alternatives_to_json(&w, answer));
    set(&w, object, "warnings", w.warnings);
    if (status == STATUS_OK && w.is_full)
        status = error_set(err, STATUS_NO_MEMORY, "there is no memory for the answer as JSON");
    if (status == STATUS_OK)
        *root = object;
    else
        json_decref(object);
    return status;
}
