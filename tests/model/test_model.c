/*
 * test_model.c - a model is what was saved, or it is refused with the reason.
 */
#include "tests/model/random_model.h"

#include "base/bytes.h"
#include "base/rng.h"

static const struct random_model tiny = { .V = 11, .width = 6, .seed = 3, .sharpness = 1 };
static const struct model_texts texts = { .vocabulary = RANDOM_VOCABULARY,
                                          .card = "{\"name\":\"é\"}" };

static char folder[64], path[96], plain_path[96];
static struct seq2seq shape;
static float *values;

static void begin(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    snprintf(plain_path, sizeof plain_path, "%s/plain.safetensors", folder);
    values = random_values(&tiny, &shape);
}

static void end(void)
{
    memory_free(values);
    remove_folder(folder);
}

static struct model *save_and_load(enum dtype dtype)
{
    struct error err;
    struct model *model;
    assert_ok(model_save(path, &shape.config, &shape.params, values, dtype, &texts, &err), err);
    assert_ok(model_load_values(&model, path, &err), err);
    return model;
}

static void assert_load_refused(const char *reason)
{
    struct error err;
    struct model *model;
    ck_assert_int_ne(model_load(&model, path, KIND_TRANSLATE, &err), STATUS_OK);
    ck_assert_ptr_null(model);
    ck_assert_msg(strstr(err.text, reason) && strstr(err.text, path),
                  "\"%s\" does not say \"%s\" or where", err.text, reason);
}

/* ---- saving and loading ---- */

START_TEST(a_saved_model_is_loaded_to_the_bit)
{
    begin();
    struct model *model = save_and_load(DTYPE_F32);
    const struct weights *weights = model_weights(model);
    ck_assert_int_eq(memcmp(model_config(model), &shape.config, sizeof shape.config), 0);
    ck_assert_ptr_eq(weights->params, &model_seq2seq(model)->params);
    for (int i = 0; i < shape.params.count; i++) {
        const struct tensor t = shape.params.entries[i].tensor;
        ck_assert_mem_eq(weight(weights, t), values + t.offset,
                         (size_t)t.rows * (size_t)t.cols * sizeof(float));
    }
    ck_assert_str_eq(model_texts(model).vocabulary, texts.vocabulary);
    ck_assert_str_eq(model_texts(model).card, texts.card);
    ck_assert_uint_eq(strlen(model_digest(model)), 64);
    model_free(model);
    end();
}
END_TEST

START_TEST(every_dtype_comes_close_and_vectors_stay_exact)
{
    static const struct {
        enum dtype dtype;
        float error; // relative to the largest value of a tensor
    } kinds[] = { { DTYPE_F16, 1.0f / 2048 },
                  { DTYPE_BF16, 1.0f / 256 },
                  { DTYPE_I8, 1.0f / 250 } };

    begin();
    for (int k = 0; k < 3; k++) {
        struct model *model = save_and_load(kinds[k].dtype);
        for (int i = 0; i < shape.params.count; i++) {
            const struct tensor t = shape.params.entries[i].tensor;
            const float *got = weight(model_weights(model), t), *wanted = values + t.offset;
            float largest = 0, error = 0;
            for (int e = 0; e < t.rows * t.cols; e++) {
                largest = fmaxf(largest, fabsf(wanted[e]));
                error = fmaxf(error, fabsf(got[e] - wanted[e]));
            }
            ck_assert_float_le(error, t.cols == 1 ? 0 : largest * kinds[k].error);
        }
        model_free(model);
    }
    end();
}
END_TEST

/* Of x in [-1, 1]; the shape's rows have at most 32 columns and weights below 1. */
static const float packing_tolerances[] = {
    [WEIGHT_F32] = 1e-5f, [WEIGHT_BF16] = 2e-2f, [WEIGHT_I8] = 5e-2f
};

