/*
 * detector.c - letters to ids, windows through the classifier, probabilities to an answer.
 */
#include "server/detect/detector.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/model.h"
#include "server/detect/alphabet.h"
#include "tokenizer/utf8.h"
#include "tokenizer/vocabulary.h"

#define CLASSES_MAX (DETECTOR_LANGUAGES_MAX + 1) // and DETECTOR_UNKNOWN
#define WINDOW_IDS (LETTERS_WINDOW + 1)          // and </s>

struct detector {
    struct model *model;
    struct vocabulary *vocabulary;
    json_t *list;                    // owns the labels
    const char *labels[CLASSES_MAX]; // (classes)
    int classes;
    int unknown; // the class of DETECTOR_UNKNOWN, or -1
};

/* ---- life cycle ---- */

static enum status read_labels(struct detector *d, struct error *err)
{
    const char *text = model_texts(d->model).labels;
    d->classes = model_config(d->model)->classes;
    d->unknown = -1;
    if (d->classes > CLASSES_MAX)
        return error_set(err, STATUS_BAD_FILE, "it has %d classes; the limit is %d", d->classes,
                         CLASSES_MAX);
    if (!text || json_parse(&d->list, text, strlen(text), NULL) != STATUS_OK ||
        json_array_size(d->list) != (size_t)d->classes)
        return error_set(err, STATUS_BAD_FILE, "its \"labels\" must be a JSON list of %d names",
                         d->classes);
    for (int i = 0; i < d->classes; i++) {
        d->labels[i] = json_string_value(json_array_get(d->list, (size_t)i));
        if (!d->labels[i])
            return error_set(err, STATUS_BAD_FILE, "its \"labels\" must all be texts");
        if (strcmp(d->labels[i], DETECTOR_UNKNOWN) == 0)
            d->unknown = i;
    }
    return STATUS_OK;
}

static enum status read_vocabulary(struct detector *d, struct error *err)
{
    const char *text = model_texts(d->model).vocabulary;
    enum status status = vocabulary_parse_tsv(&d->vocabulary, text, strlen(text), err);
    if (status == STATUS_OK && vocabulary_size(d->vocabulary) != model_config(d->model)->vocabulary)
        status = error_set(err, STATUS_BAD_FILE, "its vocabulary has %d pieces, its config says %d",
                           vocabulary_size(d->vocabulary), model_config(d->model)->vocabulary);
    return status;
}

enum status detector_load(struct detector **out, const char *path, struct error *err)
{
    struct error why;
    struct detector *d = memory_zeroed(1, sizeof *d);
    *out = NULL;
    if (!d)
        return error_set(err, STATUS_NO_MEMORY, "no memory to load %s", path);
    enum status status = model_load(&d->model, path, KIND_CLASSIFY, err);
    if (status == STATUS_OK) { // its message names the path already
        status = read_labels(d, &why);
        if (status == STATUS_OK)
            status = read_vocabulary(d, &why);
        if (status != STATUS_OK)
            error_set(err, status, "%s: %s", path, why.text);
    }
    if (status != STATUS_OK) {
        detector_free(d);
        return status;
    }
    *out = d;
    return STATUS_OK;
}

void detector_free(struct detector *d)
{
    if (!d)
        return;
    json_decref(d->list);
    vocabulary_free(d->vocabulary);
    model_free(d->model);
    memory_free(d);
}

int detector_language_count(const struct detector *d)
{
    return d->classes - (d->unknown >= 0);
}

const char *detector_language(const struct detector *d, int i)
{
    return d->labels[d->unknown >= 0 && i >= d->unknown ? i + 1 : i];
}

/* ---- a text as windows ---- */

struct windows {
    int count;
    int from[DETECTOR_WINDOWS_MAX], to[DETECTOR_WINDOWS_MAX]; // letters
};

static int window_count(const struct letters *letters)
{
    int count = 0;
    for (int from = 0; from < letters->count; count++)
        from = letters_window_end(letters, from) + 1;
    return count;
}

