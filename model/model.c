/*
 * model.c - model files to weights ready for inference, and back.
 */
#include "model/model.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include "base/arena.h"
#include "base/memory.h"

#define CONFIG_TEXT_BYTES_MAX 4096

struct model {
    struct config config;
    struct seq2seq seq2seq; // the one of the config's kind is filled
    struct classifier classifier;
    struct lm lm;
    const struct params *params; // of the shape that the config's kind has
    struct weights weights;
    struct arena values, copies;   // tensors as they are, and packed ones
    const struct packing *packing; // how matrices are packed; NULL: not at all
    struct packed *packed;         // (params.count + params.fusion_count)
    struct shortlist *shortlist;   // NULL: the file has none
    char *vocabulary, *card, *labels;
    char digest[65];
};

/* ---- checks ---- */

static bool is_matrix(struct tensor t)
{
    return t.cols > 1;
}

/* Whether `name` is `wanted` or holds its scales. */
static bool belongs_to(const char *name, const char *wanted)
{
    size_t len = strlen(wanted);
    return strncmp(name, wanted, len) == 0 &&
           (name[len] == '\0' || strcmp(name + len, ".scale") == 0);
}

static bool is_declared(const struct model *model, const char *name)
{
    const struct params *params = model->params;
    if (model->config.kind == KIND_TRANSLATE && shortlist_owns(name))
        return true;
    for (int i = 0; i < params->count; i++)
        if (belongs_to(name, params->entries[i].name))
            return true;
    return false;
}

/* Before anything is allocated: a config cannot ask for more memory than the file has tensors. */
static enum status check_tensors(const struct tensor_file *file, const struct model *model,
                                 struct error *err)
{
    const struct params *params = model->params;
    for (int i = 0; i < params->count; i++) {
        const struct param *p = &params->entries[i];
        enum status status = tensor_file_check(file, p->name, p->tensor.rows, p->tensor.cols, err);
        if (status != STATUS_OK)
            return status;
    }
    for (int i = 0; i < tensor_file_count(file); i++) {
        const char *name = tensor_file_info(file, i).name;
        if (!is_declared(model, name))
            return error_set(err, STATUS_BAD_FILE,
                             "the tensor %s is not part of such a model; the file may be of a "
                             "newer version",
                             name);
    }
    return STATUS_OK;
}

/* `n` of its values. */
static enum status check_finite(const struct param *param, size_t n, const real *values,
                                enum status otherwise, struct error *err)
{
    int finite = 1; // of a value's width, or compilers do not vectorise this
    for (size_t e = 0; e < n; e++)
        finite &= fabsf(values[e]) < INFINITY;
    if (!finite)
        return error_set(err, otherwise, "the tensor %s has values that are not finite",
                         param->name);
    return STATUS_OK;
}

/* ---- loading ---- */

struct loading {
    const enum model_kind *kind; // NULL: any
    bool packed;                 // matrices, as type
    enum weight_type type;
};

/* The tensors of the config's kind. */
static void declare(struct model *model)
{
    if (model->config.kind == KIND_CLASSIFY) {
        classifier_init(&model->classifier, &model->config);
        model->params = &model->classifier.params;
    } else if (model->config.kind == KIND_LM) {
        lm_init(&model->lm, &model->config);
        model->params = &model->lm.params;
    } else {
        seq2seq_init(&model->seq2seq, &model->config);
        model->params = &model->seq2seq.params;
    }
    model->weights.params = model->params;
}

static enum status read_config(const struct tensor_file *file, struct config *config,
                               struct error *err)
{
    const char *format = tensor_file_text(file, "format");
    const char *text = tensor_file_text(file, "config");
    if (!format || strcmp(format, FILE_FORMAT) != 0 || !text)
        return error_set(err, STATUS_BAD_FILE,
                         "it holds tensors, but is not a model of format " FILE_FORMAT
                         "; \"verso models import\" makes one of plain tensors");
    return config_parse(config, text, strlen(text), err);
}

