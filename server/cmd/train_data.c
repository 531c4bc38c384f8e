/*
 * train_data.c - from files to pairs.
 */
#include "server/cmd/train_data.h"

#include <string.h>

#include "base/memory.h"
#include "server/cmd/progress.h"

static enum status keep_reference(struct train_data *data, const struct corpus_pair *pair,
                                  struct error *err)
{
    char *text = memory_alloc(pair->target_len + 1, 1);
    if (!text)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the validation texts");
    memcpy(text, pair->target, pair->target_len);
    text[pair->target_len] = '\0';
    data->references[data->reference_count++] = text;
    return STATUS_OK;
}

static enum status add_pair(struct train_data *data, struct corpus *corpus,
                            const struct corpus_pair *pair, const struct vocabulary *vocabulary,
                            const struct train_data_options *options, struct error *err)
{
    struct corpus_ids ids;
    enum status status = corpus_encode(corpus, vocabulary, pair, &ids, err);
    if (status != STATUS_OK)
        return status;
    if (ids.source_len > options->pieces_max || ids.target_len > options->pieces_max) {
        data->too_long++;
        return STATUS_OK;
    }
    status = pairs_add(&data->pairs, ids.source, ids.source_len, ids.target, ids.target_len, err);
    if (status == STATUS_OK && data->reference_count < options->references_wanted)
        status = keep_reference(data, pair, err);
    return status;
}

static enum status read_all(struct train_data *data, struct corpus *corpus,
                            const struct vocabulary *vocabulary,
                            const struct train_data_options *options, struct error *err)
{
    struct corpus_pair pair;
    struct progress progress = progress_start(stderr, options->what);
    enum status status;
    while ((status = corpus_next(corpus, &pair, err)) == STATUS_OK && pair.source) {
        status = add_pair(data, corpus, &pair, vocabulary, options, err);
        if (status != STATUS_OK)
            break;
        progress_show(&progress, corpus_progress(corpus), "%d pairs", data->pairs.count);
    }
    progress_end(&progress);
    data->bad_lines = corpus_bad_lines(corpus);
    return status;
}

enum status train_data_read(struct train_data *data, const struct corpora *corpora,
                            const struct vocabulary *vocabulary,
                            const struct train_data_options *options, struct error *err)
{
    struct corpus *corpus = NULL;
    *data = (struct train_data){ 0 };
    enum status status =
        corpus_open(&corpus, corpora->paths, corpora->count, &corpora->options, err);
    if (status != STATUS_OK)
        return status;
    if (options->references_wanted > 0) {
        data->references = memory_zeroed((size_t)options->references_wanted, sizeof(char *));
        if (!data->references)
            status = error_set(err, STATUS_NO_MEMORY, "no memory for the validation texts");
    }
    if (status == STATUS_OK)
        status = read_all(data, corpus, vocabulary, options, err);
    if (status == STATUS_OK && data->pairs.count == 0)
        status = error_set(err, STATUS_BAD_INPUT,
                           "the %s data has no sentence pair to use (%ld bad lines, %ld pairs "
                           "longer than %d pieces): check the files and --max-pieces",
                           options->what, data->bad_lines, data->too_long, options->pieces_max);
    corpus_close(corpus);
    if (status != STATUS_OK)
        train_data_release(data);
    return status;
}

void train_data_release(struct train_data *data)
{
    for (int i = 0; i < data->reference_count; i++)
        memory_free(data->references[i]);
    memory_free(data->references);
    pairs_release(&data->pairs);
    *data = (struct train_data){ 0 };
}

enum status train_data_validation_set(const struct train_data *data, struct validation_set *set,
                                      struct error *err)
{
    *set =
        (struct validation_set){ .references = data->references, .count = data->reference_count };
    if (set->count == 0)
        return STATUS_OK;
    set->sources = memory_zeroed((size_t)set->count, sizeof *set->sources);
    if (!set->sources)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the validation sentences");
    for (int i = 0; i < set->count; i++)
        set->sources[i] = (struct source){ .ids = pairs_source(&data->pairs, i),
                                           .len = data->pairs.list[i].source_len };
    return STATUS_OK;
}
