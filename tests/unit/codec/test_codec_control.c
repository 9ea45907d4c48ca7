/* Objectives, and what registrations and acks tell beside knobs and values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codec/codec.h"

#include <stdio.h>
#include <string.h>

#define N_OF(a) (sizeof(a) / sizeof *(a))

static struct dfopt_dict *dict;
static struct dfopt_codec *codec;

static int setup(void **state)
{
    (void)state;
    if (dfopt_dict_create(&dict, false) || dfopt_codec_create(&codec, dict, NULL))
        return 1;
    const struct dfopt_metric_names names = {
        {dfopt_dict_intern_z(dict, "mem_frac"), dfopt_dict_intern_z(dict, "rate")}};
    dfopt_codec_metrics(codec, &names);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    return 0;
}

/* Decodes one; a rejected one must leave nothing in the dictionary. */
static enum dfopt_err decode(int stream, const char *name, const char *json,
                             struct dfopt_event *event, struct dfopt_error *err)
{
    const uint32_t strings = dfopt_dict_strings(dict);
    *err = (struct dfopt_error){0};
    const enum dfopt_err e =
        dfopt_codec_decode(codec, stream, json, strlen(json), event, err);
    if (e && dfopt_dict_strings(dict) != strings)
        fail_msg("%s: interned though rejected", name);
    return e;
}

static void objectives(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json, *node;
        int64_t window;
        double value;
        int goal;
        const char *metrics; /* mem_frac, rate, compute_frac */
    } cases[] = {
        {"all",
         "{\"node\":\"n1\",\"window_index\":12,\"value\":813.5,\"goal\":\"max\","
         "\"metrics\":{\"mem_frac\":0.71,\"other\":[1]}}",
         "n1", 12, 813.5, 1, "0.71 - -"},
        {"shortest", "{\"window_index\":0,\"value\":0}", "", 0, 0, 1, "- - -"},
        {"nulls",
         "{\"node\":null,\"window_index\":12.0,\"value\":true,\"goal\":null,"
         "\"metrics\":null}",
         "", 12, 1, 1, "- - -"},
        {"less is better",
         "{\"window_index\":-1,\"value\":\"12.5e1\",\"goal\":\"min\"}", "", -1, 125,
         -1, "- - -"},
        {"metrics of all kinds",
         "{\"window_index\":1,\"value\":1,\"metrics\":{\"mem_frac\":\"0.5\","
         "\"rate\":"
         "\"x\",\"compute_frac\":false}}",
         "", 1, 1, 1, "0.5 bad 0"},
        {"metrics that are none",
         "{\"window_index\":1,\"value\":1,\"metrics\":{\"mem_frac\":NaN,\"rate\":"
         "null}}",
         "", 1, 1, 1, "bad - -"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_event e;
        struct dfopt_error err;
        char metrics[64] = "";
        if (decode(DFOPT_STREAM_OBJECTIVE, cases[i].name, cases[i].json, &e, &err))
            fail_msg("%s: %s", cases[i].name, err.text);
        const struct dfopt_objective *o = &e.objective;
        const uint32_t slots[] = {DFOPT_METRIC_KNOWN, DFOPT_METRIC_KNOWN + 1,
                                  DFOPT_METRIC_COMPUTE};
        for (size_t k = 0; k < N_OF(slots); k++) {
            const size_t n = strlen(metrics);
            const char *space = k ? " " : "";
            if (o->metric_state[slots[k]] == DFOPT_METRIC_NUMBER)
                snprintf(metrics + n, sizeof metrics - n, "%s%g", space,
                         o->metric[slots[k]]);
            else
                snprintf(metrics + n, sizeof metrics - n, "%s%s", space,
                         o->metric_state[slots[k]] ? "bad" : "-");
        }
        if (strcmp(dfopt_dict_text(dict, o->node, NULL), cases[i].node) != 0 ||
            o->window != cases[i].window || o->value != cases[i].value ||
            o->goal != cases[i].goal || strcmp(metrics, cases[i].metrics) != 0)
            fail_msg("%s: %g %d %s", cases[i].name, o->value, o->goal, metrics);
        dfopt_event_clear(&e);
    }
}

static void bad_objectives(void **state)
{
    (void)state;
    static const struct {
        const char *json, *error;
    } cases[] = {
        {"{\"value\":1}", "window_index is missing"},
        {"{\"window_index\":1}", "value is missing"},
        {"{\"window_index\":1,\"value\":null}", "value is missing"},
        {"{\"window_index\":1,\"value\":\"fast\"}",
         "value must be a finite number, or the text of one"},
        {"{\"window_index\":1,\"value\":NaN}",
         "value must be a finite number, or the text of one"},
        {"{\"window_index\":1,\"value\":[1]}",
         "value must be a finite number, or the text of one"},
        {"{\"window_index\":1.5,\"value\":1}", NULL},
        {"{\"window_index\":\"1\",\"value\":1}", NULL},
        {"{\"window_index\":9007199254740993,\"value\":1}", NULL},
        {"{\"window_index\":1,\"value\":1,\"node\":\"new\",\"goal\":\"most\"}",
         "goal must be max or min"},
        {"{\"window_index\":1,\"value\":1,\"goal\":1}", NULL},
        {"{\"window_index\":1,\"value\":1,\"node\":5}", NULL},
        {"{\"window_index\":1,\"value\":1,\"metrics\":[]}",
         "metrics is not an object"},
        {"[]", NULL},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_event e;
        struct dfopt_error err;
        if (decode(DFOPT_STREAM_OBJECTIVE, cases[i].json, cases[i].json, &e,
                   &err) != DFOPT_ERR_SCHEMA)
            fail_msg("accepted: %s", cases[i].json);
        if (err.text[0] == '\0' ||
            (cases[i].error && strcmp(err.text, cases[i].error) != 0))
            fail_msg("%s: %s", cases[i].json, err.text);
    }
}

