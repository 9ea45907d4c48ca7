/* Cases of one finding about one knob: what is planned, under both presets. */
#ifndef DFOPT_TESTS_PLANNER_CASES_H
#define DFOPT_TESTS_PLANNER_CASES_H

#include "planner_fixture.h"

#define INC      .direction = DFOPT_DIRECTION_INCREASE
#define DEC      .direction = DFOPT_DIRECTION_DECREASE
#define SET(v)   .direction = DFOPT_DIRECTION_SET, .set_to = v
#define ODD      .direction = DFOPT_DIRECTION_UNKNOWN
#define MUL(v)   .mode = DFOPT_STEP_MULTIPLY, .step = v
#define ADD(v)   .mode = DFOPT_STEP_ADD, .step = v
#define EVIDENCE .mode = DFOPT_STEP_EVIDENCE, .step = NUL
#define ON(...)  RESPONSES(RESPONSE(__VA_ARGS__))
#define INT      .type = DFOPT_KNOB_INT
#define FLOAT    .type = DFOPT_KNOB_FLOAT
#define STR      .type = DFOPT_KNOB_STR
#define BOOL     .type = DFOPT_KNOB_BOOL
#define HUGE_INT 9223372036854775807

struct step_case {
    const char *name;
    struct pf_knob knob;
    struct pf_finding finding;
    const char *want[2]; /* by preset; the second NULL: the same */
};

static inline void run(const struct step_case *c)
{
    for (int preset = 0; preset < 2; preset++) {
        struct pf t;
        char name[160];
        snprintf(name, sizeof name, "%s (%s)", c->name,
                 preset ? "upstream" : "default");
        pf_open(&t, (enum dfopt_preset)preset, name);
        pf_register(&t, &c->knob, 1);
        pf_find(&t, &c->finding);
        pf_expect(&t, c->want[preset] ? c->want[preset] : c->want[0]);
        pf_close(&t);
    }
}

#define RUN(cases)                                                                 \
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)                      \
    run(&cases[i])

#define NO_CHANGE   "no_change t k"
#define UNSUPPORTED "unsupported t k"
#define NO_EVIDENCE "no_evidence t k"

#endif
