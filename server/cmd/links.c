/*
 * links.c - "verso links": which words a word was translated as, how often.
 */
#include "base/json.h"
#include "server/cmd/commands.h"
#include "server/cmd/database_option.h"
#include "server/cmd/print_text.h"
#include "server/store/journal_read.h"

#define JSON_BYTES_MAX ((size_t)1 << 20)

static enum status print_json(const struct stored_link *l, const char *id, struct error *err)
{
    struct bytes out;
    enum status status = STATUS_OK;
    json_t *line = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s?}", "source_word", l->source, "target_word",
                             l->target, "source", l->source_language, "target", l->target_language,
                             "count", (json_int_t)l->count, "last_id", id);
    bytes_init(&out, JSON_BYTES_MAX);
    if (!line || !json_write(&out, line))
        status = error_set(err, STATUS_NO_MEMORY, "there is no memory for a link as JSON");
    else
        puts(out.data);
    bytes_release(&out);
    json_decref(line);
    return status;
}

static void print_link(const struct stored_link *l, const char *id)
{
    printf("%lld\t", l->count);
    print_text_line(l->source);
    putchar('\t');
    print_text_line(l->target);
    printf("\t%s-%s\t%s\n", l->source_language, l->target_language, id);
}

static enum status list(struct db *db, const struct options *o, struct arena *arena,
                        struct error *err)
{
    struct stored_link *found;
    char tag[JOURNAL_TAG_BYTES], id[JOURNAL_ID_BYTES];
    const char *word = options_operand(o, 0);
    const bool is_reverse = options_flag(o, "reverse");
    const struct links_query query = { .source = is_reverse ? NULL : word,
                                       .target = is_reverse ? word : NULL,
                                       .source_language = options_text(o, "source"),
                                       .target_language = options_text(o, "target"),
                                       .limit = options_int(o, "limit") };
    int count = 0;
    enum status status = journal_replica_of(db, tag, err);
    if (status == STATUS_OK)
        status = links_list(db, &query, ANY_KEY, arena, &found, &count, err);
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        const struct stored_link *l = &found[i];
        if (l->last_id)
            journal_id_write(id, tag, l->last_id);
        if (options_flag(o, "json"))
            status = print_json(l, l->last_id ? id : NULL, err);
        else
            print_link(l, l->last_id ? id : "");
    }
    return status;
}

static int run(const struct options *o)
{
    return database_ask(o, list);
}

static const struct option_spec specs[] = {
    DATABASE_OPTION,
    { "reverse", OPTION_FLAG, .help = "the word is of the target: what it was made of" },
    { "source", OPTION_TEXT, .value = "CODE", .help = "only from this language" },
    { "target", OPTION_TEXT, .value = "CODE", .help = "only into this language" },
    { "limit", OPTION_INT, .letter = 'n', .value = "N", .fallback = "20", .min = 1,
      .max = LINKS_LIST_MAX, .help = "how many" },
    { "json", OPTION_FLAG, .help = "a line of JSON each" },
    { 0 },
};

const struct command command_links = {
    .name = "links",
    .summary = "list which words a word was translated as, most frequent first",
    .usage = "[--database FILE] [--reverse] [OPTION...] WORD",
    .description =
        "Counts the words that were linked in stored translations: a line each, how often, the\n"
        "source word, the target word, the pair of languages and the last translation with it.\n",
    .examples = "  verso links bank\n"
                "  verso links --reverse banque --json\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