static enum status copy_texts(struct model *model, const struct tensor_file *file,
                              struct error *err)
{
    const char *vocabulary = tensor_file_text(file, "vocabulary");
    const char *card = tensor_file_text(file, "card");
    const char *labels = tensor_file_text(file, "labels");
    if (!vocabulary)
        return error_set(err, STATUS_BAD_FILE, "the text \"vocabulary\" is missing");
    model->vocabulary = memory_copy_text(vocabulary);
    model->card = card ? memory_copy_text(card) : NULL;
    model->labels = labels ? memory_copy_text(labels) : NULL;
    if (!model->vocabulary || (card && !model->card) || (labels && !model->labels))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the texts");
    return STATUS_OK;
}

static bool is_packed(const struct model *model, const struct param *p)
{
    return model->packing && (p->use == USE_PRODUCT || p->use == USE_BOTH);
}

/* Whether a shortlist chooses from its rows, which are not used as they are. */
static bool has_rows(const struct model *model, const struct param *p)
{
    return is_packed(model, p) && p->use == USE_BOTH && model->shortlist &&
           model->packing->put_rows;
}

/* Room for copies. */
struct room {
    void *panels[PARAMS_MAX + FUSIONS_MAX]; // of tensors, then of fusions
    void *rows[PARAMS_MAX];
};

/* Filled when the arena is real. */
static void lay_out(const struct model *model, struct arena *copies, struct room *room)
{
    const struct params *params = model->params;
    *room = (struct room){ { NULL }, { NULL } };
    for (int i = 0; i < params->count; i++) {
        const struct param *p = &params->entries[i];
        const struct tensor t = p->tensor;
        if (is_packed(model, p))
            room->panels[i] = arena_alloc(copies, model->packing->bytes(t.rows, t.cols));
        if (has_rows(model, p))
            room->rows[i] = arena_alloc(copies, model->packing->rows_bytes(t.rows, t.cols));
    }
    for (int i = 0; model->packing && i < params->fusion_count; i++) {
        const struct fusion *f = &params->fusions[i];
        room->panels[params->count + i] =
            arena_alloc(copies, model->packing->bytes(f->rows, f->cols));
    }
}

/* Rows of a fusion's parts, or of the only part, one after another. */
struct rows {
    const struct param *params; // of the model
    const struct tensor *part;
    int next; // of part
};

static enum status read_rows(const struct tensor_file *file, struct rows *rows, int count, real *to,
                             struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && count > 0) {
        const struct param *p = &rows->params[rows->part->index];
        const int left = p->tensor.rows - rows->next, here = count < left ? count : left;
        const size_t n = (size_t)here * (size_t)p->tensor.cols;
        tensor_file_rows(file, p->name, rows->next, here, to);
        status = check_finite(p, n, to, STATUS_BAD_FILE, err);
        to += n;
        count -= here;
        rows->next += here;
        if (here == left) {
            rows->part++;
            rows->next = 0;
        }
    }
    return status;
}

/* Few rows at a time, so that they are in a cache when they are packed; through `scratch`, or as
 * `values` (not NULL) that are kept. */
static enum status read_packed(const struct model *model, const struct tensor_file *file,
                               const struct fusion *f, real *values, void *packed, real *scratch,
                               struct error *err)
{
    struct rows rows = { .params = model->params->entries, .part = f->parts };
    enum status status = STATUS_OK;
    for (int from = 0; status == STATUS_OK && from < f->rows; from += PACKED_ROWS) {
        const int count = f->rows - from < PACKED_ROWS ? f->rows - from : PACKED_ROWS;
        real *to = values ? values + (size_t)from * (size_t)f->cols : scratch;
        status = read_rows(file, &rows, count, to, err);
        if (status == STATUS_OK)
            model->packing->pack(count, f->cols, to,
                                 (char *)packed + model->packing->bytes(from, f->cols));
    }
    return status;
}

