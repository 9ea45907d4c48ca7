/* The codec when memory runs out: records, files, frames, output. */
#include "support/nomem.h"

#include "codec/codec.h"
#include "policy/policy_json.h"
#include "engine/comm/frame.h"
#include "policy/sweep_json.h"
#include "support/nomem_records.h"

#include <string.h>

/* ---- what comes in ---- */

/* Whatever failed before, the codec decodes with memory what it could not without.
 */
static enum dfopt_err decode(int stream, const char *text)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_codec *c = NULL;
    struct dfopt_event x;
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e)
        e = dfopt_codec_create(&c, dict, NULL);
    if (!e) {
        e = dfopt_codec_decode(c, stream, text, strlen(text), &x, NULL);
        const size_t left = nomem_left;
        nomem_left = 0;
        if (!e)
            dfopt_event_clear(&x);
        assert_int_equal(
            dfopt_codec_decode(c, stream, text, strlen(text), &x, NULL), DFOPT_OK);
        dfopt_event_clear(&x);
        nomem_left = left;
    }
    dfopt_codec_destroy(c);
    dfopt_dict_destroy(dict);
    return e;
}

static enum dfopt_err finding(void)
{
    return decode(DFOPT_STREAM_FINDING, NOMEM_FINDING);
}

static enum dfopt_err odd_finding(void)
{
    return decode(DFOPT_STREAM_FINDING, NOMEM_JOB_FINDING);
}

static enum dfopt_err registration(void)
{
    return decode(DFOPT_STREAM_REGISTRATION, NOMEM_REGISTRATION);
}

static enum dfopt_err ack(void)
{
    return decode(-1, "{\"stream\":\"ack\",\"body\":" NOMEM_ACK "}");
}

static enum dfopt_err global_plan(void)
{
    return decode(DFOPT_STREAM_GLOBAL_PLAN, NOMEM_GLOBAL_PLAN);
}

static enum dfopt_err registry(void)
{
    static const char text[] = "[" NOMEM_REGISTRATION "," NOMEM_REGISTRATION "]";
    struct dfopt_dict *dict = NULL;
    struct dfopt_codec *c = NULL;
    struct dfopt_registration *found = NULL;
    struct dfopt_buf bodies = {0};
    size_t n = 0;
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e)
        e = dfopt_codec_create(&c, dict, NULL);
    if (!e)
        e = dfopt_codec_registry(c, text, sizeof text - 1, &found, &n, &bodies,
                                 NULL);
    for (size_t i = 0; i < n; i++)
        dfopt_registration_clear(&found[i]);
    free(found);
    dfopt_buf_free(&bodies);
    dfopt_codec_destroy(c);
    dfopt_dict_destroy(dict);
    return e;
}

static enum dfopt_err policy(void)
{
    static const char text[] =
        "{\"switches\":{\"reject_cooldown\":false},\"responses\":{\"tag:t\":"
        "{\"step\":3},\"knob:app.m\":{\"set_to\":\"b\"},\"*\":{\"min_severity\":0}}"
        "}";
    struct dfopt_dict *dict = NULL;
    struct dfopt_policy p;
    struct dfopt_buf out = {0};
    dfopt_policy_preset(&p, DFOPT_PRESET_DEFAULT);
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e)
        e = dfopt_policy_read(dict, text, sizeof text - 1, &p, NULL);
    if (!e)
        e = dfopt_policy_json(dict, &p, &out);
    dfopt_buf_free(&out);
    dfopt_policy_clear(&p);
    dfopt_dict_destroy(dict);
    return e;
}

static enum dfopt_err sweep(void)
{
    static const char text[] =
        "{\"with_base\":true,\"sample\":{\"n\":3,\"over\":{\"responses.*.set_to\":"
        "[\"a\",1],\"responses.tag:t.step\":{\"from\":1,\"to\":9}}}}";
    struct dfopt_dict *dict = NULL;
    struct dfopt_policy base;
    struct dfopt_sweep_variants v = {0};
    dfopt_policy_preset(&base, DFOPT_PRESET_DEFAULT);
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e)
        e = dfopt_sweep_read(dict, text, sizeof text - 1, &base, &v, NULL);
    if (!e)
        dfopt_sweep_variants_free(&v);
    dfopt_policy_clear(&base);
    dfopt_dict_destroy(dict);
    return e;
}

