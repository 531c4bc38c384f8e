/*
 * train_data.c - from files to pairs, on disk for training and in memory for validation.
 */
#include "server/cmd/train_data.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "server/cmd/progress.h"
#include "server/cmd/train_links.h"

#define READ_BYTES ((size_t)64 << 10) // at a time, for a digest
#define FACTS_BYTES 128

/* Where the pairs of a corpus go. */
struct sink {
    const struct train_data_options *options;
    enum status (*add)(void *context, const struct corpus_pair *pair, const struct corpus_ids *ids,
                       struct error *err);
    void *context;
    long line; // of all corpora, that of the pair
    long pairs, bad_lines, too_long;
};

static enum status add_pair(struct sink *sink, struct corpus *corpus,
                            const struct corpus_pair *pair, struct error *err)
{
    struct corpus_ids ids;
    enum status status = corpus_encode(corpus, sink->options->vocabulary, pair, &ids, err);
    if (status != STATUS_OK)
        return status;
    if (ids.source_len > sink->options->pieces_max || ids.target_len > sink->options->pieces_max) {
        sink->too_long++;
        return STATUS_OK;
    }
    sink->pairs++;
    return sink->add(sink->context, pair, &ids, err);
}

static enum status read_all(struct sink *sink, struct corpus *corpus, struct progress *progress,
                            struct error *err)
{
    struct corpus_pair pair;
    enum status status;
    while ((status = corpus_next(corpus, &pair, err)) == STATUS_OK && pair.source) {
        sink->line = sink->pairs + sink->too_long + corpus_bad_lines(corpus) + 1;
        status = add_pair(sink, corpus, &pair, err);
        if (status != STATUS_OK)
            break;
        progress_show(progress, corpus_progress(corpus), "%ld pairs", sink->pairs);
    }
    sink->bad_lines = corpus_bad_lines(corpus);
    return status;
}

/* STATUS_BAD_INPUT if no pair is left. */
static enum status pour(struct sink *sink, const struct corpora *corpora, const char *what,
                        struct error *err)
{
    struct corpus *corpus;
    enum status status =
        corpus_open(&corpus, corpora->paths, corpora->count, &corpora->options, err);
    if (status != STATUS_OK)
        return status;
    struct progress progress = progress_start(corpora->quiet ? NULL : stderr, what);
    status = read_all(sink, corpus, &progress, err);
    progress_end(&progress);
    corpus_close(corpus);
    if (status == STATUS_OK && sink->pairs == 0)
        status = error_set(err, STATUS_BAD_INPUT,
                           "the %s data has no sentence pair to use (%ld bad lines, %ld pairs "
                           "longer than %d pieces): check the files and --max-pieces",
                           what, sink->bad_lines, sink->too_long, sink->options->pieces_max);
    return status;
}

/* ---- training ---- */

static enum status hash_file(struct sha256 *hash, const char *path, struct error *err)
{
    static const char *const mark = "file"; // where one ends and the next begins
    char *bytes = memory_alloc(READ_BYTES, 1);
    FILE *file = bytes ? fopen(path, "rb") : NULL;
    enum status status = STATUS_OK;
    if (!file) {
        memory_free(bytes);
        return error_set(err, bytes ? STATUS_NOT_FOUND : STATUS_NO_MEMORY, "cannot open %s", path);
    }
    uint64_t len = 0;
    for (size_t n; (n = fread(bytes, 1, READ_BYTES, file)) > 0; len += n)
        sha256_add(hash, bytes, n);
    if (ferror(file))
        status = error_set(err, STATUS_IO, "cannot read %s", path);
    sha256_add(hash, &len, sizeof len);
    sha256_add(hash, mark, strlen(mark));
    fclose(file);
    memory_free(bytes);
    return status;
}

/* One file, or two as "A,B". */
static enum status hash_path(struct sha256 *hash, const char *path, struct error *err)
{
    const char *comma = strchr(path, ',');
    if (!comma)
        return hash_file(hash, path, err);
    char *first = memory_copy_text(path);
    if (!first)
        return error_set(err, STATUS_NO_MEMORY, "no memory to open %s", path);
    first[comma - path] = '\0';
    enum status status = hash_file(hash, first, err);
    memory_free(first);
    return status == STATUS_OK ? hash_file(hash, comma + 1, err) : status;
}

/* A digest of all that decides what the pairs are: bytes, not names and times, of the files. */
static enum status digest_corpora(const struct corpora *corpora,
                                  const struct train_data_options *options,
                                  uint8_t digest[SHA256_BYTES], struct error *err)
{
    char facts[FACTS_BYTES];
    enum status status = STATUS_OK;
    struct sha256 *hash = sha256_new();
    if (!hash)
        return error_set(err, STATUS_NO_MEMORY, "no memory to take the digest of the corpus");
    snprintf(facts, sizeof facts, "%d pieces, swapped %d, bad lines left out %d",
             options->pieces_max, corpora->options.swap, corpora->options.skip_bad_lines);
    sha256_add(hash, facts, strlen(facts) + 1);
    sha256_add(hash, options->vocabulary_text, strlen(options->vocabulary_text) + 1);
    for (int i = 0; i < corpora->count && status == STATUS_OK; i++)
        status = hash_path(hash, corpora->paths[i], err);
    if (status == STATUS_OK && options->links)
        status = hash_file(hash, options->links, err);
    sha256_finish(hash, digest);
    sha256_free(hash);
    return status;
}

