/*
 * random_model.h - small models of random weights, saved and loaded like real ones.
 *
 * Wide embeddings make choices clear-cut, `ending` is how ready the model is to
 * end a sentence: without it a random one goes on up to its limit.
 */
#ifndef TESTS_MODEL_RANDOM_MODEL_H
#define TESTS_MODEL_RANDOM_MODEL_H

#include "tests/helpers.h"

#include "model/model.h"

struct random_model {
    int V, width; // width: E, H and A
    uint64_t seed;
    float sharpness; // the embedding is multiplied by it
    float ending;    // bias of </s>
};

#define RANDOM_VOCABULARY "0\t<pad>\t0\tcontrol\n"

/* The values as params says; the caller frees them. */
static inline float *random_values(const struct random_model *r, struct seq2seq *shape)
{
    struct config config = config_default(KIND_TRANSLATE);
    config.vocabulary = r->V;
    config.embedding = config.hidden = config.attention = r->width;
    seq2seq_init(shape, &config);
    float *values = memory_zeroed(shape->params.total, sizeof *values);
    ck_assert_ptr_nonnull(values);
    ck_assert(params_initialise(&shape->params, values, r->seed));

    const struct tensor embedding = params_find(&shape->params, "embedding")->tensor;
    const struct tensor bias = params_find(&shape->params, "output.bias")->tensor;
    for (int i = 0; i < embedding.rows * embedding.cols; i++)
        values[embedding.offset + (size_t)i] *= r->sharpness;
    values[bias.offset + 3] = r->ending;
    return values;
}

static inline struct model *random_model_load(const struct random_model *r)
{
    static struct seq2seq shape;
    struct error err;
    struct model *model;
    char folder[64], path[96];
    const struct model_texts texts = { .vocabulary = RANDOM_VOCABULARY };

    make_folder(folder);
    snprintf(path, sizeof path, "%s/random.safetensors", folder);
    float *values = random_values(r, &shape);
    assert_ok(model_save(path, &shape.config, &shape.params, values, DTYPE_F32, &texts, &err), err);
    assert_ok(model_load(&model, path, KIND_TRANSLATE, &err), err);
    memory_free(values);
    remove_folder(folder);
    return model;
}

#endif