START_TEST(packed_matrices_multiply_as_unpacked_ones)
{
    enum { ROWS = 5, FUSED_ROWS = 64 };
    struct rng rng = rng_make(1, 0);
    float x[ROWS * 32], packed[ROWS * FUSED_ROWS], plain[ROWS * FUSED_ROWS];
    struct error err;
    struct model *model;

    begin();
    struct model *unpacked = save_and_load(DTYPE_F32);
    assert_ok(model_load_as(&model, path, KIND_TRANSLATE, (enum weight_type)_i, &err), err);
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
        x[i] = (float)(2 * rng_uniform(&rng) - 1);
    for (int i = 0; i < shape.params.count; i++) {
        const struct param *p = &shape.params.entries[i];
        const struct tensor t = p->tensor;
        ck_assert_int_eq(model_weights(model)->packed[i].panels != NULL,
                         p->use == USE_PRODUCT || p->use == USE_BOTH);
        ck_assert_ptr_null(model_weights(unpacked)->packed[i].panels);
        if (!model_weights(model)->packed[i].panels)
            continue;
        weights_product(model_weights(model), t, ROWS, x, t.cols, false, packed, t.rows);
        weights_product(model_weights(unpacked), t, ROWS, x, t.cols, false, plain, t.rows);
        for (int e = 0; e < ROWS * t.rows; e++)
            ck_assert_float_le(fabsf(packed[e] - plain[e]), packing_tolerances[_i]);
    }
    ck_assert_int_gt(shape.params.fusion_count, 0);
    for (int i = 0; i < shape.params.fusion_count; i++) {
        const struct fusion *f = &shape.params.fusions[i];
        ck_assert_int_le(f->rows, FUSED_ROWS);
        weights_fused(model_weights(model), f, ROWS, x, f->cols, packed, f->rows);
        weights_fused(model_weights(unpacked), f, ROWS, x, f->cols, plain, f->rows);
        for (int e = 0; e < ROWS * f->rows; e++)
            ck_assert_float_le(fabsf(packed[e] - plain[e]), packing_tolerances[_i]);
    }
    model_free(model);
    model_free(unpacked);
    end();
}
END_TEST

/* Its rows are scaled by their largest code, 127, as packing would: the codes stay what they are. */
START_TEST(a_file_of_int8_loses_nothing_when_it_is_packed_as_int8)
{
    struct error err;
    struct model *model;
    float x[32] = { 0 }, packed[32], plain[32];
    begin();
    struct model *unpacked = save_and_load(DTYPE_I8);
    assert_ok(model_load_as(&model, path, KIND_TRANSLATE, WEIGHT_I8, &err), err);
    const struct tensor t = params_find(&shape.params, "encoder.0.forward.u")->tensor;
    for (int k = 0; k < t.cols; k++) {
        memset(x, 0, sizeof x);
        x[k] = 1;
        weights_product(model_weights(model), t, 1, x, t.cols, false, packed, t.rows);
        weights_product(model_weights(unpacked), t, 1, x, t.cols, false, plain, t.rows);
        for (int n = 0; n < t.rows; n++)
            ck_assert_float_le(fabsf(packed[n] - plain[n]), 1e-6f * fabsf(plain[n]));
    }
    model_free(model);
    model_free(unpacked);
    end();
}
END_TEST

START_TEST(a_card_may_be_missing)
{
    const struct model_texts no_card = { .vocabulary = "x" };
    struct error err;
    struct model *model;
    begin();
    assert_ok(model_save(path, &shape.config, &shape.params, values, DTYPE_F32, &no_card, &err),
              err);
    assert_ok(model_load(&model, path, KIND_TRANSLATE, &err), err);
    ck_assert_ptr_null(model_texts(model).card);
    model_free(model);
    end();
}
END_TEST

START_TEST(weights_that_are_not_finite_are_refused_by_name)
{
    struct error err;
    begin();
    values[params_find(&shape.params, "readout.bias")->tensor.offset + 2] = NAN;
    assert_status(model_save(path, &shape.config, &shape.params, values, DTYPE_F32, &texts, &err),
                  STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "readout.bias"), "%s", err.text);
    ck_assert_int_ne(access(path, F_OK), 0);
    end();
}
END_TEST

/* ---- files that are no models, written tensor by tensor ---- */

struct variation {
    const char *config;   // NULL: the right one; "": none
    const char *left_out; // tensor or text
    const char *extra;    // a tensor more
    const char *turned;   // a tensor with rows and columns exchanged
    const char *infinite; // a tensor with one infinite value
};

