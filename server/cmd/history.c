/*
 * history.c - "verso history": what was translated, newest first.
 */
#include "base/clock.h"
#include "base/json.h"
#include "server/cmd/commands.h"
#include "server/cmd/database_option.h"
#include "server/cmd/print_text.h"
#include "server/store/journal_read.h"

#define JSON_BYTES_MAX ((size_t)16 << 20)

static enum status print_row(const struct stored_translation *t, const char *id,
                             const char *created, struct error *err)
{
    (void)err;
    printf("%s\t%s\t%s\t", id, created, t->model);
    print_text_line(t->source_text ? t->source_text : "");
    putchar('\t');
    print_text_line(t->target_text ? t->target_text : "");
    putchar('\n');
    return STATUS_OK;
}

static enum status print_json(const struct stored_translation *t, const char *id,
                              const char *created, struct error *err)
{
    struct bytes out;
    enum status status = STATUS_OK;
    json_t *line =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?,s:s?,s:i,s:i}", "id", id, "created", created, "model",
                  t->model, "source", t->source_language, "target", t->target_language,
                  "source_text", t->source_text, "target_text", t->target_text, "source_length",
                  t->source_length, "target_length", t->target_length);
    bytes_init(&out, JSON_BYTES_MAX);
    if (!line || !json_write(&out, line))
        status = error_set(err, STATUS_NO_MEMORY, "there is no memory for a translation as JSON");
    else
        puts(out.data);
    bytes_release(&out);
    json_decref(line);
    return status;
}

static enum status before_from(const struct options *o, long long *before, struct error *err)
{
    const char *text = options_text(o, "before");
    *before = 0;
    if (text && !journal_id_read(text, before))
        return error_set(err, STATUS_BAD_USAGE, "--before takes the id of a translation, not %s",
                         text);
    return STATUS_OK;
}

static enum status list(struct db *db, const struct options *o, struct arena *arena,
                        struct error *err)
{
    struct stored_translation *found;
    char tag[JOURNAL_TAG_BYTES], id[JOURNAL_ID_BYTES], created[CLOCK_TEXT_BYTES];
    struct journal_query query = { .text = options_text(o, "query"),
                                   .source = options_text(o, "source"),
                                   .target = options_text(o, "target"),
                                   .model = options_text(o, "model"),
                                   .limit = options_int(o, "limit") };
    int count = 0;
    enum status status = before_from(o, &query.before, err);
    if (status == STATUS_OK)
        status = journal_replica_of(db, tag, err);
    if (status == STATUS_OK)
        status = journal_list(db, &query, ANY_KEY, arena, &found, &count, err);
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        journal_id_write(id, tag, found[i].id);
        clock_format(found[i].created_ms, created);
        status = options_flag(o, "json") ? print_json(&found[i], id, created, err)
                                         : print_row(&found[i], id, created, err);
    }
    return status;
}

static int run(const struct options *o)
{
    return database_ask(o, list);
}

static const struct option_spec specs[] = {
    DATABASE_OPTION,
    { "query", OPTION_TEXT, .letter = 'q', .value = "TEXT",
      .help = "only those with this in the source or the target" },
    { "source", OPTION_TEXT, .value = "CODE", .help = "only from this language" },
    { "target", OPTION_TEXT, .value = "CODE", .help = "only into this language" },
    { "model", OPTION_TEXT, .value = "NAME", .help = "only by this model" },
    { "before", OPTION_TEXT, .value = "ID", .help = "only those before this one: the next page" },
    { "limit", OPTION_INT, .letter = 'n', .value = "N", .fallback = "20", .min = 1,
      .max = JOURNAL_LIST_MAX, .help = "how many" },
    { "json", OPTION_FLAG, .help = "a line of JSON each" },
    { 0 },
};

const struct command command_history = {
    .name = "history",
    .summary = "list stored translations, newest first",
    .usage = "[--database FILE] [--query TEXT] [OPTION...]",
    .description = "Writes a line each: id, time, model, source text, target text, with tabs\n"
                   "between. \"verso show ID\" shows one with its alignment.\n",
    .examples = "  verso history --query bank\n"
                "  verso history --source en --target fr --limit 100 --json\n",
    .options = specs,
    .run = run,
};