/* All windows of a text, or evenly spread ones of many. */
static struct windows choose_windows(const struct letters *letters)
{
    struct windows w = { 0 };
    const int all = window_count(letters);
    const int wanted = all < DETECTOR_WINDOWS_MAX ? all : DETECTOR_WINDOWS_MAX;
    for (int from = 0, i = 0; w.count < wanted; i++) {
        const int to = letters_window_end(letters, from);
        if (i == w.count * all / wanted) {
            w.from[w.count] = from;
            w.to[w.count++] = to;
        }
        from = to + 1;
    }
    return w;
}

/* ---- from windows to an answer ---- */

struct room {
    int32_t *ids;     // (windows, WINDOW_IDS)
    float *log_probs; // (windows, classes)
};

static struct room lay_out(const struct detector *d, struct arena *arena)
{
    return (struct room){
        .ids = arena_array(arena, int32_t, DETECTOR_WINDOWS_MAX * WINDOW_IDS),
        .log_probs = arena_array(arena, float, DETECTOR_WINDOWS_MAX *(size_t)d->classes),
    };
}

size_t detector_arena_bytes(const struct detector *d)
{
    struct arena measure = arena_measure();
    (void)lay_out(d, &measure);
    const size_t classifying =
        classifier_log_probs_bytes(model_classifier(d->model), DETECTOR_WINDOWS_MAX, WINDOW_IDS);
    return LETTERS_ARENA_BYTES + measure.used + classifying;
}

/* Probabilities of the classes: of each window by its share of the text. */
static enum status classify(const struct detector *d, const struct letters *letters,
                            struct arena *scratch, double p[CLASSES_MAX], struct error *err)
{
    const struct windows w = choose_windows(letters);
    const struct room room = lay_out(d, scratch);
    const int32_t *rows[DETECTOR_WINDOWS_MAX];
    int len[DETECTOR_WINDOWS_MAX], total = 0;
    if (!room.ids || !room.log_probs)
        return error_set(err, STATUS_NO_MEMORY, "detecting a language needs %zu bytes of scratch",
                         detector_arena_bytes(d));
    for (int i = 0; i < w.count; i++) {
        int32_t *ids = room.ids + i * WINDOW_IDS;
        len[i] = w.to[i] - w.from[i] + 1;
        total += len[i];
        alphabet_ids(d->vocabulary, letters, w.from[i], w.to[i], ids);
        ids[len[i] - 1] = ID_EOS;
        rows[i] = ids;
    }
    enum status status = classifier_log_probs(model_classifier(d->model), model_weights(d->model),
                                              rows, len, w.count, scratch, room.log_probs, err);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < w.count; i++)
        for (int c = 0; c < d->classes; c++)
            p[c] += exp((double)room.log_probs[i * d->classes + c]) * len[i] / total;
    return STATUS_OK;
}

/* Best first; equal ones in the model's order. */
static void sort_languages(const struct detector *d, const double p[CLASSES_MAX],
                           struct detection *out)
{
    for (int class = 0; class < d->classes; class ++) {
        if (class == d->unknown)
            continue;
        const struct language_confidence this = { d->labels[class], (float)p[class] };
        int at = out->count++;
        for (; at > 0 && out->languages[at - 1].confidence < this.confidence; at--)
            out->languages[at] = out->languages[at - 1];
        out->languages[at] = this;
    }
}

enum status detector_detect(const struct detector *d, const char *text, size_t len,
                            struct arena *scratch, struct detection *out, struct error *err)
{
    const struct arena_mark mark = arena_mark(scratch);
    struct letters letters;
    double p[CLASSES_MAX] = { 0 };
    struct detection found = { .language = DETECTOR_UNKNOWN };
    enum status status = utf8_check(text, len, err);
    if (status == STATUS_OK)
        status = letters_of(text, len, scratch, &letters, err);
    if (status == STATUS_OK && letters.letter_count > 0)
        status = classify(d, &letters, scratch, p, err);
    arena_rewind(scratch, mark);
    if (status != STATUS_OK)
        return status;
    sort_languages(d, p, &found);
    const struct language_confidence best = found.languages[0];
    if (best.confidence > 0 && (d->unknown < 0 || (double)best.confidence >= p[d->unknown])) {
        found.language = best.language;
        found.confidence = best.confidence;
    }
    *out = found;
    return STATUS_OK;
}
