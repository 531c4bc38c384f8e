/*
 * detect_data.c - lines to letters, letters to labelled sequences and what is made of them.
 */
#include "server/cmd/detect_data.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "base/rng.h"
#include "model/train/classification.h"
#include "server/cmd/progress.h"
#include "server/detect/alphabet.h"
#include "tokenizer/utf8.h"

#define FRAGMENT_WORDS_MAX 4
#define LABEL_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
#define SHUFFLED_MIN 8 // letters: fewer, in another order, may well be a word

/* ---- which files ---- */

int detect_label_find(const struct detect_labels *labels, const char *name)
{
    for (int i = 0; i < labels->count; i++)
        if (strcmp(labels->names[i], name) == 0)
            return i;
    return -1;
}

static enum status find_or_add_label(struct detect_labels *labels, const char *name, size_t len,
                                     bool adds, int *label, struct error *err)
{
    char text[DETECT_LABEL_BYTES];
    if (len < 2 || len >= sizeof text || strspn(name, LABEL_CHARACTERS) < len)
        return error_set(err, STATUS_BAD_USAGE,
                         "\"%.*s\" must be a language code such as en or fr, with = and a file "
                         "behind it",
                         len > 40 ? 40 : (int)len, name);
    memcpy(text, name, len);
    text[len] = '\0';
    *label = detect_label_find(labels, text);
    if (*label >= 0)
        return STATUS_OK;
    if (!adds)
        return error_set(err, STATUS_BAD_USAGE,
                         "%s has validation sentences but none to train with: add --train %s=FILE",
                         text, text);
    if (labels->count == DETECT_LABELS_MAX)
        return error_set(err, STATUS_BAD_USAGE, "there are more than %d languages",
                         DETECT_LABELS_MAX);
    *label = labels->count++;
    memcpy(labels->names[*label], text, sizeof text);
    return STATUS_OK;
}

/* "FILE:2" */
static enum status read_path(struct detect_file *file, const char *text, struct error *err)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long column = 1;
    size_t len = strlen(text);
    if (colon && isdigit((unsigned char)colon[1])) {
        column = strtol(colon + 1, &end, 10);
        if (*end == '\0')
            len = (size_t)(colon - text);
        else
            column = 1;
    }
    if (column < 1 || column > 100)
        return error_set(err, STATUS_BAD_USAGE, "%s: the column must be 1 to 100", text);
    if (len == 0 || len >= sizeof file->path)
        return error_set(err, STATUS_BAD_USAGE, "%s: a file name was expected behind =", text);
    memcpy(file->path, text, len);
    file->path[len] = '\0';
    file->column = (int)column;
    return STATUS_OK;
}

enum status detect_files_from_options(struct detect_files *files, const struct options *o,
                                      const char *name, struct detect_labels *labels, bool adds,
                                      struct error *err)
{
    int count;
    const char *const *given = options_list(o, name, &count);
    enum status status = count > 0 ? STATUS_OK : options_need(o, err, name, NULL);
    files->count = 0;
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        struct detect_file *file = &files->list[files->count++];
        const char *equals = strchr(given[i], '=');
        if (!equals)
            return error_set(err, STATUS_BAD_USAGE,
                             "--%s %s: it must be LANGUAGE=FILE, such as en=sentences.txt", name,
                             given[i]);
        status = find_or_add_label(labels, given[i], (size_t)(equals - given[i]), adds,
                                   &file->label, err);
        if (status == STATUS_OK)
            status = read_path(file, equals + 1, err);
    }
    return status;
}

/* ---- their lines ---- */

/* What is done with a line; letters are the line's. */
struct line_user {
    enum status (*use)(struct line_user *user, const struct detect_file *file,
                       const struct letters *letters, struct error *err);
    long bad_lines;
    struct progress progress;
};