static void add_tensors(struct tensor_writer *w, const struct variation *v)
{
    struct error err;
    for (int i = 0; i < shape.params.count; i++) {
        const struct param *p = &shape.params.entries[i];
        const struct tensor t = p->tensor;
        const bool turned = v->turned && strcmp(v->turned, p->name) == 0;
        if (v->infinite && strcmp(v->infinite, p->name) == 0)
            values[t.offset] = -INFINITY;
        if (v->left_out && strcmp(v->left_out, p->name) == 0)
            continue;
        assert_ok(tensor_writer_tensor(w, p->name, turned ? t.cols : t.rows,
                                       turned ? t.rows : t.cols, DTYPE_F32, values + t.offset,
                                       &err),
                  err);
    }
    if (v->extra)
        assert_ok(tensor_writer_tensor(w, v->extra, 2, 1, DTYPE_F32, values, &err), err);
}

static void write_variation(const struct variation *v)
{
    struct error err;
    struct tensor_writer *w;
    struct bytes config;

    bytes_init(&config, 4096);
    assert_ok(config_write(&shape.config, &config, &err), err);
    assert_ok(tensor_writer_new(&w, &err), err);
    if (!v->left_out || strcmp(v->left_out, "config") != 0)
        assert_ok(tensor_writer_text(w, "config", v->config ? v->config : config.data, &err), err);
    if (!v->left_out || strcmp(v->left_out, "vocabulary") != 0)
        assert_ok(tensor_writer_text(w, "vocabulary", "x", &err), err);
    add_tensors(w, v);
    assert_ok(tensor_writer_commit(w, path, &err), err);
    tensor_writer_free(w);
    bytes_release(&config);
}

START_TEST(what_is_not_a_model_is_refused_with_the_reason)
{
    static const struct {
        struct variation variation;
        const char *reason;
    } refused[] = {
        { { .left_out = "config" }, "not a model" },
        { { .left_out = "vocabulary" }, "\"vocabulary\" is missing" },
        { { .left_out = "bridge.w" }, "the tensor bridge.w of 6 x 12 is missing" },
        { { .extra = "decoder.7.w" }, "the tensor decoder.7.w is not part" },
        { { .turned = "bridge.w" }, "the tensor bridge.w is 12 x 6 and should be 6 x 12" },
        { { .infinite = "attention.v" }, "attention.v has values that are not finite" },
        { { .config = "{}" }, "config" },
        { { .config = "{\"vocabulary\":11,\"embedding\":6,\"hidden\":6,\"attention\":7}" },
          "should be 7 x" },
        { { .config = "{\"vocabulary\":200000,\"embedding\":4096,\"hidden\":4096,"
                      "\"attention\":4096}" },
          "should be 200000 x 4096" },
    };
    struct error err;
    struct model *model;

    begin();
    write_variation(&(struct variation){ 0 });
    assert_ok(model_load(&model, path, KIND_TRANSLATE, &err), err);
    model_free(model);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        write_variation(&refused[i].variation);
        assert_load_refused(refused[i].reason);
    }
    end();
}
END_TEST

/* Write `len` other bytes over those that are `from`, or over the file's last (NULL). */
static void damage(const char *from, const void *to, size_t len)
{
    struct error err;
    struct bytes whole;
    bytes_init(&whole, 1 << 20);
    assert_ok(bytes_read_file(&whole, path, &err), err);
    char *at = from ? memmem(whole.data, whole.len, from, len) : whole.data + whole.len - len;
    ck_assert_ptr_nonnull(at);
    memcpy(at, to, len);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(whole.data, 1, whole.len, f), whole.len);
    ck_assert_int_eq(fclose(f), 0);
    bytes_release(&whole);
}

START_TEST(a_damaged_file_is_said_to_be_so_and_not_what_the_damage_means)
{
    static const char hidden[] = "hidden\\\":6", other[] = "hidden\\\":7";
    const float no_number = NAN;

    begin();
    model_free(save_and_load(DTYPE_F32));
    damage(NULL, &no_number, sizeof no_number);
    assert_load_refused("the digest does not match");
    model_free(save_and_load(DTYPE_F32));
    damage(hidden, other, sizeof hidden - 1);
    assert_load_refused("the digest does not match");
    end();
}
END_TEST