static enum status read_tensor(const struct model *model, const struct tensor_file *file, int i,
                               real *values, void *packed, real *scratch, struct error *err)
{
    const struct param *p = &model->params->entries[i];
    const struct tensor t = p->tensor;
    const struct fusion alone = { .parts = { t }, .count = 1, .rows = t.rows, .cols = t.cols };
    struct rows rows = { .params = model->params->entries, .part = &t };
    if (model->packing && p->use == USE_FUSED)
        return STATUS_OK; // with its fusion
    if (packed)
        return read_packed(model, file, &alone, p->use == USE_BOTH ? values + t.offset : NULL,
                           packed, scratch, err);
    return read_rows(file, &rows, t.rows, values + t.offset, err);
}

/* Of the longest row. */
static size_t most_columns(const struct params *params)
{
    int most = 0;
    for (int i = 0; i < params->count; i++)
        most = params->entries[i].tensor.cols > most ? params->entries[i].tensor.cols : most;
    return (size_t)most;
}

/* A tensor that is only multiplied by has a place among the values that is never touched. It costs
 * no memory, where pages are small: its neighbours would fill huge ones. */
static bool make_room(struct model *model, struct room *room)
{
    struct arena size = arena_measure();
    lay_out(model, &size, room);
    if (!arena_init(&model->values, model->params->total * sizeof(real)) ||
        !arena_init_huge(&model->copies, size.used))
        return false;
    lay_out(model, &model->copies, room);
    return true;
}

static enum status read_weights(struct model *model, const struct tensor_file *file,
                                enum weight_type type, struct error *err)
{
    const struct params *params = model->params;
    const int matrices = params->count + params->fusion_count;
    struct room room;

    real *scratch = memory_alloc(PACKED_ROWS * most_columns(params), sizeof *scratch);
    model->packed = memory_zeroed((size_t)matrices, sizeof *model->packed);
    if (!scratch || !model->packed || !make_room(model, &room)) {
        memory_free(scratch);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the weights (%zu MiB)",
                         params->total * sizeof(real) >> 20);
    }
    real *values = arena_array(&model->values, real, params->total);
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < params->count; i++) {
        const struct tensor t = params->entries[i].tensor;
        status = read_tensor(model, file, i, values, room.panels[i], scratch, err);
        if (status == STATUS_OK && room.rows[i])
            model->packing->put_rows(t.rows, t.cols, values + t.offset, room.rows[i]);
        model->packed[i] = (struct packed){ type, room.panels[i], room.rows[i] };
    }
    for (int i = params->count; model->packing && status == STATUS_OK && i < matrices; i++) {
        status = read_packed(model, file, &params->fusions[i - params->count], NULL, room.panels[i],
                             scratch, err);
        model->packed[i] = (struct packed){ .type = type, .panels = room.panels[i] };
    }
    model->weights.values = values;
    model->weights.packed = model->packed;
    model->weights.fused = model->packed + params->count;
    memory_free(scratch);
    return status;
}

static enum status check_kind(const struct config *config, enum model_kind kind, struct error *err)
{
    static const char *const uses[] = {
        [KIND_TRANSLATE] = "it translates: use it with \"verso translate\" or \"verso serve\"",
        [KIND_LM] = "it is a language model: use it with \"verso lm\"",
        [KIND_CLASSIFY] = "it is a classifier: use it with \"verso detect\"",
    };
    if (config->kind == kind)
        return STATUS_OK;
    return error_set(err, STATUS_BAD_INPUT, "%s", uses[config->kind]);
}

