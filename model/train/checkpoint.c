/*
 * checkpoint.c - state to JSON and back, blocks to tensors and back.
 */
#include "model/train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/file.h"

#define STATE_BYTES_MAX (64 << 10)
#define CARRIED "carried"

struct moment_names { // of one tensor
    char m[PARAM_NAME_BYTES + 2], v[PARAM_NAME_BYTES + 2];
};

/* The whole numbers of a state, once for both directions. */
/* clang-format off */
#define STATE_INTEGERS(X) \
    X(epoch) X(next_batch) X(updates) X(steps) X(skipped) X(skipped_in_row) X(validated_at) \
    X(examples) X(pieces)
/* clang-format on */

static json_t *state_to_json(const struct training_state *state)
{
    const struct schedule *s = &state->schedule;
    json_t *root = json_object();
    int failed = root == NULL;
#define X(name) failed |= json_object_set_new(root, #name, json_integer(state->name));
    STATE_INTEGERS(X)
#undef X
    failed |= json_object_set_new(root, "threads", json_integer(state->threads));
    failed |= json_object_set_new(root, "seconds", json_real(state->seconds));
    failed |= json_object_set_new(root, "factor", json_real(s->factor));
    failed |= json_object_set_new(root, "bad_validations", json_integer(s->bad_validations));
    if (isfinite(s->best_loss))
        failed |= json_object_set_new(root, "best_loss", json_real(s->best_loss));
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

static bool read_integer(const json_t *root, const char *key, int64_t lowest, int64_t highest,
                         int64_t *out)
{
    const json_t *value = json_object_get(root, key);
    if (!json_is_integer(value))
        return false;
    *out = json_integer_value(value);
    return *out >= lowest && *out <= highest;
}

static bool read_number(const json_t *root, const char *key, double *out)
{
    const json_t *value = json_object_get(root, key);
    if (!json_is_number(value))
        return false;
    *out = json_number_value(value);
    return *out >= 0;
}

static bool state_from_json(struct training_state *state, const json_t *root)
{
    struct schedule *s = &state->schedule;
    int64_t threads = 0, bad = 0;
    bool ok = true;
#define X(name) ok = ok && read_integer(root, #name, -1, INT64_MAX, &state->name);
    STATE_INTEGERS(X)
#undef X
    ok = ok && state->epoch >= 0 && state->next_batch >= 0 && state->updates >= 0 &&
         state->steps >= 0 && read_integer(root, "threads", 1, INT32_MAX, &threads) &&
         read_integer(root, "bad_validations", 0, INT32_MAX, &bad) &&
         read_number(root, "seconds", &state->seconds) && read_number(root, "factor", &s->factor);
    state->threads = (int)threads;
    s->bad_validations = (int)bad;
    s->best_loss = INFINITY;
    if (ok && json_object_get(root, "best_loss"))
        ok = read_number(root, "best_loss", &s->best_loss);
    return ok;
}

static enum status add_json(struct tensor_writer *w, const char *key, const json_t *value,
                            struct bytes *text, struct error *err)
{
    bytes_init(text, STATE_BYTES_MAX);
    if (!value || !json_write(text, value))
        return error_set(err, STATUS_NO_MEMORY, "no memory to write the training's %s", key);
    return tensor_writer_text(w, key, text->data, err);
}

static enum status add_tensors(struct tensor_writer *w, const struct checkpoint_blocks *blocks,
                               struct moment_names *names, struct error *err)
{
    for (int i = 0; i < blocks->params->count; i++) {
        const struct param *p = &blocks->params->entries[i];
        const struct tensor t = p->tensor;
        snprintf(names[i].m, sizeof names[i].m, "m.%s", p->name);
        snprintf(names[i].v, sizeof names[i].v, "v.%s", p->name);
        const struct {
            const char *name;
            const real *block;
        } tensors[3] = {
            { p->name, blocks->values },
            { names[i].m, blocks->m },
            { names[i].v, blocks->v },
        };
        for (int k = 0; k < 3; k++) {
            enum status status = tensor_writer_tensor(w, tensors[k].name, t.rows, t.cols, DTYPE_F32,
                                                      tensors[k].block + t.offset, err);
            if (status != STATUS_OK)
                return status;
        }
    }
    if (blocks->carried_count == 0)
        return STATUS_OK;
    return tensor_writer_tensor(w, CARRIED, 1, (int)blocks->carried_count, DTYPE_F32,
                                blocks->carried, err);
}

enum status checkpoint_save(const char *path, const struct checkpoint_blocks *blocks,
                            const struct training_state *state, const json_t *settings,
                            const char *vocabulary, struct error *err)
{
    struct tensor_writer *w = NULL;
    struct bytes state_text = { 0 }, settings_text = { 0 };
    json_t *state_json = state_to_json(state);
    struct moment_names *names = memory_alloc((size_t)blocks->params->count, sizeof *names);
    enum status status;

    if (!names) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory to write a checkpoint");
        goto done;
    }
    status = tensor_writer_new(&w, err);
    if (status == STATUS_OK)
        status = add_json(w, "state", state_json, &state_text, err);
    if (status == STATUS_OK)
        status = add_json(w, "settings", settings, &settings_text, err);
    if (status == STATUS_OK && vocabulary)
        status = tensor_writer_text(w, "vocabulary", vocabulary, err);
    if (status == STATUS_OK)
        status = add_tensors(w, blocks, names, err);
    if (status == STATUS_OK)
        status = tensor_writer_commit(w, path, err);
done:
    tensor_writer_free(w);
    bytes_release(&state_text);
    bytes_release(&settings_text);
    json_decref(state_json);
    memory_free(names);
    return status;
}

