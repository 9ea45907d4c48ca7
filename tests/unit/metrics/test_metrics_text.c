/* The exposition in both formats, and which one a client gets. */
#include "metrics/text.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

struct world {
    struct dfopt_dict *dict;
    struct dfopt_snapshot *s;
    struct dfopt_buf text;
};

static void begin(struct world *w)
{
    *w = (struct world){.s = calloc(1, sizeof *w->s)};
    assert_non_null(w->s);
    assert_int_equal(dfopt_dict_create(&w->dict, false), DFOPT_OK);
    dfopt_counts_init(&w->s->counts);
    w->s->version = "0.1.0";
    w->s->transport = "zmq";
    w->s->started_ns = INT64_C(1700000000250000000);
}

static void end(struct world *w)
{
    dfopt_counts_free(&w->s->counts);
    dfopt_dict_destroy(w->dict);
    dfopt_buf_free(&w->text);
    free(w->s);
}

static void write_text(struct world *w, bool openmetrics)
{
    dfopt_buf_clear(&w->text);
    assert_int_equal(dfopt_metrics_text(w->s, openmetrics, &w->text), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&w->text, "", 1), DFOPT_OK);
}

static void assert_has(const struct world *w, const char *lines)
{
    if (!strstr(w->text.data, lines))
        fail_msg("missing:\n%s\n\n%s", lines, w->text.data);
}

static void assert_lacks(const struct world *w, const char *text)
{
    if (strstr(w->text.data, text))
        fail_msg("'%s' in\n%s", text, w->text.data);
}

static void test_types(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    write_text(&w, true);
    assert_has(&w, "# TYPE dfopt_events counter\n"
                   "# HELP dfopt_events Usable records received, by stream.\n"
                   "dfopt_events_total{stream=\"finding\"} 0\n");
    assert_has(&w, "# TYPE dfopt_build info\n");
    assert_has(&w, "# UNIT dfopt_start_time_seconds seconds\n");
    assert_has(&w, "\ndfopt_start_time_seconds 1700000000.25\n");
    assert_string_equal(w.text.data + w.text.len - 1 - strlen("\n# EOF\n"),
                        "\n# EOF\n");
    write_text(&w, false);
    assert_has(&w, "# TYPE dfopt_events_total counter\n"
                   "# HELP dfopt_events_total Usable records received, by stream.\n"
                   "dfopt_events_total{stream=\"finding\"} 0\n");
    assert_has(&w, "# TYPE dfopt_build_info gauge\n");
    assert_lacks(&w, "# UNIT");
    assert_lacks(&w, "# EOF");
    end(&w);
}

static void test_labels_are_escaped(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    dfopt_counts_reject(&w.s->counts, w.dict,
                        dfopt_dict_intern_z(w.dict, "a \"b\" \\ c\nd"));
    write_text(&w, true);
    assert_has(&w, "dfopt_rejects_total{reason=\"other\"} 0\n"
                   "dfopt_rejects_total{reason=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n");
    end(&w);
}

static void test_histogram(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    dfopt_counts_latency(&w.s->counts, 2000000);
    dfopt_counts_latency(&w.s->counts, 2000000000);
    write_text(&w, true);
    assert_has(&w, "dfopt_finding_to_plan_seconds_bucket{le=\"0.001\"} 0\n"
                   "dfopt_finding_to_plan_seconds_bucket{le=\"0.0025\"} 1\n");
    assert_has(&w, "_bucket{le=\"1.0\"} 1\n"
                   "dfopt_finding_to_plan_seconds_bucket{le=\"2.5\"} 2\n");
    assert_has(&w, "_bucket{le=\"+Inf\"} 2\n"
                   "dfopt_finding_to_plan_seconds_count 2\n"
                   "dfopt_finding_to_plan_seconds_sum 2.002\n");
    end(&w);
}

static void test_knobs(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    const uint32_t row = dfopt_label_row(&w.s->counts.knob_names, w.dict,
                                         dfopt_dict_intern_z(w.dict, "app.k"));
    struct dfopt_knob_counts *k = &w.s->counts.knobs[row];
    k->plans = 3;
    write_text(&w, true);
    assert_has(&w, "dfopt_plans_total{knob=\"app.k\"} 3\n");
    assert_lacks(&w, "knob=\"other\"");
    assert_lacks(&w, "dfopt_knob_value{");
    assert_lacks(&w, "dfopt_gain_ratio_sum"); /* it might fall */
    k->has_levels = k->has_bounds = 1;
    k->min = 1;
    k->median = 2.5;
    k->max = 1e20;
    k->at_high = 0.25;
    w.s->counts.knobs[DFOPT_LABEL_OTHER].plans = 1;
    write_text(&w, true);
    assert_has(&w, "dfopt_plans_total{knob=\"other\"} 1\n");
    assert_has(&w, "dfopt_knob_value{knob=\"app.k\",over_nodes=\"median\"} 2.5\n"
                   "dfopt_knob_value{knob=\"app.k\",over_nodes=\"max\"} 1e+20\n");
    assert_has(&w,
               "dfopt_knob_at_bound_ratio{knob=\"app.k\",bound=\"high\"} 0.25\n");
    end(&w);
}

static void test_health(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    dfopt_health_add(&w.s->health, DFOPT_CHECK_LOG, "given up: disk full");
    write_text(&w, false);
    assert_has(&w, "dfopt_ready{check=\"outputs\"} 1\n"
                   "dfopt_ready{check=\"log\"} 0\n");
    dfopt_buf_clear(&w.text);
    assert_int_equal(dfopt_health_text(&w.s->health, &w.text), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&w.text, "", 1), DFOPT_OK);
    assert_string_equal(w.text.data, "loop: ok\ninput: ok\noutputs: ok\n"
                                     "log: given up: disk full\nranks: ok\n");
    end(&w);
}

static void test_negotiate(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool openmetrics;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"*/*", false},
        {"text/plain", false},
        {"application/openmetrics-text", true},
        {"APPLICATION/OpenMetrics-Text; version=1.0.0", true},
        {"application/openmetrics-text;version=1.0.0,"
         "application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         true},
        {"text/plain, application/openmetrics-text;q=0.5", false},
        {"application/openmetrics-text;q=0", false},
        {"application/openmetrics-text; q=0.000", false},
        {"application/openmetrics-textual", false},
        {"application/openmetrics", false},
        {",;,;q=,,", false},
        {";q=1;q", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (dfopt_metrics_negotiate(cases[i].accept) != cases[i].openmetrics)
            fail_msg("%s", cases[i].accept ? cases[i].accept : "NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),     cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_histogram), cmocka_unit_test(test_knobs),
        cmocka_unit_test(test_health),    cmocka_unit_test(test_negotiate)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