static enum status read_model(struct model *model, const struct tensor_file *file,
                              const struct loading *how, struct error *err)
{
    model->weights.kernels = kernels_best();
    if (!model->weights.kernels)
        return error_set(err, STATUS_BAD_USAGE,
                         "VERSO_ISA names no instruction set that this processor has");
    enum status status = read_config(file, &model->config, err);
    if (status == STATUS_OK && how->kind)
        status = check_kind(&model->config, *how->kind, err);
    if (status != STATUS_OK)
        return status;
    declare(model);
    if (how->packed)
        model->packing = model->weights.kernels->packings[how->type];
    status = check_tensors(file, model, err);
    if (status == STATUS_OK)
        status = copy_texts(model, file, err);
    if (status == STATUS_OK)
        status = shortlist_read(&model->shortlist, file, model->config.vocabulary, err);
    if (status == STATUS_OK)
        status = read_weights(model, file, how->type, err);
    return status;
}

/* Where the file is damaged, that is what is said, not what reading it made of the damage. */
static enum status read_verified(struct model *model, struct tensor_file *file,
                                 const struct loading *how, struct error *err)
{
    const enum status status = read_model(model, file, how, err);
    const enum status verified = tensor_file_verify(file, err);
    if (verified != STATUS_OK)
        return verified;
    memcpy(model->digest, tensor_file_digest(file), sizeof model->digest);
    return status;
}

static enum status load(struct model **out, const char *path, struct loading how, struct error *err)
{
    struct tensor_file *file = NULL;
    struct model *model = memory_zeroed(1, sizeof *model);

    *out = NULL;
    if (!model)
        return error_set(err, STATUS_NO_MEMORY, "no memory to load %s", path);
    enum status status = tensor_file_open_unverified(&file, path, err);
    if (status == STATUS_OK) { // its message names the path already
        status = read_verified(model, file, &how, err);
        if (status != STATUS_OK && err)
            error_while(err, "%s", path);
    }
    tensor_file_close(file);
    if (status != STATUS_OK) {
        model_free(model);
        return status;
    }
    *out = model;
    return STATUS_OK;
}

enum status model_load(struct model **model, const char *path, enum model_kind kind,
                       struct error *err)
{
    return model_load_as(model, path, kind, WEIGHT_F32, err);
}

enum status model_load_as(struct model **model, const char *path, enum model_kind kind,
                          enum weight_type type, struct error *err)
{
    return load(model, path, (struct loading){ .kind = &kind, .packed = true, .type = type }, err);
}

enum status model_load_any(struct model **model, const char *path, enum weight_type type,
                           struct error *err)
{
    return load(model, path, (struct loading){ .packed = true, .type = type }, err);
}

enum status model_load_values(struct model **model, const char *path, struct error *err)
{
    return load(model, path, (struct loading){ .packed = false }, err);
}

void model_free(struct model *model)
{
    if (!model)
        return;
    memory_free(model->packed);
    arena_release(&model->values);
    arena_release(&model->copies);
    shortlist_free(model->shortlist);
    memory_free(model->vocabulary);
    memory_free(model->card);
    memory_free(model->labels);
    memory_free(model);
}

const struct config *model_config(const struct model *model)
{
    return &model->config;
}

const struct seq2seq *model_seq2seq(const struct model *model)
{
    assert(model->config.kind == KIND_TRANSLATE);
    return &model->seq2seq;
}

const struct classifier *model_classifier(const struct model *model)
{
    assert(model->config.kind == KIND_CLASSIFY);
    return &model->classifier;
}

const struct lm *model_lm(const struct model *model)
{
    assert(model->config.kind == KIND_LM);
    return &model->lm;
}

const struct weights *model_weights(const struct model *model)
{
    return &model->weights;
}

const struct shortlist *model_shortlist(const struct model *model)
{
    return model->shortlist;
}

struct model_texts model_texts(const struct model *model)
{
    return (struct model_texts){ .vocabulary = model->vocabulary,
                                 .card = model->card,
                                 .labels = model->labels };
}

const char *model_digest(const struct model *model)
{
    return model->digest;
}

/* ---- saving ---- */

