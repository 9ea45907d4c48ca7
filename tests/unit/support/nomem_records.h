/* A record of every stream, for the tests in which memory runs out. */
#ifndef DFOPT_TESTS_NOMEM_RECORDS_H
#define DFOPT_TESTS_NOMEM_RECORDS_H

/* clang-format off */
#define NOMEM_REGISTRATION                                                         \
    "{\"namespace\":\"app\",\"function_name\":\"load\",\"knobs\":{\"p\":{"         \
    "\"id\":\"app.p\",\"default\":2,\"type\":\"int\",\"range\":[1,64],"            \
    "\"target_function\":\"load\",\"responds_to\":{\"t\":{\"step\":2,"             \
    "\"min_persistence\":1,\"cooldown_windows\":1,\"apply_when\":\"next\"}}},"     \
    "\"m\":{\"id\":\"app.m\",\"default\":\"a\",\"type\":\"str\","                  \
    "\"values\":[\"a\",\"b\",5]}},\"current_values\":{\"p\":3}}"
#define NOMEM_FINDING                                                              \
    "{\"finding_type\":\"fetch\",\"scope\":\"node:n1:window\",\"severity_score\":1.0,"\
    "\"persistence\":9,\"window_index\":3,\"opportunity_tags\":[\"t\",\"u\"],"     \
    "\"suppresses_tags\":[\"v\"],\"key_metrics\":{\"fetch_frac\":0.5}}"
#define NOMEM_JOB_FINDING                                                          \
    "{\"finding_type\":\"f\\u00e9tch\",\"scope\":\"global\",\"severity_score\":1,"  \
    "\"persistence\":9,\"window_index\":4,\"opportunity_tags\":[\"t\"],"            \
    "\"suppresses_tags\":[\"w\"],\"key_metrics\":{\"compute_frac\":NaN}}"
#define NOMEM_ACK                                                                  \
    "{\"plan_id\":\"plan_0000000000030000\",\"knob_id\":\"app.p\",\"status\":"     \
    "\"rejected\",\"old_value\":\"x\",\"new_value\":null,\"reason\":\"no\","       \
    "\"target_nodes\":[\"n1\"]}"
#define NOMEM_GLOBAL_PLAN                                                          \
    "{\"plan_id\":\"g\",\"knob_id\":\"app.p\",\"new_value\":7,\"rationale\":\"r\"," \
    "\"target_nodes\":[\"n1\",\"n2\"]}"
#define NOMEM_OBJECTIVE(window, value)                                             \
    "{\"window_index\":" #window ",\"value\":" #value ",\"metrics\":{\"m\":1}}"
#define NOMEM_PROCESS                                                              \
    "{\"namespace\":\"app\",\"function_name\":\"load\",\"instance\":\"p1\",\"knobs\":[{" \
    "\"id\":\"app.q\",\"default\":2,\"scope\":\"node\",\"responds_to\":{\"t\":{\"step\":2," \
    "\"min_persistence\":1}}}],\"node\":\"n1\"}"
#define NOMEM_LEAVES                                                               \
    "{\"namespace\":\"app\",\"function_name\":\"load\",\"unregister\":true}"
/* clang-format on */

#endif