/* Column `column` of a line; false: it has fewer. */
static bool find_column(const struct line *line, int column, const char **text, size_t *len)
{
    const char *at = line->text, *end = line->text + line->len;
    for (; column > 1; column--) {
        at = memchr(at, '\t', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    const char *tab = memchr(at, '\t', (size_t)(end - at));
    *text = at;
    *len = (size_t)((tab ? tab : end) - at);
    return true;
}

static enum status use_line(struct line_user *user, const struct detect_file *file,
                            const struct line *line, struct arena *arena, struct error *err)
{
    const char *text;
    size_t len;
    struct letters letters;
    if (!find_column(line, file->column, &text, &len) || utf8_check(text, len, NULL) != STATUS_OK) {
        user->bad_lines++;
        return STATUS_OK;
    }
    arena_reset(arena);
    enum status status = letters_of(text, len, arena, &letters, err);
    if (status == STATUS_OK && letters.letter_count > 0)
        status = user->use(user, file, &letters, err);
    return status;
}

static enum status use_file(struct line_user *user, const struct detect_file *file, int64_t most,
                            struct arena *arena, struct error *err)
{
    struct line_reader *in;
    struct line line;
    enum status status = line_reader_open(&in, file->path, err);
    for (int64_t i = 0; status == STATUS_OK && i < most; i++) {
        status = line_reader_next(in, &line, err);
        if (status == STATUS_TOO_LARGE) {
            user->bad_lines++;
            status = STATUS_OK;
            continue;
        }
        if (status != STATUS_OK || !line.text)
            break;
        status = use_line(user, file, &line, arena, err);
        progress_show(&user->progress, line_reader_progress(in), "%s", file->path);
    }
    line_reader_close(in);
    return status;
}

/* Each file up to its share of its language's sentences. */
static enum status use_files(struct line_user *user, const struct detect_files *files,
                             int64_t sentences, const char *what, struct error *err)
{
    struct arena arena;
    enum status status = STATUS_OK;
    if (!arena_init(&arena, LETTERS_ARENA_BYTES))
        return error_set(err, STATUS_NO_MEMORY, "no memory to read sentences");
    user->progress = progress_start(stderr, what);
    for (int i = 0; status == STATUS_OK && i < files->count; i++) {
        int64_t sharing = 0;
        for (int k = 0; k < files->count; k++)
            sharing += files->list[k].label == files->list[i].label;
        status = use_file(user, &files->list[i], (sentences + sharing - 1) / sharing, &arena, err);
    }
    progress_end(&user->progress);
    arena_release(&arena);
    return status;
}

/* ---- the alphabet ---- */

struct alphabet_user {
    struct line_user user; // first
    struct alphabet_learner *learner;
    int unknown; // label that is no language, or -1
};

static enum status count_letters(struct line_user *user, const struct detect_file *file,
                                 const struct letters *letters, struct error *err)
{
    struct alphabet_user *this = (struct alphabet_user *)(void *)user;
    (void)err;
    if (file->label != this->unknown)
        alphabet_learner_add(this->learner, letters, file->label);
    return STATUS_OK;
}

enum status detect_files_alphabet(const struct detect_files *files,
                                  const struct detect_labels *labels, int64_t sentences,
                                  struct vocabulary **out, struct error *err)
{
    struct alphabet_user this = { .user = { .use = count_letters },
                                  .unknown = detect_label_find(labels, DETECTOR_UNKNOWN) };
    *out = NULL;
    enum status status = alphabet_learner_new(&this.learner, labels->count, err);
    if (status == STATUS_OK)
        status = use_files(&this.user, files, sentences, "counting letters", err);
    if (status == STATUS_OK)
        status = alphabet_learner_finish(this.learner, out, err);
    alphabet_learner_free(this.learner);
    return status;
}

/* ---- sequences ---- */

struct data_user {
    struct line_user user; // first
    struct detect_data *data;
    const struct vocabulary *vocabulary;
    const struct detect_data_options *options;
    struct rng rng;
};

static enum status add_sequence(struct data_user *this, const int32_t *ids, int len, int label,
                                struct error *err)
{
    this->data->counts[label]++;
    return classification_add(&this->data->set, ids, len, label, err);
}

/* How often something happens that happens `mean` times on average. */
static int draw_count(struct rng *rng, double mean)
{
    const int whole = (int)mean;
    return whole + (rng_uniform(rng) < mean - whole);
}

/* One to FRAGMENT_WORDS_MAX words out of a window. */
static enum status add_fragment(struct data_user *this, const int32_t *ids, int len, int label,
                                struct error *err)
{
    int starts[LETTERS_WINDOW + 1], words = 0;
    starts[words++] = 0;
    for (int i = 1; i < len; i++)
        if (ids[i - 1] == ALPHABET_SPACE)
            starts[words++] = i;
    const int most = words < FRAGMENT_WORDS_MAX ? words : FRAGMENT_WORDS_MAX;
    const int count = 1 + (int)rng_below(&this->rng, (uint64_t)most);
    const int first = (int)rng_below(&this->rng, (uint64_t)(words - count) + 1);
    const int from = starts[first];
    const int to = first + count < words ? starts[first + count] - 1 : len;
    return to > from ? add_sequence(this, ids + from, to - from, label, err) : STATUS_OK;
}

static int32_t random_letter(struct data_user *this)
{
    const int letters = vocabulary_size(this->vocabulary) - ALPHABET_SPACE - 1;
    return ALPHABET_SPACE + 1 + (int32_t)rng_below(&this->rng, (uint64_t)letters);
}

/* Every letter for another one, the same one throughout. */
static void exchange_letters(struct data_user *this, int32_t *ids, int len)
{
    for (int i = 0; i < len; i++) {
        const int32_t old = ids[i];
        if (old < 0 || old == ALPHABET_SPACE)
            continue;
        const int32_t new = random_letter(this);
        for (int k = i; k < len; k++)
            if (ids[k] == old)
                ids[k] = -new; // done; letters have positive ids
    }
    for (int i = 0; i < len; i++)
        ids[i] = ids[i] < 0 ? -ids[i] : ids[i];
}

static void shuffle_letters(struct data_user *this, int32_t *ids, int len)
{
    for (int i = len - 1; i > 0; i--) {
        const int k = (int)rng_below(&this->rng, (uint64_t)i + 1);
        if (ids[i] == ALPHABET_SPACE || ids[k] == ALPHABET_SPACE)
            continue;
        const int32_t kept = ids[i];
        ids[i] = ids[k];
        ids[k] = kept;
    }
}

/* Each letter with the given probability: for one drawn by lot, or for one that is not known. */
static void replace_letters(struct data_user *this, int32_t *ids, int len, double p, bool unknown)
{
    for (int i = 0; i < len; i++)
        if (ids[i] != ALPHABET_SPACE && rng_uniform(&this->rng) < p)
            ids[i] = unknown ? ID_UNK : random_letter(this);
}

static enum status add_noise(struct data_user *this, const int32_t *ids, int len, struct error *err)
{
    int32_t noise[LETTERS_WINDOW];
    memcpy(noise, ids, (size_t)len * sizeof *ids);
    const double most = 0.5 + 0.5 * rng_uniform(&this->rng); // half of the letters to all
    switch (len < SHUFFLED_MIN ? 0 : rng_below(&this->rng, 4)) {
    case 1:
        exchange_letters(this, noise, len);
        break;
    case 2:
        shuffle_letters(this, noise, len);
        break;
    case 3:
        replace_letters(this, noise, len, most, false);
        break;
    default:
        replace_letters(this, noise, len, most, true);
    }
    return add_sequence(this, noise, len, this->options->noise_label, err);
}

static enum status add_window(struct data_user *this, const int32_t *ids, int len, int label,
                              struct error *err)
{
    enum status status = add_sequence(this, ids, len, label, err);
    const int fragments = draw_count(&this->rng, this->options->fragments);
    for (int i = 0; status == STATUS_OK && i < fragments; i++)
        status = add_fragment(this, ids, len, label, err);
    const int noises = draw_count(&this->rng, this->options->noise);
    for (int i = 0; status == STATUS_OK && i < noises; i++)
        status = add_noise(this, ids, len, err);
    return status;
}

static enum status add_letters(struct line_user *user, const struct detect_file *file,
                               const struct letters *letters, struct error *err)
{
    struct data_user *this = (struct data_user *)(void *)user;
    int32_t ids[LETTERS_WINDOW];
    enum status status = STATUS_OK;
    for (int from = 0, to; status == STATUS_OK && from < letters->count; from = to + 1) {
        to = letters_window_end(letters, from);
        alphabet_ids(this->vocabulary, letters, from, to, ids);
        status = add_window(this, ids, to - from, file->label, err);
    }
    return status;
}

enum status detect_data_read(struct detect_data *data, const struct detect_files *files,
                             const struct vocabulary *vocabulary,
                             const struct detect_data_options *options, struct error *err)
{
    struct data_user this = { .user = { .use = add_letters },
                              .data = data,
                              .vocabulary = vocabulary,
                              .options = options,
                              .rng = rng_make(options->seed, 0) };
    *data = (struct detect_data){ 0 };
    enum status status = use_files(&this.user, files, options->sentences, options->what, err);
    data->bad_lines = this.user.bad_lines;
    if (status == STATUS_OK && data->set.count == 0)
        status = error_set(err, STATUS_BAD_INPUT,
                           "the %s files have no sentence with letters (%ld bad lines)",
                           options->what, data->bad_lines);
    return status;
}

void detect_data_release(struct detect_data *data)
{
    pairs_release(&data->set);
}