static enum status add_texts(struct tensor_writer *w, const struct config *config,
                             const struct model_texts *texts, struct error *err)
{
    struct bytes json;
    bytes_init(&json, CONFIG_TEXT_BYTES_MAX);
    enum status status = config_write(config, &json, err);
    if (status == STATUS_OK)
        status = tensor_writer_text(w, "config", json.data, err);
    if (status == STATUS_OK)
        status = tensor_writer_text(w, "vocabulary", texts->vocabulary, err);
    if (status == STATUS_OK && texts->card)
        status = tensor_writer_text(w, "card", texts->card, err);
    if (status == STATUS_OK && texts->labels)
        status = tensor_writer_text(w, "labels", texts->labels, err);
    bytes_release(&json);
    return status;
}

enum status model_save(const char *path, const struct config *config, const struct params *params,
                       const float *values, enum dtype dtype, const struct model_texts *texts,
                       struct error *err)
{
    struct tensor_writer *w = NULL;
    enum status status = STATUS_OK;
    for (int i = 0; i < params->count && status == STATUS_OK; i++) {
        const struct tensor t = params->entries[i].tensor;
        status = check_finite(&params->entries[i], (size_t)t.rows * (size_t)t.cols,
                              values + t.offset, STATUS_BAD_INPUT, err);
    }
    if (status == STATUS_OK)
        status = tensor_writer_new(&w, err);
    if (status == STATUS_OK)
        status = add_texts(w, config, texts, err);
    for (int i = 0; i < params->count && status == STATUS_OK; i++) {
        const struct param *p = &params->entries[i];
        status = tensor_writer_tensor(w, p->name, p->tensor.rows, p->tensor.cols,
                                      is_matrix(p->tensor) ? dtype : DTYPE_F32,
                                      values + p->tensor.offset, err);
    }
    if (status == STATUS_OK)
        status = tensor_writer_commit(w, path, err);
    tensor_writer_free(w);
    return status;
}

/* ---- importing ---- */

/* A plain tensor is the columns of some of ours side by side. */
static const struct import {
    const char *name;
    const char *parts[4]; // ended by NULL
} imports[] = {
    { "emb", { "embedding" } },
    { "fW", { "encoder.0.forward.w" } },
    { "fU", { "encoder.0.forward.u" } },
    { "fb", { "encoder.0.forward.bias" } },
    { "bW", { "encoder.0.backward.w" } },
    { "bU", { "encoder.0.backward.u" } },
    { "bb", { "encoder.0.backward.bias" } },
    { "Winit", { "bridge.w" } },
    { "binit", { "bridge.bias" } },
    { "Wq", { "attention.query" } },
    { "Wk", { "attention.key" } },
    { "bk", { "attention.key_bias" } },
    { "v", { "attention.v" } },
    { "dW", { "decoder.0.w", "decoder.0.context" } },
    { "dU", { "decoder.0.u" } },
    { "db", { "decoder.0.bias" } },
    { "Wr", { "readout.state", "readout.context", "readout.previous" } },
    { "br", { "readout.bias" } },
    { "bo", { "output.bias" } },
};
#define IMPORT_COUNT (sizeof imports / sizeof imports[0])

static enum status find_shape(const struct tensor_file *file, const char *name,
                              struct tensor_info *found, struct error *err)
{
    if (tensor_file_find(file, name, found))
        return STATUS_OK;
    return error_set(err, STATUS_BAD_FILE, "the tensor %s is missing", name);
}

static enum status infer_config(const struct tensor_file *file, struct config *config,
                                struct error *err)
{
    struct tensor_info embedding, recurrent, query;
    enum status status = find_shape(file, "emb", &embedding, err);
    if (status == STATUS_OK)
        status = find_shape(file, "fU", &recurrent, err);
    if (status == STATUS_OK)
        status = find_shape(file, "Wq", &query, err);
    if (status != STATUS_OK)
        return status;
    *config = config_default(KIND_TRANSLATE);
    config->vocabulary = embedding.rows;
    config->embedding = embedding.cols;
    config->hidden = recurrent.cols;
    config->attention = query.rows;
    return config_check(config, err);
}

