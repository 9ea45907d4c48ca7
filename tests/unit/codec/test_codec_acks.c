/* Acks and global plans in. */
#include "messages_fixture.h"

/* ---- acks ---- */

static const struct {
    const char *name, *json, *want, *error;
} ack_cases[] = {
    {"nothing", "{}", NULL,
     "has none of the fields of an acknowledgement (plan_id, status, knob_id, "
     "...)"},
    {"a registration", "{\"knobs\":[],\"plan_id\":\"p\"}", NULL,
     "not an acknowledgement: this looks like a registration (it has knobs); pass "
     "it "
     "to --registry-file or send it to --registry-address"},
    {"a finding", "{\"severity_score\":1,\"window_index\":2}", NULL,
     "not an acknowledgement: this looks like a finding (it has severity_score); "
     "pass it to --findings-file or send it to --address"},
    {"all null",
     "{\"plan_id\":null,\"knob_id\":null,\"status\":null,\"old_value\":null,"
     "\"new_value\":null,\"reason\":null,\"window_index\":null,\"target_nodes\":"
     "null}",
     "'' no other '' '' -1 '' old=null new=null", NULL},
    {"as applications send it",
     "{\"plan_id\":\"plan_00000000001a0000\",\"knob_id\":\"k\",\"status\":"
     "\"applied\","
     "\"old_value\":2,\"new_value\":4.0,\"reason\":\"ok\"}",
     "'plan_00000000001a0000' 1a0000 applied 'k' '' -1 'ok' old=2 new=4.0", NULL},
    {"full",
     "{\"plan_id\":\"p\",\"status\":\"rejected\",\"window_index\":7.0,"
     "\"target_nodes\":[\"n1\",\"n2\"],\"old_value\":\"x\",\"new_value\":false}",
     "'p' no rejected '' 'n1' 7 '' old=\"x\" new=false", NULL},
    {"deferred, negative window, no nodes",
     "{\"status\":\"deferred\",\"window_index\":-5,\"target_nodes\":[]}",
     "'' no deferred '' '' -5 '' old=null new=null", NULL},
    {"upper case id", "{\"plan_id\":\"plan_00000000001A0000\"}",
     "'plan_00000000001A0000' no other '' '' -1 '' old=null new=null", NULL},
    {"status 'other'", "{\"status\":\"other\"}",
     "'' no other '' '' -1 '' old=null new=null", NULL},
    {"odd types that do not matter", "{\"plan_id\":7,\"status\":[],\"reason\":{}}",
     "'' no other '' '' -1 '' old=null new=null", NULL},
    {"knob_id number", "{\"knob_id\":1}", NULL, "knob_id is not a string"},
    {"nodes text", "{\"target_nodes\":\"n\"}", NULL,
     "target_nodes is not a list of strings"},
    {"nodes mixed", "{\"target_nodes\":[\"n\",1]}", NULL,
     "target_nodes is not a list of strings"},
    {"window text", "{\"window_index\":\"1\"}", NULL,
     "window_index is not a whole number of at most 2^53"},
    {"window fraction", "{\"window_index\":1.5}", NULL,
     "window_index is not a whole number of at most 2^53"},
    {"new_value list", "{\"new_value\":[1]}", NULL,
     "new_value has a list or object where a single value belongs"},
    {"old_value beyond int64", "{\"old_value\":9223372036854775808}", NULL,
     "old_value has an integer that needs more than 64 bits"},
};

static void test_acks(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(ack_cases); i++) {
        const char *name = ack_cases[i].name, *json = ack_cases[i].json;
        struct dfopt_event event;
        struct dfopt_error err = {0};
        enum dfopt_err e = dfopt_codec_decode(codec, DFOPT_STREAM_ACK, json,
                                              strlen(json), &event, &err);
        if (!ack_cases[i].want) {
            if (e != DFOPT_ERR_SCHEMA || strcmp(err.text, ack_cases[i].error) != 0)
                fail_msg("%s: code %d, \"%s\"", name, e, err.text);
            continue;
        }
        if (e)
            fail_msg("%s: rejected: %s", name, err.text);
        const struct dfopt_ack *a = &event.ack;
        char id[24] = "no";
        if (a->known_form)
            snprintf(id, sizeof id, "%llx", (unsigned long long)a->plan_id);
        dfopt_buf_clear(&seen);
        dfopt_buf_printf(&seen, "'%.*s' %s %s '%s' '%s' %lld '%.*s'",
                         (int)event.plan_id_len, event.plan_id, id,
                         dfopt_ack_status_name(a->status), text_of(a->knob),
                         text_of(a->node), (long long)a->window,
                         (int)event.reason_len, event.reason);
        show_value("old", a->old_value);
        show_value("new", a->new_value);
        dfopt_buf_add(&seen, "", 1);
        if (strcmp(seen.data, ack_cases[i].want) != 0)
            fail_msg("%s:\n got  %s\n want %s", name, seen.data, ack_cases[i].want);
    }
}