struct shard_sink {
    struct sink sink;
    struct shard_writer *writer;
    struct train_links *links; // NULL: none
};

static enum status write_pair(void *context, const struct corpus_pair *pair,
                              const struct corpus_ids *ids, struct error *err)
{
    const struct shard_sink *to = context;
    enum status status = shard_writer_add(to->writer, ids->source, ids->source_len, ids->target,
                                          ids->target_len, err);
    if (status != STATUS_OK || !to->links)
        return status;
    status = train_links_find(to->links, to->sink.line, pair, ids, err);
    return status == STATUS_OK ? shard_writer_add_links(to->writer, train_links_codes(to->links),
                                                        train_links_count(to->links), err)
                               : status;
}

static enum status open_links(struct shard_sink *to, const char *path, bool swapped,
                              struct error *err)
{
    if (!path)
        return STATUS_OK;
    shard_writer_expect_links(to->writer);
    return train_links_open(&to->links, path, swapped, err);
}

static enum status check_links_end(const struct shard_sink *to, struct error *err)
{
    const struct sink *sink = &to->sink;
    return to->links
               ? train_links_end(to->links, sink->pairs + sink->too_long + sink->bad_lines, err)
               : STATUS_OK;
}

static enum status write_shard(const char *path, const struct corpora *corpora,
                               const struct train_data_options *options,
                               const uint8_t made_of[SHA256_BYTES], struct error *err)
{
    struct shard_writer *writer;
    enum status status = shard_writer_open(&writer, path, made_of, err);
    if (status != STATUS_OK)
        return status;
    struct shard_sink to = { .sink = { .options = options, .add = write_pair, .context = &to },
                             .writer = writer };
    status = open_links(&to, options->links, corpora->options.swap, err);
    if (status == STATUS_OK)
        status = pour(&to.sink, corpora, "training", err);
    if (status == STATUS_OK)
        status = check_links_end(&to, err);
    if (status == STATUS_OK)
        status = shard_writer_commit(writer, to.sink.bad_lines, to.sink.too_long, err);
    train_links_close(to.links);
    shard_writer_close(writer);
    return status;
}

/* The file if it is sound and made of that; NULL if it is to be made. */
static enum status find_shard(struct shard **out, const char *path,
                              const uint8_t made_of[SHA256_BYTES], struct error *err)
{
    enum status status = shard_open(out, path, err);
    if (status == STATUS_NOT_FOUND || status == STATUS_BAD_FILE)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (memcmp(shard_facts(*out)->made_of, made_of, SHA256_BYTES) == 0)
        return STATUS_OK;
    shard_close(*out);
    *out = NULL;
    return STATUS_OK;
}

enum status train_data_open(struct shard **out, const char *path, const struct corpora *corpora,
                            const struct train_data_options *options, struct error *err)
{
    uint8_t made_of[SHA256_BYTES];
    *out = NULL;
    enum status status = digest_corpora(corpora, options, made_of, err);
    if (status == STATUS_OK)
        status = find_shard(out, path, made_of, err);
    if (status != STATUS_OK || *out)
        return status;
    status = write_shard(path, corpora, options, made_of, err);
    return status == STATUS_OK ? shard_open(out, path, err) : status;
}

/* ---- validation ---- */

struct validation_sink {
    struct valid_data *data;
    int references_wanted;
};

static enum status keep_reference(struct valid_data *data, const struct corpus_pair *pair,
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

static enum status hold_pair(void *context, const struct corpus_pair *pair,
                             const struct corpus_ids *ids, struct error *err)
{
    struct validation_sink *to = context;
    enum status status = pairs_add(&to->data->pairs, ids->source, ids->source_len, ids->target,
                                   ids->target_len, err);
    if (status != STATUS_OK)
        return error_while(err, "the validation data");
    return to->data->reference_count < to->references_wanted ? keep_reference(to->data, pair, err)
                                                             : STATUS_OK;
}

enum status valid_data_read(struct valid_data *data, const struct corpora *corpora,
                            int references_wanted, const struct train_data_options *options,
                            struct error *err)
{
    struct validation_sink to = { .data = data, .references_wanted = references_wanted };
    struct sink sink = { .options = options, .add = hold_pair, .context = &to };
    enum status status = STATUS_OK;
    *data = (struct valid_data){ 0 };
    if (references_wanted > 0) {
        data->references = memory_zeroed((size_t)references_wanted, sizeof(char *));
        if (!data->references)
            status = error_set(err, STATUS_NO_MEMORY, "no memory for the validation texts");
    }
    if (status == STATUS_OK)
        status = pour(&sink, corpora, "validation", err);
    data->bad_lines = sink.bad_lines;
    data->too_long = sink.too_long;
    if (status != STATUS_OK)
        valid_data_release(data);
    return status;
}

void valid_data_release(struct valid_data *data)
{
    for (int i = 0; i < data->reference_count; i++)
        memory_free(data->references[i]);
    memory_free(data->references);
    pairs_release(&data->pairs);
    *data = (struct valid_data){ 0 };
}

enum status valid_data_set(const struct valid_data *data, struct validation_set *set,
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