/* The object in text `key` of the file. */
static enum status read_json(json_t **out, const struct tensor_file *file, const char *path,
                             const char *key, struct error *err)
{
    const char *text = tensor_file_text(file, key);
    if (!text)
        return error_set(err, STATUS_BAD_FILE, "%s is not a training checkpoint: it has no \"%s\"",
                         path, key);
    enum status status = json_parse(out, text, strlen(text), err);
    if (status != STATUS_OK)
        return error_while(err, "%s: \"%s\"", path, key);
    return STATUS_OK;
}

static enum status compare_settings(const json_t *stored, const json_t *wanted, const char *path,
                                    struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)wanted, key, value) {
        const json_t *other = json_object_get(stored, key);
        if (other && json_equal(other, value))
            continue;
        struct bytes was, is;
        bytes_init(&was, 256);
        bytes_init(&is, 256);
        bool ok = (!other || json_write(&was, other)) && json_write(&is, value);
        error_set(err, STATUS_BAD_INPUT,
                  "%s was made with %s %s, and now it is %s: resume with the same options and data",
                  path, key, ok && other ? was.data : "of another kind",
                  ok ? is.data : "different");
        bytes_release(&was);
        bytes_release(&is);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

static enum status read_tensors(const struct tensor_file *file,
                                const struct checkpoint_blocks *blocks, struct error *err)
{
    for (int i = 0; i < blocks->params->count; i++) {
        const struct param *p = &blocks->params->entries[i];
        const struct tensor t = p->tensor;
        struct moment_names names;
        snprintf(names.m, sizeof names.m, "m.%s", p->name);
        snprintf(names.v, sizeof names.v, "v.%s", p->name);
        enum status status =
            tensor_file_read(file, p->name, t.rows, t.cols, blocks->values + t.offset, err);
        if (status == STATUS_OK)
            status = tensor_file_read(file, names.m, t.rows, t.cols, blocks->m + t.offset, err);
        if (status == STATUS_OK)
            status = tensor_file_read(file, names.v, t.rows, t.cols, blocks->v + t.offset, err);
        if (status != STATUS_OK)
            return status;
    }
    if (blocks->carried_count == 0)
        return STATUS_OK;
    return tensor_file_read(file, CARRIED, 1, (int)blocks->carried_count, blocks->carried, err);
}

enum status checkpoint_load(const char *path, const struct checkpoint_blocks *blocks,
                            struct training_state *state, const json_t *settings, struct error *err)
{
    struct tensor_file *file = NULL;
    json_t *stored = NULL, *state_json = NULL;
    struct training_state loaded = { 0 };

    enum status status = tensor_file_open(&file, path, err);
    if (status == STATUS_OK)
        status = read_json(&state_json, file, path, "state", err);
    if (status == STATUS_OK)
        status = read_json(&stored, file, path, "settings", err);
    if (status == STATUS_OK && !state_from_json(&loaded, state_json))
        status =
            error_set(err, STATUS_BAD_FILE,
                      "%s: the state of the training is damaged: start again without it", path);
    if (status == STATUS_OK)
        status = compare_settings(stored, settings, path, err);
    if (status == STATUS_OK)
        status = read_tensors(file, blocks, err);
    if (status == STATUS_OK)
        *state = loaded;
    json_decref(stored);
    json_decref(state_json);
    tensor_file_close(file);
    return status;
}

enum status checkpoint_vocabulary(const char *path, struct bytes *out, struct error *err)
{
    struct tensor_file *file;
    enum status status = tensor_file_open(&file, path, err);
    if (status != STATUS_OK)
        return status;
    const char *text = tensor_file_text(file, "vocabulary");
    if (!text)
        status = error_set(err, STATUS_BAD_FILE,
                           "%s is not a training checkpoint: it has no \"vocabulary\"", path);
    else if (!bytes_append_text(out, text))
        status = bytes_check(out, "the checkpoint's vocabulary", err);
    tensor_file_close(file);
    return status;
}
