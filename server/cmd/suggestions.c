/*
 * suggestions.c - "verso suggestions": which of the translations that people suggest are given.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/cmd/commands.h"
#include "server/cmd/database_option.h"
#include "server/cmd/print_text.h"
#include "server/store/suggestions.h"

#define LIST_MAX 10000

/* ---- listing ---- */

static void print_suggestion(const struct suggestion *s)
{
    printf("%lld\t%s\t%s-%s\t", s->id, suggestion_state_name(s->state), s->source_language,
           s->target_language);
    print_text_escaped(s->source_text);
    putchar('\t');
    print_text_escaped(s->suggested_text);
    putchar('\n');
}

static enum status list(struct db *db, const struct options *o, struct arena *arena,
                        struct error *err)
{
    static const char *const states[] = { "pending", "accepted", "rejected", NULL };
    struct suggestion *found;
    int state, count;
    enum status status = option_choice(o, "state", states, &state, err);
    if (status != STATUS_OK)
        return status;
    status = suggestions_list(db, (enum suggestion_state)state, 0, options_int(o, "limit"), arena,
                              &found, &count, err);
    if (status == STATUS_OK) {
        puts("id\tstate\tpair\tsource\tsuggestion");
        for (int i = 0; i < count; i++)
            print_suggestion(&found[i]);
    }
    return status;
}

/* ---- deciding ---- */

static enum status decide(struct db *db, const struct options *o, enum suggestion_state state,
                          struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 1; i < options_operand_count(o) && status == STATUS_OK; i++) {
        const char *text = options_operand(o, i);
        char *end;
        errno = 0;
        const long long id = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || errno != 0 || id <= 0)
            status = error_set(err, STATUS_BAD_USAGE,
                               "\"%s\" is no number of a suggestion; verso suggestions list shows "
                               "them",
                               text);
        else
            status = suggestions_decide(db, id, state, err);
    }
    return status;
}

static enum status choose(struct db *db, const struct options *o, struct arena *arena,
                          struct error *err)
{
    const char *what = options_operand(o, 0);
    const int operands = options_operand_count(o) - 1;
    if (strcmp(what, "list") == 0 && operands == 0)
        return list(db, o, arena, err);
    if (strcmp(what, "accept") == 0 && operands > 0)
        return decide(db, o, SUGGESTION_ACCEPTED, err);
    if (strcmp(what, "reject") == 0 && operands > 0)
        return decide(db, o, SUGGESTION_REJECTED, err);
    return error_set(err, STATUS_BAD_USAGE,
                     "it is \"list\", \"accept ID...\" or \"reject ID...\"; see verso suggestions "
                     "--help");
}

/* ---- the command ---- */

static int run(const struct options *o)
{
    return database_ask(o, choose);
}

static const struct option_spec specs[] = {
    DATABASE_OPTION,
    { "state", OPTION_TEXT, .value = "STATE", .fallback = "pending",
      .help = "list: pending, accepted or rejected ones" },
    { "limit", OPTION_INT, .value = "N", .fallback = "100", .min = 1, .max = LIST_MAX,
      .help = "list: how many, newest first" },
    { 0 },
};

const struct command command_suggestions = {
    .name = "suggestions",
    .summary = "list, accept or reject translations that people suggest",
    .usage = "list [--state STATE] [--limit N] | accept ID... | reject ID...",
    .description =
        "Nobody is given a suggestion before it was accepted. Then it answers exactly\n"
        "its source text, in place of the model; accepting another one for the same\n"
        "text, or rejecting it, ends that. A running server follows within two seconds.\n",
    .examples = "  verso suggestions list\n"
                "  verso suggestions accept 12 15\n"
                "  verso suggestions list --state accepted\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
