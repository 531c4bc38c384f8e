/* request.c - what a request waits for. */
#include "server/jobs/request.h"

struct live_model *request_model(const struct request *r)
{
    return r->hops[r->hop];
}

int request_n_best(const struct request *r)
{
    return r->hop == r->hop_count - 1 ? r->n_best : 1;
}

enum status request_echo(struct request *r, struct error *err)
{
    r->answers = arena_array(&r->arena, struct engine_answer, r->text_count);
    if (!r->answers)
        return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
    for (int i = 0; i < r->text_count; i++)
        r->answers[i] = (struct engine_answer){ .text = r->texts[i].text, .len = r->texts[i].len };
    return STATUS_OK;
}
