/* One rank of a replay, and its slice as text. */
#ifndef DFOPT_TESTS_SLICE_TEXT_H
#define DFOPT_TESTS_SLICE_TEXT_H

#include "engine/replay/slice.h"
#include "support/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RECORD ((size_t)700)
#define FIRST_SEQ  ((uint64_t)1000000)
#define PLANNERS   3
#define WHOLE      ((uint64_t)1 << 40)

/* ---- one rank ---- */

struct rank {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    struct dfopt_router router;
    struct dfopt_slice slice;
};

static inline void rank_open(struct rank *r, bool replica)
{
    const struct dfopt_codec_limits limits = {.max_record_bytes = MAX_RECORD};
    *r = (struct rank){.dict = NULL};
    assert_int_equal(dfopt_dict_create(&r->dict, replica), DFOPT_OK);
    assert_int_equal(dfopt_codec_create(&r->codec, r->dict, &limits), DFOPT_OK);
    dfopt_policy_preset(&r->policy, DFOPT_PRESET_DEFAULT);
    r->router = (struct dfopt_router){
        .dict = r->dict, .policy = &r->policy, .planners = PLANNERS};
    r->slice = (struct dfopt_slice){.dict = r->dict,
                                    .codec = r->codec,
                                    .policy = &r->policy,
                                    .router = &r->router};
    assert_int_equal(dfopt_slice_init(&r->slice), DFOPT_OK);
}

static inline void rank_close(struct rank *r)
{
    dfopt_slice_free(&r->slice);
    dfopt_router_free(&r->router);
    dfopt_policy_clear(&r->policy);
    dfopt_codec_destroy(r->codec);
    dfopt_dict_destroy(r->dict);
}

/* ---- slices as text ---- */

static inline void put(struct dfopt_buf *out, const char *text)
{
    assert_int_equal(dfopt_buf_add(out, text, strlen(text)), DFOPT_OK);
}

/* Texts, NULs and all. A number that holds on one rank only is a failure. */
static inline void put_text(const struct rank *r, dfopt_sym s,
                            struct dfopt_buf *out)
{
    size_t n;
    const char *text = dfopt_dict_text(r->dict, s, &n);
    if (dfopt_sym_is_local(s) || (s >= dfopt_dict_strings(r->dict)))
        fail_msg("string %08x (\"%s\") has no number that all know", s, text);
    put(out, " '");
    assert_int_equal(dfopt_buf_add(out, text, n), DFOPT_OK);
    put(out, "'");
}

static inline void put_list(const struct rank *r, dfopt_list l,
                            struct dfopt_buf *out)
{
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(r->dict, l, &n);
    if (l >= dfopt_dict_lists(r->dict))
        fail_msg("list %08x has no number that all know", l);
    put(out, " [");
    for (size_t i = 0; i < n; i++)
        put_text(r, items[i], out);
    put(out, "]");
}

static inline void put_value(const struct rank *r, struct dfopt_value v,
                             struct dfopt_buf *out)
{
    if (v.kind == DFOPT_KIND_STR)
        put_text(r, v.str, out);
    else
        assert_int_equal(dfopt_buf_printf(out, " %u:%" PRId64, v.kind, v.i),
                         DFOPT_OK);
}

static inline void put_finding(const struct rank *r, const struct dfopt_finding *f,
                               struct dfopt_buf *out)
{
    const dfopt_sym s[] = {f->type, f->scope, f->node, f->motif, f->trend_text};
    for (size_t i = 0; i < N_OF(s); i++)
        put_text(r, s[i], out);
    put_list(r, f->tags, out);
    put_list(r, f->suppresses, out);
    /* what is no string, in hexadecimal */
    const unsigned char *rest = (const unsigned char *)&f->trend;
    for (const unsigned char *end = (const unsigned char *)(f + 1); rest < end;
         rest++)
        assert_int_equal(dfopt_buf_printf(out, "%02x", *rest), DFOPT_OK);
}

static inline void put_registration(const struct rank *r,
                                    const struct dfopt_registration *g,
                                    struct dfopt_buf *out)
{
    if (g->n_knobs == 0)
        return;
    put_text(r, g->name_space, out);
    put_text(r, g->function, out);
    for (size_t i = 0; i < g->n_knobs; i++) {
        const struct dfopt_knob *k = &g->knobs[i];
        const dfopt_sym s[] = {k->id, k->parameter, k->target_function, k->scope};
        for (size_t j = 0; j < N_OF(s); j++)
            put_text(r, s[j], out);
        put_value(r, k->default_value, out);
        for (size_t j = 0; j < k->n_values; j++)
            put_value(r, k->values[j], out);
        for (size_t j = 0; j < k->n_responses; j++) {
            put_text(r, k->responses[j].tag, out);
            put_text(r, k->responses[j].apply_when, out);
            put_value(r, k->responses[j].set_to, out);
        }
    }
}

