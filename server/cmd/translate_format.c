/*
 * translate_format.c - answers as lines: plain, n-best, pharaoh, matrix, JSON.
 */
#include "server/cmd/translate_format.h"

#include <string.h>

#include "base/json.h"
#include "server/engine/answer_json.h"
#include "server/engine/word_links.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define NUMBER_WIDTH 6 // "  0.98"

/* ---- white-space separated words of a text, counted as one goes ---- */

struct word_counter {
    const char *text;
    size_t len, at;
    int words;   // begun before `at`
    bool inside; // the character before `at` belongs to one
};

/* The number of the word that has byte `offset`; offsets must not fall. */
static int word_at(struct word_counter *c, size_t offset)
{
    int bytes;
    for (; c->at <= offset && c->at < c->len; c->at += (size_t)bytes) {
        bool is_space = character_is_space(utf8_next(c->text + c->at, c->len - c->at, &bytes));
        if (!is_space && !c->inside)
            c->words++;
        c->inside = !is_space;
    }
    return c->words - 1;
}

/* ---- forms ---- */

static bool append_line(struct bytes *out, const char *text, size_t len)
{
    size_t from = out->len;
    if (!bytes_append(out, text, len))
        return false;
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\n')
            out->data[i] = ' ';
    return true;
}

static void append_n_best(struct bytes *out, long number, const struct engine_answer *answer)
{
    for (int k = -1; k < answer->alternative_count; k++) {
        const char *text = k < 0 ? answer->text : answer->alternatives[k];
        float score = k < 0 ? answer->score : answer->alternative_scores[k];
        bytes_printf(out, "%ld ||| ", number);
        append_line(out, text, strlen(text));
        bytes_printf(out, " ||| %.4f\n", (double)score);
    }
}

static bool is_line_begun(const struct bytes *out)
{
    return out->len > 0 && !strchr("\n\t", out->data[out->len - 1]);
}

/* "0-0 1-2" for one sentence; neighbours that white space does not separate are one word. */
static enum status append_pairs(struct bytes *out, const struct engine_sentence *sentence,
                                const struct word_alignment *words, struct word_counter *source,
                                struct word_counter *target, struct arena *arena, struct error *err)
{
    int *numbers = arena_array(arena, int, words->S + 1);
    int last_from = -1, last_to = -1;
    if (!numbers)
        return error_set(err, STATUS_NO_MEMORY, "the line is too long for its alignment");
    for (int s = 0; s < words->S; s++)
        numbers[s] = word_at(source, words->source[s].from);
    for (int t = 0; t < words->T; t++) {
        int to = word_at(target, sentence->target.from + words->target[t].from);
        int from = words->links[t] < 0 ? -1 : numbers[words->links[t]];
        if (from < 0 || (from == last_from && to == last_to))
            continue;
        bytes_printf(out, "%s%d-%d", is_line_begun(out) ? " " : "", from, to);
        last_from = from;
        last_to = to;
    }
    return STATUS_OK;
}

static size_t characters(const char *text, struct span span)
{
    return utf8_length(text + span.from, span.to - span.from);
}

static void append_padding(struct bytes *out, size_t have, size_t wanted)
{
    for (; have < wanted; have++)
        bytes_append_char(out, ' ');
}

static void append_cell(struct bytes *out, const char *text, size_t len, size_t width)
{
    append_padding(out, utf8_length(text, len), width);
    bytes_append(out, text, len);
}

/* A row a target word, a column a source word and one for the sentence's end. */
static void append_matrix(struct bytes *out, const char *text,
                          const struct engine_sentence *sentence,
                          const struct word_alignment *words)
{
    const char *answer = sentence->texts[0].text;
    size_t label = 0;
    for (int t = 0; t < words->T; t++)
        if (characters(answer, words->target[t]) > label)
            label = characters(answer, words->target[t]);

    append_padding(out, 0, label);
    for (int s = 0; s < words->S; s++) {
        struct span w = words->source[s];
        bytes_append_char(out, ' ');
        append_cell(out, text + w.from, w.to - w.from, NUMBER_WIDTH);
    }
    append_cell(out, " </s>", 5, NUMBER_WIDTH + 1);
    bytes_append_char(out, '\n');
    for (int t = 0; t < words->T; t++) {
        struct span w = words->target[t];
        append_line(out, answer + w.from, w.to - w.from);
        append_padding(out, characters(answer, w), label);
        for (int s = 0; s <= words->S; s++) {
            size_t column = s < words->S ? characters(text, words->source[s]) : 0;
            int width = (int)(column > NUMBER_WIDTH ? column : NUMBER_WIDTH);
            bytes_printf(out, " %*.2f", width, (double)words->weights[t * (words->S + 1) + s]);
        }
        bytes_append_char(out, '\n');
    }
    bytes_append_char(out, '\n');
}