/* ---- frames ---- */

struct peers {
    struct dfopt_dict *dict, *replica;
    struct dfopt_codec *codec;
    struct dfopt_event x;
    struct dfopt_frame_known peer;
    struct dfopt_buf out;
};

static enum dfopt_err put(struct peers *p, struct dfopt_frame *f)
{
    enum dfopt_err e = dfopt_frame_begin(f, &p->out, p->dict, &p->peer);
    if (!e)
        e = dfopt_frame_registration(f, 1, &p->x.registration);
    if (!e)
        dfopt_frame_end(f, DFOPT_FRAME_EVENTS, 1);
    return e;
}

static enum dfopt_err get(struct peers *p)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    struct dfopt_registration got;
    uint64_t seq;
    enum dfopt_err next, e = dfopt_frame_open(&r, p->out.data, p->out.len, NULL);
    while (!e && dfopt_frame_next(&r, &item, &next)) {
        if (item.kind != DFOPT_ITEM_REGISTRATION) {
            e = dfopt_item_define(p->replica, &item);
            continue;
        }
        e = dfopt_item_registration(&item, &seq, &got);
        if (!e)
            dfopt_registration_clear(&got);
    }
    return e;
}

static enum dfopt_err frames(void)
{
    struct peers p = {.dict = NULL};
    struct dfopt_frame f;
    enum dfopt_err e = dfopt_dict_create(&p.dict, false);
    if (!e)
        e = dfopt_dict_create(&p.replica, true);
    if (!e)
        e = dfopt_codec_create(&p.codec, p.dict, NULL);
    if (!e)
        e = dfopt_codec_decode(p.codec, DFOPT_STREAM_REGISTRATION,
                               NOMEM_REGISTRATION, sizeof NOMEM_REGISTRATION - 1,
                               &p.x, NULL);
    if (!e)
        e = put(&p, &f);
    if (!e)
        e = get(&p);
    dfopt_event_clear(&p.x);
    dfopt_frame_known_free(&p.peer);
    dfopt_buf_free(&p.out);
    dfopt_codec_destroy(p.codec);
    dfopt_dict_destroy(p.replica);
    dfopt_dict_destroy(p.dict);
    return e;
}

/* ---- what goes out ---- */

static enum dfopt_err output(void)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_buf body = {0}, metadata = {0};
    struct dfopt_plan plan = {.relay_id = DFOPT_SYM_NONE,
                              .rationale = DFOPT_SYM_NONE};
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e) {
        plan.knob = dfopt_dict_intern_z(dict, "app.m");
        plan.node = dfopt_dict_intern_z(dict, "n1");
        plan.new_value = dfopt_value_str(dfopt_dict_intern_z(dict, "\"\n\xc3\xa9"));
        if (plan.knob == DFOPT_SYM_NONE || plan.node == DFOPT_SYM_NONE ||
            plan.new_value.str == DFOPT_SYM_NONE)
            e = DFOPT_ERR_NOMEM;
    }
    if (!e)
        e = dfopt_codec_plan_json(dict, &plan, 0, &body);
    if (!e)
        e = dfopt_codec_plan_metadata(dict, &plan, 0, &metadata);
    dfopt_buf_free(&body);
    dfopt_buf_free(&metadata);
    dfopt_dict_destroy(dict);
    return e;
}

static const struct nomem_case cases[] = {
    {"finding", finding, .does_without = true}, /* json-c's decoder, then */
    {"odd finding", odd_finding, .does_without = true},
    {"registration", registration, false},
    {"ack", ack, false},
    {"global plan", global_plan, false},
    {"registry file", registry, false},
    {"policy file", policy, false},
    {"sweep file", sweep, false},
    {"frames", frames, false},
    {"output", output, false},
};

static void each_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        nomem_each(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