/* One line of the rows of an event, `kind` before it. */
static inline void put_head(uint64_t seq, const char *kind, struct dfopt_buf *out)
{
    assert_int_equal(dfopt_buf_printf(out, "%" PRIu64 " %s", seq, kind), DFOPT_OK);
}

static inline void put_findings(const struct rank *r, struct dfopt_buf *out)
{
    const struct dfopt_buf *b = &r->slice.batch.findings;
    const struct dfopt_finding_row *row =
        DFOPT_ROW(b, const struct dfopt_finding_row);
    for (size_t i = 0; i < DFOPT_ROWS(b, struct dfopt_finding_row); i++) {
        put_head(row[i].seq, "finding", out);
        put_finding(r, &row[i].f, out);
        put(out, "\n");
    }
}

static inline void put_rejects(const struct rank *r, struct dfopt_buf *out)
{
    const struct dfopt_buf *b = &r->slice.batch.rejects;
    const struct dfopt_declog_reject_row *row =
        DFOPT_ROW(b, const struct dfopt_declog_reject_row);
    for (size_t i = 0; i < DFOPT_ROWS(b, struct dfopt_declog_reject_row); i++) {
        put_head(row[i].seq, "reject", out);
        dfopt_buf_printf(out, " of %u at %" PRIu64, row[i].stream, row[i].line);
        put_text(r, row[i].origin, out);
        put_text(r, row[i].reason, out);
        put(out, "\n");
    }
}

static inline void put_acks(const struct rank *r, struct dfopt_buf *out)
{
    const struct dfopt_buf *b = &r->slice.batch.acks;
    const struct dfopt_batch_ack *a = DFOPT_ROW(b, const struct dfopt_batch_ack);
    for (size_t i = 0; i < DFOPT_ROWS(b, struct dfopt_batch_ack); i++) {
        put_head(a[i].seq, "ack", out);
        put_text(r, a[i].given.knob, out);
        put_text(r, a[i].given.node, out);
        put_value(r, a[i].given.old_value, out);
        put_value(r, a[i].given.new_value, out);
        dfopt_buf_printf(out, " %.*s %.*s\n", (int)a[i].plan_id_len,
                         r->slice.batch.texts.data + a[i].plan_id,
                         (int)a[i].reason_len,
                         r->slice.batch.texts.data + a[i].reason);
    }
}

static inline void put_registrations(const struct rank *r, struct dfopt_buf *out)
{
    const struct dfopt_buf *b = &r->slice.batch.registrations;
    const struct dfopt_batch_registration *g =
        DFOPT_ROW(b, const struct dfopt_batch_registration);
    for (size_t i = 0; i < DFOPT_ROWS(b, struct dfopt_batch_registration); i++) {
        put_head(g[i].seq,
                 g[i].rejected ? "registration, rejected" : "registration", out);
        put_registration(r, &g[i].accepted, out);
        dfopt_buf_printf(out, " %.*s\n", (int)g[i].body_len,
                         r->slice.batch.texts.data + g[i].body);
    }
}

static inline void put_slice(const struct rank *r, struct dfopt_buf *out)
{
    const struct dfopt_slice *s = &r->slice;
    const uint32_t *reporter = DFOPT_ROW(&s->batch.reporter, const uint32_t);
    put_findings(r, out);
    put_rejects(r, out);
    put_acks(r, out);
    put_registrations(r, out);
    for (uint32_t i = 0; i < s->batch.n_events; i++)
        dfopt_buf_printf(out, "%" PRIu64 " of %u\n", s->batch.first_seq + i,
                         reporter[i]);
    for (size_t i = 0; i < DFOPT_STREAM_COUNT; i++)
        dfopt_buf_printf(out, "%s %" PRIu64 "\n", dfopt_stream_name((uint32_t)i),
                         s->by_stream[i]);
    dfopt_buf_printf(out, "lines %" PRIu64 " of", s->lines);
    if (s->origin != DFOPT_SYM_NONE)
        put_text(r, s->origin, out);
    put(out, "\n");
}

static inline void expect_same(const char *name, const struct rank *got,
                               const struct rank *want)
{
    struct dfopt_buf a = {0}, b = {0};
    put_slice(got, &a);
    put_slice(want, &b);
    if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
        fail_msg("%s:\ngot:\n%.*swant:\n%.*s", name, (int)a.len, a.data, (int)b.len,
                 b.data);
    dfopt_buf_free(&a);
    dfopt_buf_free(&b);
}

#endif