static enum status append_alignments(struct bytes *out, enum answer_form form,
                                     const struct vocabulary *vocabulary, const char *text,
                                     size_t len, const struct engine_answer *answer,
                                     struct arena *arena, struct error *err)
{
    struct word_counter source = { .text = text, .len = len };
    struct word_counter target = { .text = answer->text, .len = answer->len };
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < answer->sentence_count; i++) {
        struct word_alignment words;
        const struct engine_sentence *sentence = &answer->sentences[i];
        status = word_alignment(vocabulary, sentence, 0, arena, &words, err);
        if (status != STATUS_OK)
            break;
        if (form == ANSWER_MATRIX)
            append_matrix(out, text, sentence, &words);
        else
            status = append_pairs(out, sentence, &words, &source, &target, arena, err);
    }
    return status;
}

/* One line: the number of the line first, then all of `object`, which it takes. */
static void append_object(struct bytes *out, long number, json_t *object)
{
    json_t *line = json_pack("{s:I}", "line", (json_int_t)number);
    if (line && json_object_update(line, object) == 0)
        json_write(out, line);
    else
        out->failed = out->out_of_memory = true;
    bytes_append_char(out, '\n');
    json_decref(object);
    json_decref(line);
}

static enum status append_json(struct bytes *out, bool with_alignment, long number,
                               const struct vocabulary *vocabulary, const char *text,
                               const struct engine_answer *answer, struct arena *arena,
                               struct error *err)
{
    const struct answer_json_options options = { .alignment = with_alignment };
    json_t *object;
    enum status status = answer_to_json(&object, vocabulary, text, answer, &options, arena, err);
    if (status == STATUS_OK)
        append_object(out, number, object);
    return status;
}

static enum status append_text_forms(struct bytes *out, enum answer_form form, long number,
                                     const struct vocabulary *vocabulary, const char *text,
                                     size_t len, const struct engine_answer *answer,
                                     struct arena *arena, struct error *err)
{
    enum status status = STATUS_OK;
    if (form == ANSWER_N_BEST)
        append_n_best(out, number, answer);
    else
        append_line(out, answer->text, answer->len);
    if (form == ANSWER_PHARAOH)
        bytes_append_text(out, " |||");
    if (form == ANSWER_PLAIN || form == ANSWER_MATRIX)
        bytes_append_char(out, '\n');
    if (form == ANSWER_PHARAOH || form == ANSWER_MATRIX)
        status = append_alignments(out, form, vocabulary, text, len, answer, arena, err);
    if (form == ANSWER_PHARAOH)
        bytes_append_char(out, '\n');
    return status;
}

enum status translate_format(struct bytes *out, enum answer_form form, long number,
                             const struct vocabulary *vocabulary, const char *text, size_t len,
                             const struct engine_answer *answer, struct arena *arena,
                             struct error *err)
{
    const bool is_json = form == ANSWER_JSON || form == ANSWER_JSON_MATRIX;
    enum status status =
        is_json ? append_json(out, form == ANSWER_JSON_MATRIX, number, vocabulary, text, answer,
                              arena, err)
                : append_text_forms(out, form, number, vocabulary, text, len, answer, arena, err);
    return status == STATUS_OK ? bytes_check(out, "the translation of a line", err) : status;
}

void translate_format_failed(struct bytes *out, enum answer_form form, long number,
                             const struct error *why)
{
    if (form == ANSWER_JSON || form == ANSWER_JSON_MATRIX)
        append_object(out, number, json_pack("{s:s}", "error", why->text));
    else if (form == ANSWER_N_BEST)
        bytes_printf(out, "%ld |||  ||| 0\n", number);
    else
        bytes_append_text(out, form == ANSWER_PHARAOH ? " |||\n" : "\n");
}
