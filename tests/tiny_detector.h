/*
 * tiny_detector.h - a detector's file for tests that need some detector and no training.
 *
 *     write_tiny_detector("/tmp/x/detect.safetensors", "[\"en\",\"fr\",\"und\"]", 3);
 *
 * An alphabet of a to z and é, random weights of width 8. What it says is
 * nonsense, the same on each run. Prints and aborts when it fails.
 */
#ifndef TESTS_TINY_DETECTOR_H
#define TESTS_TINY_DETECTOR_H

#include "model/model.h"
#include "server/detect/alphabet.h"
#include "tests/tiny_model.h"

static inline struct vocabulary *tiny_alphabet(void)
{
    static const char text[] = "abcdefghijklmnopqrstuvwxyz é l'a";
    struct alphabet_learner *learner;
    struct vocabulary *vocabulary;
    struct letters letters;
    struct arena arena;
    struct error err;
    if (!arena_init(&arena, LETTERS_ARENA_BYTES))
        abort();
    tiny_check(alphabet_learner_new(&learner, 1, &err), &err);
    tiny_check(letters_of(text, sizeof text - 1, &arena, &letters, &err), &err);
    alphabet_learner_add(learner, &letters, 0);
    tiny_check(alphabet_learner_finish(learner, &vocabulary, &err), &err);
    alphabet_learner_free(learner);
    arena_release(&arena);
    return vocabulary;
}

static inline void write_tiny_detector(const char *path, const char *labels, int classes)
{
    struct error err;
    struct bytes tsv;
    struct vocabulary *vocabulary = tiny_alphabet();
    static struct classifier shape;
    bytes_init(&tsv, 1 << 20);
    tiny_check(vocabulary_write_tsv(vocabulary, &tsv, &err), &err);
    struct config config = config_default(KIND_CLASSIFY);
    config.vocabulary = vocabulary_size(vocabulary);
    config.embedding = config.hidden = 8;
    config.classes = classes;
    classifier_init(&shape, &config);
    float *values = memory_zeroed(shape.params.total, sizeof(float));
    if (!values || !params_initialise(&shape.params, values, 1))
        abort();
    const struct model_texts texts = { .vocabulary = tsv.data,
                                       .card = "{\"name\":\"detect\"}",
                                       .labels = labels };
    tiny_check(model_save(path, &config, &shape.params, values, DTYPE_F32, &texts, &err), &err);
    memory_free(values);
    bytes_release(&tsv);
    vocabulary_free(vocabulary);
}

#endif