START_TEST(plain_tensors_are_told_how_to_become_a_model)
{
    static const char header[] = "{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    const uint64_t len = sizeof header - 1;

    begin();
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fwrite(&len, 8, 1, f);
    fwrite(header, 1, sizeof header, f); // its NUL is the tensor
    fclose(f);
    assert_load_refused("verso models import");
    end();
}
END_TEST

START_TEST(an_unknown_instruction_set_is_said)
{
    struct error err;
    struct model *model;
    const char *before = getenv("VERSO_ISA");
    char *kept = before ? strdup(before) : NULL;

    begin();
    assert_ok(model_save(path, &shape.config, &shape.params, values, DTYPE_F32, &texts, &err), err);
    setenv("VERSO_ISA", "sse9", 1);
    assert_status(model_load(&model, path, KIND_TRANSLATE, &err), STATUS_BAD_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "VERSO_ISA"));
    if (kept)
        setenv("VERSO_ISA", kept, 1);
    else
        unsetenv("VERSO_ISA");
    free(kept);
    end();
}
END_TEST

/* ---- importing ---- */

static const struct plain {
    const char *name;
    int rows, cols;
} plains[] = {
    { "emb", 11, 4 }, { "fW", 12, 4 }, { "fU", 12, 3 },   { "fb", 12, 1 },   { "bW", 12, 4 },
    { "bU", 12, 3 },  { "bb", 12, 1 }, { "Winit", 3, 6 }, { "binit", 3, 1 }, { "Wq", 5, 3 },
    { "Wk", 5, 6 },   { "bk", 5, 1 },  { "v", 5, 1 },     { "dW", 12, 10 },  { "dU", 12, 3 },
    { "db", 12, 1 },  { "Wr", 4, 13 }, { "br", 4, 1 },    { "bo", 11, 1 },
};
#define PLAIN_COUNT ((int)(sizeof plains / sizeof plains[0]))

/* Value e of tensor i is unlike any other, and exact in F16. */
static float plain_value(int i, int e)
{
    return (float)(i * 64 - 600) + (float)e * 0.5f;
}

static void write_plain(enum dtype dtype, const char *left_out, const char *extra)
{
    static float block[PLAIN_COUNT][12 * 13];
    struct error err;
    struct tensor_writer *w;

    assert_ok(tensor_writer_new(&w, &err), err);
    for (int i = 0; i < PLAIN_COUNT; i++) {
        const struct plain *p = &plains[i];
        for (int e = 0; e < p->rows * p->cols; e++)
            block[i][e] = plain_value(i, e);
        if (!left_out || strcmp(left_out, p->name) != 0)
            assert_ok(tensor_writer_tensor(w, p->name, p->rows, p->cols, dtype, block[i], &err),
                      err);
    }
    if (extra)
        assert_ok(tensor_writer_tensor(w, extra, 1, 1, DTYPE_F32, block[0], &err), err);
    assert_ok(tensor_writer_commit(w, plain_path, &err), err);
    tensor_writer_free(w);
}

/* Column c of the model's tensor is column `from` + c of the plain one. */
static void assert_columns(const struct model *model, const char *name, const char *plain, int from)
{
    const struct tensor t = params_find(model_weights(model)->params, name)->tensor;
    int i = 0;
    while (strcmp(plains[i].name, plain) != 0)
        i++;
    ck_assert_int_eq(t.rows, plains[i].rows);
    for (int r = 0; r < t.rows; r++)
        for (int c = 0; c < t.cols; c++)
            ck_assert_float_eq(weight(model_weights(model), t)[r * t.cols + c],
                               plain_value(i, r * plains[i].cols + from + c));
}

START_TEST(plain_tensors_find_their_places)
{
    struct error err;
    struct model *model;

    begin();
    write_plain(DTYPE_F16, NULL, NULL);
    assert_ok(model_import(plain_path, &texts, path, &err), err);
    assert_ok(model_load_values(&model, path, &err), err);
    ck_assert_int_eq(model_config(model)->vocabulary, 11);
    ck_assert_int_eq(model_config(model)->embedding, 4);
    ck_assert_int_eq(model_config(model)->hidden, 3);
    ck_assert_int_eq(model_config(model)->attention, 5);
    assert_columns(model, "embedding", "emb", 0);
    assert_columns(model, "encoder.0.forward.u", "fU", 0);
    assert_columns(model, "encoder.0.backward.w", "bW", 0);
    assert_columns(model, "decoder.0.w", "dW", 0); // [y ; context]
    assert_columns(model, "decoder.0.context", "dW", 4);
    assert_columns(model, "readout.state", "Wr", 0); // [s ; context ; y]
    assert_columns(model, "readout.context", "Wr", 3);
    assert_columns(model, "readout.previous", "Wr", 9);
    assert_columns(model, "output.bias", "bo", 0);
    ck_assert_str_eq(model_texts(model).vocabulary, texts.vocabulary);
    model_free(model);
    end();
}
END_TEST