/* Of an event log, by the name of the stream. */
static void an_objective_in_an_envelope(void **state)
{
    (void)state;
    struct dfopt_event e;
    struct dfopt_error err;
    assert_int_equal(decode(-1, "envelope",
                            "{\"stream\":\"objective\",\"body\":{\"value\":2,"
                            "\"window_index\":3}}",
                            &e, &err),
                     DFOPT_OK);
    assert_int_equal(e.stream, DFOPT_STREAM_OBJECTIVE);
    assert_true(e.objective.value == 2 && e.enveloped);
    dfopt_event_clear(&e);
}

#define KNOBS(list) "\"knobs\":[" list "]"
#define KNOB(id)    "{\"id\":\"" id "\",\"default\":1}"

static void processes(void **state)
{
    (void)state;
    static const struct {
        const char *json, *node, *instance;
        uint32_t unregister, flaw;
        size_t knobs;
    } cases[] = {
        {"{" KNOBS(KNOB("a")) "}", "", "", 0, DFOPT_FLAW_NONE, 1},
        {"{\"node\":\"n\",\"instance\":\"p\",\"unregister\":false," KNOBS(
             KNOB("a") "," KNOB("b")) "}",
         "n", "p", 0, DFOPT_FLAW_NONE, 2},
        {"{\"node\":null,\"instance\":null,\"unregister\":null}", "", "", 0,
         DFOPT_FLAW_NONE, 0},
        {"{\"unregister\":true}", "", "", 1, DFOPT_FLAW_NONE, 0},
        {"{\"unregister\":true,\"knobs\":7}", "", "", 1, DFOPT_FLAW_KNOBS, 0},
        {"{\"unregister\":true,\"node\":7,\"knobs\":7}", "", "", 1, DFOPT_FLAW_NODE,
         0},
        {"{\"unregister\":1}", "", "", 0, DFOPT_FLAW_UNREGISTER, 0},
        {"{\"node\":1}", "", "", 0, DFOPT_FLAW_NODE, 0},
        {"{\"instance\":[]}", "", "", 0, DFOPT_FLAW_INSTANCE, 0},
        {"{\"namespace\":1}", "", "", 0, DFOPT_FLAW_NAMESPACE, 0},
        {"{\"function_name\":1}", "", "", 0, DFOPT_FLAW_FUNCTION, 0},
        {"{" KNOBS(KNOB("a") "," KNOB("b") "," KNOB("a")) "}", "", "", 0,
         DFOPT_FLAW_DUPLICATE, 3},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_event e;
        struct dfopt_error err;
        if (decode(DFOPT_STREAM_REGISTRATION, cases[i].json, cases[i].json, &e,
                   &err))
            fail_msg("%s: %s", cases[i].json, err.text);
        const struct dfopt_registration *r = &e.registration;
        if (strcmp(dfopt_dict_text(dict, r->node, NULL), cases[i].node) != 0 ||
            strcmp(dfopt_dict_text(dict, r->instance, NULL), cases[i].instance) !=
                0 ||
            r->unregister != cases[i].unregister || r->flaw != cases[i].flaw ||
            r->n_knobs != cases[i].knobs)
            fail_msg("%s: flaw %u, %zu knobs", cases[i].json, r->flaw, r->n_knobs);
        dfopt_event_clear(&e);
    }
}

static void nodes_of_acks(void **state)
{
    (void)state;
    static const struct {
        const char *json, *node;
        uint32_t has;
    } cases[] = {{"{\"plan_id\":\"x\"}", "", 0},
                 {"{\"plan_id\":\"x\",\"target_nodes\":null}", "", 0},
                 {"{\"plan_id\":\"x\",\"target_nodes\":[]}", "", 1},
                 {"{\"plan_id\":\"x\",\"target_nodes\":[\"a\",\"b\"]}", "a", 1}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_event e;
        struct dfopt_error err;
        assert_int_equal(
            decode(DFOPT_STREAM_ACK, cases[i].json, cases[i].json, &e, &err),
            DFOPT_OK);
        assert_int_equal(e.ack.has_nodes, cases[i].has);
        assert_string_equal(dfopt_dict_text(dict, e.ack.node, NULL), cases[i].node);
        dfopt_event_clear(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(objectives, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_objectives, setup, teardown),
        cmocka_unit_test_setup_teardown(an_objective_in_an_envelope, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(processes, setup, teardown),
        cmocka_unit_test_setup_teardown(nodes_of_acks, setup, teardown),
    };
    return cmocka_run_group_tests_name("codec control", tests, NULL, NULL);
}