/* ---- global plans ---- */

#define PLAN(more) "{\"plan_id\":\"p\",\"knob_id\":\"k\"" more "}"

static const struct {
    const char *name, *json, *want, *error;
} plan_cases[] = {
    {"the least", PLAN(""),
     "p k '' next_window 'global optimizer' global '' 0 -1 [] new=null", NULL},
    {"null is default",
     PLAN(",\"target_function\":null,\"apply_when\":null,\"rationale\":null,"
          "\"finding_type\":null,\"opportunity_tag\":null,\"severity\":null,"
          "\"window_index\":null,\"target_nodes\":null,\"new_value\":null"),
     "p k '' next_window 'global optimizer' global '' 0 -1 [] new=null", NULL},
    {"all given",
     PLAN(",\"target_function\":\"f\",\"apply_when\":\"w\",\"rationale\":\"r\","
          "\"finding_type\":\"t\",\"opportunity_tag\":\"g\",\"severity\":0.5,"
          "\"window_index\":3,\"target_nodes\":[\"a\",\"b\"],\"new_value\":8,"
          "\"old_value\":[]"),
     "p k 'f' w 'r' t 'g' 0.5 3 [a b] new=8", NULL},
    {"no plan_id", "{\"knob_id\":\"k\"}", NULL, "plan_id is missing"},
    {"no knob_id", "{\"plan_id\":\"p\",\"knob_id\":null}", NULL,
     "knob_id is missing"},
    {"plan_id number", "{\"plan_id\":1,\"knob_id\":\"k\"}", NULL,
     "plan_id is not a string"},
    {"severity text", PLAN(",\"severity\":\"0.5\""), NULL,
     "severity is not a finite number"},
    {"severity NaN", PLAN(",\"severity\":NaN"), NULL,
     "severity is not a finite number"},
    {"window fraction", PLAN(",\"window_index\":0.5"), NULL,
     "window_index is not a whole number of at most 2^53"},
    {"nodes text", PLAN(",\"target_nodes\":\"a\""), NULL,
     "target_nodes is not a list of strings"},
    {"node empty", PLAN(",\"target_nodes\":[\"a\",\"\"]"), NULL,
     "target_nodes has an empty name"},
    {"new_value list", PLAN(",\"new_value\":[]"), NULL,
     "new_value has a list or object where a single value belongs"},
    {"new_value beyond int64", PLAN(",\"new_value\":18446744073709551615"), NULL,
     "new_value has an integer that needs more than 64 bits"},
    {"rationale number", PLAN(",\"rationale\":1"), NULL,
     "rationale is not a string"},
};

static void test_global_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(plan_cases); i++) {
        const char *name = plan_cases[i].name, *json = plan_cases[i].json;
        struct dfopt_event event;
        struct dfopt_error err = {0};
        uint32_t before = dfopt_dict_strings(dict);
        enum dfopt_err e = dfopt_codec_decode(codec, DFOPT_STREAM_GLOBAL_PLAN, json,
                                              strlen(json), &event, &err);
        if (!plan_cases[i].want) {
            if (e != DFOPT_ERR_SCHEMA || strcmp(err.text, plan_cases[i].error) != 0)
                fail_msg("%s: code %d, \"%s\"", name, e, err.text);
            assert_int_equal(dfopt_dict_strings(dict), before);
            continue;
        }
        if (e)
            fail_msg("%s: rejected: %s", name, err.text);
        const struct dfopt_global_plan *g = &event.global_plan;
        dfopt_buf_clear(&seen);
        dfopt_buf_printf(&seen, "%s %s '%s' %s '%s' %s '%s' %g %lld [",
                         text_of(g->plan_id), text_of(g->knob),
                         text_of(g->target_function), text_of(g->apply_when),
                         text_of(g->rationale), text_of(g->finding_type),
                         text_of(g->tag), g->severity, (long long)g->window);
        size_t n;
        const dfopt_sym *nodes = dfopt_dict_items(dict, g->target_nodes, &n);
        for (size_t j = 0; j < n; j++)
            dfopt_buf_printf(&seen, "%s%s", j ? " " : "", text_of(nodes[j]));
        dfopt_buf_printf(&seen, "]");
        show_value("new", g->new_value);
        dfopt_buf_add(&seen, "", 1);
        if (strcmp(seen.data, plan_cases[i].want) != 0)
            fail_msg("%s:\n got  %s\n want %s", name, seen.data,
                     plan_cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_acks, setup, teardown_seen),
        cmocka_unit_test_setup_teardown(test_global_plans, setup, teardown_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
