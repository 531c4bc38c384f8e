/*
 * keys.c - "verso keys": who may use the service.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/cmd/commands.h"
#include "server/http/caller.h"
#include "server/store/keys.h"

#define SCOPES_TEXT_BYTES 32

static const struct {
    const char *name;
    unsigned scope;
} scope_names[] = {
    { "translate", SCOPE_TRANSLATE },
    { "read", SCOPE_READ },
    { "admin", SCOPE_ADMIN },
};
#define SCOPE_COUNT (sizeof scope_names / sizeof scope_names[0])

/* ---- scopes as text ---- */

static void write_scopes(unsigned scopes, char out[SCOPES_TEXT_BYTES])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (scopes & scope_names[i].scope)
            len += (size_t)snprintf(out + len, SCOPES_TEXT_BYTES - len, "%s%s", len > 0 ? "," : "",
                                    scope_names[i].name);
}

/* "translate,read" */
static enum status read_scopes(const char *text, unsigned *scopes, struct error *err)
{
    *scopes = 0;
    while (*text) {
        const size_t len = strcspn(text, ",");
        size_t i = 0;
        while (i < SCOPE_COUNT &&
               (strlen(scope_names[i].name) != len || memcmp(scope_names[i].name, text, len) != 0))
            i++;
        if (i == SCOPE_COUNT)
            return error_set(err, STATUS_BAD_USAGE,
                             "\"%.*s\" is no scope; they are translate, read and admin",
                             len < 40 ? (int)len : 40, text);
        *scopes |= scope_names[i].scope;
        text += len + (text[len] == ',');
    }
    if (*scopes == 0)
        return error_set(err, STATUS_BAD_USAGE,
                         "a key has at least one scope: --scopes translate,read,admin");
    return STATUS_OK;
}

/* ---- what is done ---- */

static enum status add(struct db *db, const struct options *o, struct error *err)
{
    char key[KEY_BYTES];
    unsigned scopes;
    enum status status = options_need(o, err, "name", NULL);
    if (status == STATUS_OK)
        status = read_scopes(options_text(o, "scopes"), &scopes, err);
    if (status == STATUS_OK)
        status = keys_add(db, options_text(o, "name"), scopes, options_int(o, "rate"), key, err);
    if (status == STATUS_OK) {
        puts(key);
        fputs("This is the only time that it is shown.\n", stderr);
    }
    return status;
}

static void print_row(void *context, const struct key_row *row)
{
    char scopes[SCOPES_TEXT_BYTES], created[CLOCK_TEXT_BYTES], revoked[CLOCK_TEXT_BYTES] = "-";
    char rate[16] = "-";
    (void)context;
    write_scopes(row->scopes, scopes);
    clock_format(row->created_ms, created);
    if (row->revoked_ms != 0)
        clock_format(row->revoked_ms, revoked);
    if (row->rate != 0)
        snprintf(rate, sizeof rate, "%d", row->rate);
    printf("%lld\t%s\t%s\t%s\t%s\t%s\n", row->id, row->name, scopes, rate, created, revoked);
}

static enum status list(struct db *db, struct error *err)
{
    puts("id\tname\tscopes\trate\tcreated\trevoked");
    return keys_each(db, print_row, NULL, err);
}

static enum status choose(struct db *db, const struct options *o, struct error *err)
{
    const char *what = options_operand(o, 0);
    const int operands = options_operand_count(o) - 1;
    if (strcmp(what, "add") == 0 && operands == 0)
        return add(db, o, err);
    if (strcmp(what, "list") == 0 && operands == 0)
        return list(db, err);
    if (strcmp(what, "revoke") == 0 && operands == 1)
        return keys_revoke(db, options_operand(o, 1), err);
    return error_set(err, STATUS_BAD_USAGE,
                     "it is \"add --name NAME\", \"list\" or \"revoke NAME\"; see verso keys "
                     "--help");
}

/* ---- the command ---- */

static int run(const struct options *o)
{
    struct error err;
    struct db *db;
    enum status status = db_open(&db, options_text(o, "database"), &err);
    if (status == STATUS_OK)
        status = choose(db, o, &err);
    db_close(db);
    return options_finish(o, output_flush(status, &err), &err);
}

static const struct option_spec specs[] = {
    { "database", OPTION_TEXT, .environment = true, .value = "FILE", .fallback = "verso.db",
      .help = "that of verso serve; created if it is not there" },
    { "name", OPTION_TEXT, .value = "NAME", .help = "add: whose key it is" },
    { "scopes", OPTION_TEXT, .value = "LIST", .fallback = "translate",
      .help = "add: what it is for, with commas: translate, read (what was stored for this key), "
              "admin (everybody's, reloading, suggestions, metrics)" },
    { "rate", OPTION_INT, .value = "N", .fallback = "0", .min = 0, .max = KEY_RATE_MAX,
      .help = "add: requests a minute; 0: as verso serve --rate has it" },
    { 0 },
};

const struct command command_keys = {
    .name = "keys",
    .summary = "give out, list or revoke keys for the service",
    .usage = "add --name NAME [--scopes LIST] [--rate N] | list | revoke NAME",
    .description =
        "A key is printed once and not stored: the database has what recognises it.\n"
        "A running server knows of a new key, or of a revoked one, within two seconds.\n",
    .examples = "  verso keys add --name anna --scopes translate,read\n"
                "  verso keys list\n"
                "  verso keys revoke anna\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