START_TEST(an_import_keeps_the_precision_of_its_tensors)
{
    static const enum dtype from[] = { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_I8 };
    static const enum dtype to[] = { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_F32 };
    struct error err;
    struct tensor_file *file;

    begin();
    for (int k = 0; k < 4; k++) {
        write_plain(from[k], NULL, NULL);
        assert_ok(model_import(plain_path, &texts, path, &err), err);
        assert_ok(tensor_file_open(&file, path, &err), err);
        for (int i = 0; i < tensor_file_count(file); i++) {
            const struct tensor_info info = tensor_file_info(file, i);
            ck_assert_int_eq(info.dtype, info.cols == 1 ? DTYPE_F32 : to[k]);
        }
        tensor_file_close(file);
    }
    end();
}
END_TEST

START_TEST(an_import_that_lacks_or_has_too_much_is_refused_by_name)
{
    static const char *const needed[] = { "emb", "fU", "Wq", "dW", "bo" };
    struct error err;

    begin();
    for (int i = 0; i < 5; i++) {
        write_plain(DTYPE_F32, needed[i], NULL);
        assert_status(model_import(plain_path, &texts, path, &err), STATUS_BAD_FILE);
        ck_assert_msg(strstr(err.text, needed[i]) && strstr(err.text, plain_path), "%s", err.text);
    }
    write_plain(DTYPE_F32, NULL, "extra");
    assert_status(model_import(plain_path, &texts, path, &err), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, "the tensor extra"), "%s", err.text);
    ck_assert_int_ne(access(path, F_OK), 0);
    end();
}
END_TEST

/* ---- memory ---- */

static enum status load_and_free(struct error *err)
{
    struct model *model;
    enum status status = model_load(&model, path, KIND_TRANSLATE, err);
    model_free(model);
    return status;
}

static enum status import_again(struct error *err)
{
    return model_import(plain_path, &texts, path, err);
}

static enum status save_again(struct error *err)
{
    return model_save(path, &shape.config, &shape.params, values, DTYPE_I8, &texts, err);
}

static void assert_survives_failing_allocations(enum status (*call)(struct error *err))
{
    struct error err;
    const long live = memory_live();
    bool failed = true;
    for (long n = 1; failed; n++) {
        memory_fail_at(n);
        const enum status status = call(&err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        ck_assert_int_eq(memory_live(), live);
    }
}

START_TEST(every_failing_allocation_is_survived)
{
    struct error err;
    begin();
    write_plain(DTYPE_F16, NULL, NULL);
    assert_survives_failing_allocations(import_again);
    assert_ok(import_again(&err), err);
    assert_survives_failing_allocations(load_and_free);
    assert_survives_failing_allocations(save_again);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_saved_model_is_loaded_to_the_bit),
    TEST(every_dtype_comes_close_and_vectors_stay_exact),
    TEST_LOOP(packed_matrices_multiply_as_unpacked_ones, WEIGHT_TYPES),
    TEST(a_file_of_int8_loses_nothing_when_it_is_packed_as_int8),
    TEST(a_card_may_be_missing),
    TEST(weights_that_are_not_finite_are_refused_by_name),
    TEST(what_is_not_a_model_is_refused_with_the_reason),
    TEST(a_damaged_file_is_said_to_be_so_and_not_what_the_damage_means),
    TEST(plain_tensors_are_told_how_to_become_a_model),
    TEST(an_unknown_instruction_set_is_said),
    TEST(plain_tensors_find_their_places),
    TEST(an_import_keeps_the_precision_of_its_tensors),
    TEST(an_import_that_lacks_or_has_too_much_is_refused_by_name),
    TEST(every_failing_allocation_is_survived),
};

TEST_MAIN("model/model", cases)