static struct tensor find_part(const struct params *params, const char *name)
{
    const struct param *p = params_find(params, name);
    assert(p);
    return p->tensor;
}

static enum status import_tensor(const struct tensor_file *file, const struct import *import,
                                 const struct params *params, real *values, struct error *err)
{
    const int rows = find_part(params, import->parts[0]).rows;
    int cols = 0;
    for (int i = 0; import->parts[i]; i++)
        cols += find_part(params, import->parts[i]).cols;

    enum status status = tensor_file_check(file, import->name, rows, cols, err);
    if (status != STATUS_OK)
        return status;
    float *whole = memory_alloc((size_t)rows * (size_t)cols, sizeof *whole);
    if (!whole)
        return error_set(err, STATUS_NO_MEMORY, "no memory to import %s", import->name);
    status = tensor_file_read(file, import->name, rows, cols, whole, err);

    const float *from = whole;
    for (int i = 0; status == STATUS_OK && import->parts[i]; i++) {
        const struct tensor part = find_part(params, import->parts[i]);
        const size_t width = (size_t)part.cols;
        for (int r = 0; r < rows; r++)
            memcpy(values + part.offset + (size_t)r * width, from + (size_t)r * (size_t)cols,
                   width * sizeof *values);
        from += width;
    }
    memory_free(whole);
    return status;
}

static bool is_import(const char *name)
{
    for (size_t i = 0; i < IMPORT_COUNT; i++)
        if (belongs_to(name, imports[i].name))
            return true;
    return false;
}

static enum status import_tensors(const struct tensor_file *file, const struct params *params,
                                  real *values, struct error *err)
{
    for (int i = 0; i < tensor_file_count(file); i++) {
        const char *name = tensor_file_info(file, i).name;
        if (!is_import(name))
            return error_set(err, STATUS_BAD_FILE, "the tensor %s is not one that can be imported",
                             name);
    }
    for (size_t i = 0; i < IMPORT_COUNT; i++) {
        enum status status = import_tensor(file, &imports[i], params, values, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* F16 or BF16 if all matrices are; anything else fits exactly into F32. */
static enum dtype common_dtype(const struct tensor_file *file)
{
    enum dtype common = DTYPE_F32;
    bool first = true;
    for (int i = 0; i < tensor_file_count(file); i++) {
        const struct tensor_info info = tensor_file_info(file, i);
        if (info.cols == 1)
            continue;
        if (info.dtype == DTYPE_I8 || (!first && info.dtype != common))
            return DTYPE_F32;
        common = info.dtype;
        first = false;
    }
    return common;
}

enum status model_import(const char *weights_path, const struct model_texts *texts,
                         const char *out_path, struct error *err)
{
    struct config config;
    struct tensor_file *file = NULL;
    struct seq2seq *shape = NULL;
    real *values = NULL;
    enum status status = tensor_file_open(&file, weights_path, err);
    if (status != STATUS_OK)
        return status; // its message names the path

    status = infer_config(file, &config, err);
    if (status != STATUS_OK)
        goto done;
    shape = memory_alloc(1, sizeof *shape);
    if (shape) {
        seq2seq_init(shape, &config);
        values = memory_zeroed(shape->params.total, sizeof *values);
    }
    if (!values) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the weights");
        goto done;
    }
    status = import_tensors(file, &shape->params, values, err);
done:
    if (status != STATUS_OK && err)
        error_while(err, "%s", weights_path);
    if (status == STATUS_OK)
        status =
            model_save(out_path, &config, &shape->params, values, common_dtype(file), texts, err);
    tensor_file_close(file);
    memory_free(values);
    memory_free(shape);
    return status;
}
