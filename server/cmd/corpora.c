/*
 * corpora.c - options to corpora, corpora to a vocabulary.
 */
#include "server/cmd/corpora.h"

#include "base/files.h"
#include "server/cmd/progress.h"

#define BAD_LINES_SAID 10

static void say_bad_line(void *context, const char *what)
{
    struct corpora *c = context;
    c->bad_lines_said++;
    if (c->quiet)
        return;
    if (c->bad_lines_said <= BAD_LINES_SAID)
        fprintf(stderr, "left out: %s\n", what);
    else if (c->bad_lines_said == BAD_LINES_SAID + 1)
        fprintf(stderr, "left out: more bad lines, only counted from here on\n");
}

enum status corpora_from_options(struct corpora *c, const struct options *o, const char *name,
                                 bool with_operands, struct error *err)
{
    static const char *const policies[] = { "refuse", "skip", NULL };
    int policy, count;
    enum status status = option_choice(o, "on-bad-line", policies, &policy, err);
    if (status != STATUS_OK)
        return status;
    *c = (struct corpora){
        .options = { .skip_bad_lines = policy == 1, .on_bad_line = say_bad_line, .context = c }
    };
    const char *const *files = options_list(o, name, &count);
    for (int i = 0; i < count; i++)
        c->paths[c->count++] = files[i];
    for (int i = 0; with_operands && i < options_operand_count(o); i++)
        c->paths[c->count++] = options_operand(o, i);
    return c->count > 0 ? STATUS_OK : options_need(o, err, name, NULL);
}

json_t *corpora_names(const struct corpora *c)
{
    json_t *names = json_array();
    for (int i = 0; i < c->count; i++)
        json_array_append_new(names, json_string(path_name(c->paths[i])));
    return names;
}

/* ---- learning a vocabulary ---- */

static void show_merges(void *context, int done, int wanted)
{
    progress_show(context, wanted > 0 ? (double)done / wanted : 1, "%d of %d pieces", done, wanted);
}

static enum status add_lines(struct learner *learner, struct corpus *corpus,
                             struct progress *progress, struct error *err)
{
    struct corpus_pair pair;
    long lines = 0;
    enum status status;
    while ((status = corpus_next(corpus, &pair, err)) == STATUS_OK && pair.source) {
        status = learner_add(learner, pair.source, pair.source_len, err);
        if (status == STATUS_OK && pair.target)
            status = learner_add(learner, pair.target, pair.target_len, err);
        if (status != STATUS_OK)
            return status;
        lines++;
        progress_show(progress, corpus_progress(corpus), "%ld lines", lines);
    }
    if (status == STATUS_OK && lines == 0)
        return error_set(err, STATUS_BAD_INPUT,
                         "the corpus has no line to learn a vocabulary from (%ld bad ones)",
                         corpus_bad_lines(corpus));
    return status;
}

static enum status read_corpora(struct corpora *c, struct learner *learner, struct error *err)
{
    struct corpus *corpus;
    enum status status = corpus_open(&corpus, c->paths, c->count, &c->options, err);
    if (status != STATUS_OK)
        return status;
    struct progress progress = progress_start(c->quiet ? NULL : stderr, "reading");
    status = add_lines(learner, corpus, &progress, err);
    progress_end(&progress);
    corpus_close(corpus);
    return status;
}

enum status corpora_learn_vocabulary(struct corpora *c, struct learn_options options,
                                     struct vocabulary **out, struct error *err)
{
    struct learner *learner;
    struct progress progress = progress_start(c->quiet ? NULL : stderr, "learning vocabulary");
    *out = NULL;
    options.on_progress = show_merges;
    options.context = &progress;
    enum status status = learner_new(&learner, options, err);
    if (status != STATUS_OK)
        return status;
    status = read_corpora(c, learner, err);
    if (status == STATUS_OK)
        status = learner_finish(learner, out, err);
    progress_end(&progress);
    learner_free(learner);
    c->options.on_bad_line = NULL;
    return status;
}
