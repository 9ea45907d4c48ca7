/* Reads bodies of registrations, and the verdicts on their knobs. */
#include "cmd/log/registered.h"

#include "cmd/log/verdicts_at.h"
#include "json/json.h"

#include <inttypes.h>

void dl_registrations_init(struct dl_registrations *r, struct dl_job *j,
                           bool heeded)
{
    *r = (struct dl_registrations){.job = j, .heeded = heeded};
    dfopt_cursor_init(&r->rows, j->reader, DFOPT_TABLE_REGISTRATIONS);
    dl_verdicts_init(&r->verdicts, j->reader);
}

void dl_registrations_free(struct dl_registrations *r)
{
    dfopt_cursor_free(&r->rows);
    dfopt_cursor_free(&r->verdicts);
}

static enum dfopt_err take(struct dl_registrations *r, struct json_object *body,
                           struct dl_registered *out)
{
    struct dl_job *j = r->job;
    const struct dfopt_text node = dfopt_json_text(dfopt_json_get(body, "node"));
    out->process = dfopt_json_text(dfopt_json_get(body, "instance")).len > 0;
    out->node = dfopt_dict_find(j->dict, node.at, node.len);
    if (out->node != DFOPT_SYM_NONE)
        return DFOPT_OK;
    return dfopt_error_set(&j->err, DFOPT_ERR_FORMAT,
                           "%s: the node of registration %" PRIu64
                           " is not in /strings",
                           j->args.file[0], r->rows.next);
}

/* A body that is no JSON names no node, as in the analysis. */
static enum dfopt_err parse(struct dl_registrations *r,
                            const struct dfopt_declog_registration_row *row,
                            struct dl_registered *out)
{
    struct json_object *body = NULL;
    const char *text = "";
    enum dfopt_err e = dfopt_declog_reader_text(r->job->reader, DFOPT_POOL_BODY,
                                                row->body, &text, &r->job->err);
    if (e)
        return e;
    e = dfopt_json_parse_file(text, (size_t)(row->body.end - row->body.start),
                              &body, NULL);
    if (e != DFOPT_ERR_NOMEM)
        e = take(r, body, out);
    json_object_put(body);
    return e;
}

/* Reads a row into r->said, once for all of its knobs. */
static enum dfopt_err read_row(struct dl_registrations *r, uint64_t number)
{
    const void *row = NULL;
    if (r->last == number + 1)
        return DFOPT_OK;
    r->last = number + 1;
    r->said = (struct dl_registered){.node = DFOPT_SYM_EMPTY};
    r->rows.next = number;
    enum dfopt_err e = dfopt_cursor_row(&r->rows, &row, &r->job->err);
    return e || !row ? e : parse(r, row, &r->said);
}

struct question {
    dfopt_sym knob;
    bool *refused;
};

static enum dfopt_err see_verdict(void *arg, const struct dfopt_verdict_row *v)
{
    const struct question *q = arg;
    *q->refused |= v->verdict == DFOPT_VERDICT_CONFLICT && v->knob == q->knob;
    return DFOPT_OK;
}

enum dfopt_err dl_registered_by(struct dl_registrations *r,
                                const struct dfopt_declog_knob_row *k,
                                struct dl_registered *out)
{
    *out = (struct dl_registered){.node = DFOPT_SYM_EMPTY};
    enum dfopt_err e = r->heeded ? read_row(r, k->registration) : DFOPT_OK;
    if (e || !r->heeded)
        return e;
    *out = r->said;
    struct question q = {k->knob, &out->refused};
    return dl_verdicts_at(&r->verdicts, k->seq, see_verdict, &q, &r->job->err);
}
