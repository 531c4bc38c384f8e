/*
 * tiny_model.h - a model file for tests that need some model and no training.
 *
 *     write_tiny_model("/tmp/x/en-fr.safetensors", "en", "fr", 1);
 *
 * A vocabulary of letters and a few pairs, random weights of width 16. What it
 * says is nonsense in words of letters, the same on each run. Needs no Check,
 * so that a helper program can use it; prints and aborts when it fails.
 */
#ifndef TESTS_TINY_MODEL_H
#define TESTS_TINY_MODEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "base/status.h"
#include "model/model.h"
#include "tokenizer/vocabulary.h"

#define TINY_WIDTH 16 // E, H and A
#define TINY_PIECES_MAX 512
#define TINY_END 3.2f // how strong another piece must be for the sentence to go on

struct tiny_pieces {
    struct piece list[TINY_PIECES_MAX];
    char texts[TINY_PIECES_MAX][16];
    int count;
};

static inline void tiny_check(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "making a tiny model: %s\n", err->text);
    abort();
}

static inline void tiny_add(struct tiny_pieces *p, const char *text, enum piece_kind kind, int byte)
{
    int i = p->count++;
    snprintf(p->texts[i], sizeof p->texts[i], "%s", text);
    p->list[i] = (struct piece){ .text = p->texts[i],
                                 .len = (int)strlen(text),
                                 .score = kind == PIECE_NORMAL ? (float)-i : 0,
                                 .kind = kind,
                                 .byte = (uint8_t)byte };
}

/* Each character (of one or two bytes) of `letters` with `before` in front. */
static inline void tiny_add_letters(struct tiny_pieces *p, const char *before, const char *letters)
{
    while (*letters) {
        int bytes = (*letters & 0x80) ? 2 : 1;
        char text[16];
        snprintf(text, sizeof text, "%s%.*s", before, bytes, letters);
        tiny_add(p, text, PIECE_NORMAL, 0);
        letters += bytes;
    }
}

static inline struct vocabulary *tiny_vocabulary(void)
{
    static const char *const pairs[] = { "th", "he", "in", "er", "an", "re", "▁th", "▁the", "▁in" };
    struct error err;
    struct vocabulary *v;
    struct tiny_pieces *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    tiny_add(p, "<pad>", PIECE_CONTROL, 0);
    tiny_add(p, "<unk>", PIECE_UNKNOWN, 0);
    tiny_add(p, "<s>", PIECE_CONTROL, 0);
    tiny_add(p, "</s>", PIECE_CONTROL, 0);
    for (int byte = 0; byte < 256; byte++) {
        char text[16];
        snprintf(text, sizeof text, "<0x%02X>", (unsigned)byte);
        tiny_add(p, text, PIECE_BYTE, byte);
    }
    tiny_add(p, "▁", PIECE_NORMAL, 0);
    tiny_add_letters(p, "▁", "abcdefghijklmnopqrstuvwxyz");
    tiny_add_letters(p, "", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    tiny_add_letters(p, "", "0123456789.,;:!?'\"-éèàçüß");
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        tiny_add(p, pairs[i], PIECE_NORMAL, 0);
    tiny_check(vocabulary_new(&v, p->list, p->count,
                              (struct vocabulary_options){ .form = FORM_NFKC }, &err),
               &err);
    free(p);
    return v;
}

/* Keeps it from control and byte pieces, lets it begin words and end. */
static inline float tiny_bias(const struct vocabulary *v, int id)
{
    const struct piece *piece = vocabulary_piece(v, id);
    if (id == ID_EOS)
        return TINY_END;
    if (piece->kind != PIECE_NORMAL)
        return -20;
    return strncmp(piece->text, "▁", 3) == 0 ? 1 : 0;
}

/* Wider embeddings make its choices clear-cut; it ends wherever none is strong enough. */
static inline void tiny_shape_output(const struct params *params, float *values,
                                     const struct vocabulary *v)
{
    const int V = vocabulary_size(v);
    for (int i = 0; i < params->count; i++) {
        const struct tensor *t = &params->entries[i].tensor;
        if (t->rows != V)
            continue;
        float *x = values + t->offset;
        for (int r = 0; r < V; r++) {
            if (t->cols == 1)
                x[r] = tiny_bias(v, r);
            for (int c = 0; t->cols > 1 && c < t->cols; c++)
                x[r * t->cols + c] *= r == ID_EOS ? 0 : 3;
        }
    }
}

static inline void write_tiny_model_with(const char *path, const char *source, const char *target,
                                         uint64_t seed, enum attention_kind attention)
{
    struct error err;
    struct vocabulary *v = tiny_vocabulary();
    struct bytes tsv, card;
    bytes_init(&tsv, 1 << 20);
    bytes_init(&card, 1 << 10);
    tiny_check(vocabulary_write_tsv(v, &tsv, &err), &err);
    bytes_printf(&card, "{\"name\":\"%s-%s\",\"source\":\"%s\",\"target\":\"%s\"}", source, target,
                 source, target);
    tiny_check(bytes_check(&card, "the card", &err), &err);

    struct config config = config_default(KIND_TRANSLATE);
    config.vocabulary = vocabulary_size(v);
    config.embedding = config.hidden = config.attention = TINY_WIDTH;
    config.attention_kind = attention;
    static struct seq2seq shape;
    seq2seq_init(&shape, &config);
    float *values = memory_zeroed(shape.params.total, sizeof(float));
    if (!values || !params_initialise(&shape.params, values, seed))
        abort();
    tiny_shape_output(&shape.params, values, v);
    struct model_texts texts = { .vocabulary = tsv.data, .card = card.data };
    tiny_check(model_save(path, &config, &shape.params, values, DTYPE_F32, &texts, &err), &err);

    memory_free(values);
    bytes_release(&card);
    bytes_release(&tsv);
    vocabulary_free(v);
}

static inline void write_tiny_model(const char *path, const char *source, const char *target,
                                    uint64_t seed)
{
    write_tiny_model_with(path, source, target, seed, ATTENTION_BAHDANAU);
}

#endif
