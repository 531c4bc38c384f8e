/*
 * rewrite.c - a model file again, with what is not its weights changed.
 */
#include "model/model.h"

static enum status add_text(struct tensor_writer *w, const struct tensor_file *file,
                            const char *key, const char *instead, struct error *err)
{
    const char *text = instead ? instead : tensor_file_text(file, key);
    return text ? tensor_writer_text(w, key, text, err) : STATUS_OK;
}

static enum status add_texts(struct tensor_writer *w, const struct tensor_file *file,
                             const char *card, struct error *err)
{
    enum status status = add_text(w, file, "config", NULL, err);
    if (status == STATUS_OK)
        status = add_text(w, file, "vocabulary", NULL, err);
    if (status == STATUS_OK)
        status = add_text(w, file, "card", card, err);
    if (status == STATUS_OK)
        status = add_text(w, file, "labels", NULL, err);
    return status;
}

static enum status add_tensors(struct tensor_writer *w, const struct tensor_file *file,
                               const struct shortlist *shortlist, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < tensor_file_count(file); i++) {
        const struct tensor_info t = tensor_file_info(file, i);
        if (!shortlist || !shortlist_owns(t.name))
            status = tensor_writer_bytes(w, t.name, t.rows, t.cols, t.dtype,
                                         tensor_file_bytes(file, i), err);
    }
    return status == STATUS_OK && shortlist ? shortlist_write(shortlist, w, err) : status;
}

/* That it is one, and that the shortlist is of its vocabulary. */
static enum status check_model(const char *path, const struct shortlist *shortlist,
                               struct error *err)
{
    struct model *model;
    enum status status = model_load_values(&model, path, err);
    if (status == STATUS_OK && shortlist &&
        (model_config(model)->kind != KIND_TRANSLATE ||
         model_config(model)->vocabulary != shortlist->vocabulary))
        status = error_set(err, STATUS_BAD_INPUT,
                           "%s: a shortlist of %d pieces is for a model that translates with as "
                           "many",
                           path, shortlist->vocabulary);
    model_free(model);
    return status;
}

enum status model_rewrite(const char *path, const char *out, const char *card,
                          const struct shortlist *shortlist, struct error *err)
{
    struct tensor_file *file = NULL;
    struct tensor_writer *w = NULL;
    enum status status = check_model(path, shortlist, err);
    if (status == STATUS_OK)
        status = tensor_file_open(&file, path, err);
    if (status == STATUS_OK)
        status = tensor_writer_new(&w, err);
    if (status == STATUS_OK)
        status = add_texts(w, file, card, err);
    if (status == STATUS_OK)
        status = add_tensors(w, file, shortlist, err);
    if (status == STATUS_OK)
        status = tensor_writer_commit(w, out, err);
    tensor_writer_free(w);
    tensor_file_close(file);
    return status;
}
