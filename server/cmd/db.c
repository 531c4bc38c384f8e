/*
 * db.c - "verso db ...": copies of a service's database, its soundness, and what is to go from it.
 */
#include "server/cmd/commands.h"
#include "server/cmd/database_option.h"
#include "server/store/care.h"
#include "server/store/journal_prune.h"
#include "server/store/journal_read.h"

#define DAY_MS 86400000LL

/* ---- backup ---- */

static enum status backup(struct db *db, const struct options *o, struct arena *arena,
                          struct error *err)
{
    (void)arena;
    return db_backup(db, options_operand(o, 0), err);
}

static int run_backup(const struct options *o)
{
    return database_ask(o, backup);
}

static const struct option_spec plain_specs[] = { DATABASE_OPTION, { 0 } };

const struct command command_db_backup = {
    .name = "db backup",
    .summary = "copy the database while the service writes it",
    .usage = "[--database FILE] COPY",
    .description = "The copy is the database of one moment, and appears when it is whole.\n",
    .examples = "  verso db backup --database verso.db verso-$(date +%F).db\n",
    .options = plain_specs,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_backup,
};

/* ---- check ---- */

static void print_problem(void *context, const char *problem)
{
    (void)context;
    puts(problem);
}

static enum status check(struct db *db, const struct options *o, struct arena *arena,
                         struct error *err)
{
    int problems = 0;
    (void)arena;
    enum status status = db_check(db, print_problem, NULL, &problems, err);
    if (status == STATUS_OK && problems == 0)
        puts("ok");
    if (status == STATUS_OK && problems > 0)
        status = error_set(err, STATUS_BAD_FILE, "%s is damaged: restore a backup",
                           options_text(o, "database"));
    return status;
}

static int run_check(const struct options *o)
{
    return database_ask(o, check);
}

const struct command command_db_check = {
    .name = "db check",
    .summary = "look whether the database is sound",
    .usage = "[--database FILE]",
    .description = "Reads all of it, and writes a line for each problem, or \"ok\". The exit code "
                   "is 4 if\nthere is one.\n",
    .examples = "  verso db check --database verso.db\n",
    .options = plain_specs,
    .run = run_check,
};

/* ---- prune ---- */

static enum status prune(struct db *db, const struct options *o, struct arena *arena,
                         struct error *err)
{
    const long long keep_ms = options_int(o, "keep-days") * DAY_MS;
    const long long keep_bytes = options_int64(o, "keep-bytes");
    long long deleted = 0;
    bool more = true;
    enum status status = STATUS_OK;
    (void)arena;
    while (status == STATUS_OK && more) {
        int some;
        status = journal_prune(db, keep_ms, keep_bytes, &some, &more, err);
        deleted += status == STATUS_OK ? some : 0;
    }
    if (status == STATUS_OK)
        printf("%lld translations deleted\n", deleted);
    return status;
}

static int run_prune(const struct options *o)
{
    return database_ask(o, prune);
}

static const struct option_spec prune_specs[] = {
    DATABASE_OPTION,
    { "keep-days", OPTION_INT, .value = "N", .fallback = "0", .max = 36500,
      .help = "delete what is older; 0 keeps any age" },
    { "keep-bytes", OPTION_INT, .value = "N", .fallback = "0", .max = 1e15,
      .help = "delete the oldest until the database is at most so large; 0 keeps any size" },
    { 0 },
};

const struct command command_db_prune = {
    .name = "db prune",
    .summary = "delete the oldest translations",
    .usage = "[--database FILE] [--keep-days N] [--keep-bytes N]",
    .description = "A service with the same options of its own does so all the time. Space that "
                   "is\nempty then goes back to the disk.\n",
    .examples = "  verso db prune --database verso.db --keep-days 30\n",
    .options = prune_specs,
    .run = run_prune,
};

/* ---- delete ---- */

static enum status delete_one(struct db *db, const char *text, struct error *err)
{
    long long id;
    if (!journal_id_read(text, &id))
        return error_set(err, STATUS_BAD_USAGE, "\"%s\" is no id of a translation", text);
    enum status status = journal_delete(db, NULL, id, ANY_KEY, err);
    return status == STATUS_OK ? status : error_while(err, "%s: ", text);
}

static enum status delete_of_key(struct db *db, const char *name, long long *deleted,
                                 struct error *err)
{
    long long key_id;
    enum status status = journal_key_of_name(db, name, &key_id, err);
    return status == STATUS_OK ? journal_delete_of_key(db, NULL, key_id, deleted, err) : status;
}

static enum status delete_all(struct db *db, const struct options *o, struct arena *arena,
                              struct error *err)
{
    const char *key = options_text(o, "key");
    long long deleted = 0;
    enum status status = key ? delete_of_key(db, key, &deleted, err) : STATUS_OK;
    (void)arena;
    for (int i = 0; status == STATUS_OK && i < options_operand_count(o); i++, deleted++)
        status = delete_one(db, options_operand(o, i), err);
    if (status == STATUS_OK)
        printf("%lld translations deleted\n", deleted);
    return status;
}

static int run_delete(const struct options *o)
{
    struct error err;
    if (!options_text(o, "key") == (options_operand_count(o) == 0)) {
        error_set(&err, STATUS_BAD_USAGE, "give ids, or --key with the name of a key");
        return options_finish(o, STATUS_BAD_USAGE, &err);
    }
    return database_ask(o, delete_all);
}

static const struct option_spec delete_specs[] = {
    DATABASE_OPTION,
    { "key", OPTION_TEXT, .value = "NAME", .help = "all that were asked for with this key" },
    { 0 },
};

const struct command command_db_delete = {
    .name = "db delete",
    .summary = "delete translations by their ids, or all of a key",
    .usage = "[--database FILE] (ID... | --key NAME)",
    .description = "What explains them, and what was counted of their words, goes with them.\n",
    .examples = "  verso db delete a1-01HF7YAT00W3S\n"
                "  verso db delete --key anna\n",
    .options = delete_specs,
    .operands_max = OPERANDS_MAX,
    .run = run_delete,
};
