/*
 * alphabet.c - counting letters, and their ids.
 */
#include "server/detect/alphabet.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tokenizer/utf8.h"

#define CODE_POINTS 0x110000
#define CONTROL_PIECES 4
#define BYTE_PIECES 256
#define SPACE_TEXT "\xE2\x96\x81" // "▁", as everywhere in vocabularies
#define TEXT_BYTES 8              // of "<0x41>" and a NUL

struct alphabet_learner {
    int languages;
    int64_t *totals; // (languages) letters
    int64_t *counts; // (languages, CODE_POINTS); pages that were never touched take no memory
};

enum status alphabet_learner_new(struct alphabet_learner **out, int languages, struct error *err)
{
    *out = NULL;
    struct alphabet_learner *learner = memory_zeroed(1, sizeof *learner);
    if (learner) {
        learner->languages = languages;
        learner->totals = memory_zeroed((size_t)languages, sizeof *learner->totals);
        learner->counts = memory_zeroed((size_t)languages * CODE_POINTS, sizeof *learner->counts);
    }
    if (!learner || !learner->totals || !learner->counts) {
        alphabet_learner_free(learner);
        return error_set(err, STATUS_NO_MEMORY, "no memory to count letters");
    }
    *out = learner;
    return STATUS_OK;
}

void alphabet_learner_free(struct alphabet_learner *learner)
{
    if (!learner)
        return;
    memory_free(learner->totals);
    memory_free(learner->counts);
    memory_free(learner);
}

void alphabet_learner_add(struct alphabet_learner *learner, const struct letters *letters,
                          int language)
{
    int64_t *counts = learner->counts + (size_t)language * CODE_POINTS;
    for (int i = 0; i < letters->count; i++)
        counts[letters->list[i]]++;
    learner->totals[language] += letters->letter_count;
}

static bool is_known(const struct alphabet_learner *learner, int32_t c)
{
    if (c == ' ')
        return false; // it has a piece of its own
    for (int i = 0; i < learner->languages; i++) {
        const int64_t count = learner->counts[(size_t)i * CODE_POINTS + (size_t)c];
        if (count > 0 && count * ALPHABET_RARE >= learner->totals[i])
            return true;
    }
    return false;
}

struct piece_list {
    struct piece *pieces;
    char (*texts)[TEXT_BYTES];
    int count;
};

static void add_piece(struct piece_list *list, const char *text, size_t len, enum piece_kind kind,
                      int byte)
{
    char *copy = list->texts[list->count];
    memcpy(copy, text, len);
    copy[len] = '\0';
    list->pieces[list->count] =
        (struct piece){ .text = copy,
                        .len = (int)len,
                        .score = kind == PIECE_NORMAL ? (float)-list->count : 0,
                        .kind = kind,
                        .byte = (uint8_t)byte };
    list->count++;
}

static void add_pieces(struct piece_list *list, const struct alphabet_learner *learner)
{
    static const char *const controls[] = { "<pad>", "<unk>", "<s>", "</s>" };
    char text[TEXT_BYTES];
    for (int i = 0; i < CONTROL_PIECES; i++)
        add_piece(list, controls[i], strlen(controls[i]),
                  i == ID_UNK ? PIECE_UNKNOWN : PIECE_CONTROL, 0);
    for (int byte = 0; byte < BYTE_PIECES; byte++) {
        const int len = snprintf(text, sizeof text, "<0x%02X>", (unsigned)byte);
        add_piece(list, text, (size_t)len, PIECE_BYTE, byte);
    }
    assert(list->count == ALPHABET_SPACE);
    add_piece(list, SPACE_TEXT, strlen(SPACE_TEXT), PIECE_NORMAL, 0);
    for (int32_t c = 0; c < CODE_POINTS; c++)
        if (is_known(learner, c))
            add_piece(list, text, (size_t)utf8_put(c, text), PIECE_NORMAL, 0);
}

enum status alphabet_learner_finish(const struct alphabet_learner *learner, struct vocabulary **out,
                                    struct error *err)
{
    size_t count = ALPHABET_SPACE + 1;
    enum status status;
    *out = NULL;
    for (int32_t c = 0; c < CODE_POINTS; c++)
        count += is_known(learner, c);
    struct piece_list list = { .pieces = memory_zeroed(count, sizeof *list.pieces),
                               .texts = memory_zeroed(count, sizeof *list.texts) };
    if (list.pieces && list.texts) {
        add_pieces(&list, learner);
        status = vocabulary_new(out, list.pieces, list.count,
                                (struct vocabulary_options){ .form = FORM_NFKC }, err);
    } else {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for an alphabet");
    }
    memory_free(list.pieces);
    memory_free(list.texts);
    return status;
}

static int32_t id_of(const struct vocabulary *vocabulary, int32_t c)
{
    char text[4];
    const int32_t id = c == ' ' ? vocabulary_find(vocabulary, SPACE_TEXT, strlen(SPACE_TEXT))
                                : vocabulary_find(vocabulary, text, (size_t)utf8_put(c, text));
    return id < 0 ? ID_UNK : id;
}

void alphabet_ids(const struct vocabulary *vocabulary, const struct letters *letters, int from,
                  int to, int32_t *ids)
{
    for (int i = from; i < to; i++)
        ids[i - from] = id_of(vocabulary, letters->list[i]);
}
