/* The planner when memory runs out: an error, and it can still be destroyed. */
#include "support/nomem.h"

#include "codec/codec.h"
#include "support/nomem_records.h"
#include "planner/planner.h"

#include <string.h>

/* Events of all kinds, in an order that makes plans on the way: for the node and
 * the job, an ack, a step that helps and is followed by the next, a global plan, a
 * process that comes and one that leaves. */
static const struct record {
    int stream;
    const char *text;
} records[] = {
    {DFOPT_STREAM_REGISTRATION, NOMEM_REGISTRATION},
    {DFOPT_STREAM_OBJECTIVE, NOMEM_OBJECTIVE(1, 10)},
    {DFOPT_STREAM_OBJECTIVE, NOMEM_OBJECTIVE(2, 10)},
    {DFOPT_STREAM_REGISTRATION, NOMEM_PROCESS},
    {DFOPT_STREAM_FINDING, NOMEM_FINDING},
    {DFOPT_STREAM_ACK, NOMEM_ACK},
    {DFOPT_STREAM_OBJECTIVE, NOMEM_OBJECTIVE(5, 20)},
    {DFOPT_STREAM_OBJECTIVE, NOMEM_OBJECTIVE(6, 20)},
    {DFOPT_STREAM_FINDING, NOMEM_JOB_FINDING},
    {DFOPT_STREAM_GLOBAL_PLAN, NOMEM_GLOBAL_PLAN},
    {DFOPT_STREAM_REGISTRATION, NOMEM_REGISTRATION},
    {DFOPT_STREAM_FINDING, NOMEM_FINDING},
    {DFOPT_STREAM_REGISTRATION, NOMEM_LEAVES},
    {DFOPT_STREAM_FINDING, NOMEM_FINDING},
};
#define RECORDS (sizeof records / sizeof *records)

static struct dfopt_dict *dict;
static struct dfopt_codec *codec;
static struct dfopt_event events[RECORDS];
static struct dfopt_policy policy;

static enum dfopt_err take(struct dfopt_planner *p, uint64_t seq,
                           const struct dfopt_event *x, struct dfopt_decisions *out)
{
    switch (x->stream) {
    case DFOPT_STREAM_REGISTRATION:
        return dfopt_planner_register(p, seq, &x->registration, out);
    case DFOPT_STREAM_FINDING:
        return dfopt_planner_finding(p, seq, &x->finding, out);
    case DFOPT_STREAM_ACK:
        return dfopt_planner_ack(p, seq, &x->ack, out);
    case DFOPT_STREAM_OBJECTIVE:
        return dfopt_planner_objective(p, seq, &x->objective, out);
    default:
        return dfopt_planner_global_plan(p, seq, &x->global_plan, out);
    }
}

static enum dfopt_err plan(void)
{
    const struct dfopt_planner_config config = {.policy = &policy};
    struct dfopt_planner *p = NULL;
    struct dfopt_decisions out = {.plans = {0}};
    struct dfopt_buf rows = {0}, suppressions = {0};
    enum dfopt_err e = dfopt_planner_create(&p, dict, &config);
    for (size_t i = 0; i < RECORDS && !e; i++)
        e = take(p, i, &events[i], &out);
    if (!e)
        e = dfopt_planner_state(p, true, &rows, &suppressions);
    if (!e) {
        assert_true(DFOPT_ROWS(&out.plans, struct dfopt_plan) >= 4);
        assert_true(out.outcomes.len);
    }
    dfopt_buf_free(&rows);
    dfopt_buf_free(&suppressions);
    dfopt_decisions_free(&out);
    dfopt_planner_destroy(p);
    return e;
}

static int setup(void **state)
{
    (void)state;
    dfopt_policy_preset(&policy, DFOPT_PRESET_DEFAULT);
    if (dfopt_dict_create(&dict, false) || dfopt_codec_create(&codec, dict, NULL))
        return -1;
    for (size_t i = 0; i < RECORDS; i++)
        if (dfopt_codec_decode(codec, records[i].stream, records[i].text,
                               strlen(records[i].text), &events[i], NULL))
            return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < RECORDS; i++)
        dfopt_event_clear(&events[i]);
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    return 0;
}

static void each_allocation(void **state)
{
    (void)state;
    static const struct nomem_case all = {"planner", plan, false};
    nomem_each(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
