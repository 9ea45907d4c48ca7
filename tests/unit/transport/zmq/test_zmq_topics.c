/* Topics of subscribers, and which of them a plan for a node goes to. */
#include "support/unit.h"
#include "transport/zmq/peers/topics.h"

#include <stdio.h>
#include <string.h>

static void note(struct dfopt_zmq_topics *t, char what, const char *topic)
{
    char message[300];
    const int n = snprintf(message, sizeof message, "%c%s", what, topic);
    dfopt_zmq_topics_note(t, message, (size_t)n);
}

/* The forms, each behind a space. */
static const char *forms_of(const struct dfopt_zmq_topics *t, const char *node,
                            char *out)
{
    const char *forms[DFOPT_ZMQ_TOPIC_FORMS];
    const size_t n = dfopt_zmq_topics_forms(t, node, forms);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        strcat(strcat(out, " "), forms[i]);
    return out;
}

static const struct {
    const char *subscribed[6], *node, *forms, *like;
} cases[] = {
    {{"n1", "n2", "*"}, "n1", " n1", NULL},
    {{"n1.cluster.example", "*"}, "n1", " n1.cluster.example", NULL},
    {{"N1", "*"}, "n1", " N1", NULL},
    {{"n1.", "*"}, "n1", " n1.", NULL},
    {{"n1", "*"}, "n1.cluster.example", " n1", NULL},
    {{"n10", "*"}, "n1", "", "n10"},
    {{"n1", "*"}, "n10", "", "n1"},
    {{"x", "*"}, "n1", "", "x"},
    {{"*"}, "n1", "", ""},
    {{"n1"}, "*", "", "n1"},
    {{"n1", "*"}, "*", " *", NULL},
    {{"", "n2"}, "n1", " n1", NULL}, /* one that wants everything */
    {{"N1", "n1.cluster.example"}, "n1", " N1 n1.cluster.example", NULL},
    {{"n1", "n1.cluster.example"}, "n1", " n1.cluster.example", NULL}, /* once */
    {{"n1.cluster.example", "n1"}, "n1", " n1.cluster.example", NULL},
    {{"n1.a", "n1.b"}, "n1", "", "n1.a, n1.b"}, /* two hosts */
    {{"n1.a", "n1.b", "N1"}, "n1", " N1", NULL},
    {{"n1.a", "n1.b"}, "n1.a", " n1.a", NULL},
    {{"n1", "n1.b"}, "n1.a", "", "n1, n1.b"}, /* n1 may be n1.b */
    {{"10.0.0.1"}, "10", "", "10.0.0.1"},
    {{"n1-ib0", "m"}, "n1", "", "n1-ib0"},
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_zmq_topics t = {0};
        char got[400], like[100];
        for (size_t j = 0; j < N_OF(cases[i].subscribed) && cases[i].subscribed[j];
             j++)
            note(&t, 1, cases[i].subscribed[j]);
        if (strcmp(forms_of(&t, cases[i].node, got), cases[i].forms) != 0)
            fail_msg("case %zu: %s", i, got);
        if (cases[i].like) {
            dfopt_zmq_topics_like(&t, cases[i].node, like, sizeof like);
            if (strcmp(like, cases[i].like) != 0)
                fail_msg("case %zu: like %s", i, like);
        }
        dfopt_zmq_topics_free(&t);
    }
}

static void test_counts(void **state)
{
    (void)state;
    struct dfopt_zmq_topics t = {0};
    char got[400], long_name[290];
    note(&t, 1, "n1.a");
    note(&t, 1, "n1.a");
    note(&t, 1, "n1");
    assert_int_equal(dfopt_zmq_topics_matching(&t, "n1.a"), 3);
    note(&t, 0, "n1.a");
    assert_string_equal(forms_of(&t, "n1", got), " n1.a");
    note(&t, 0, "n1.a");
    assert_string_equal(forms_of(&t, "n1", got), " n1");
    note(&t, 0, "n1");
    note(&t, 0, "n1"); /* once too often */
    assert_string_equal(forms_of(&t, "n1", got), "");
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    note(&t, 1, long_name); /* no name of a host, but a topic */
    assert_int_equal(strlen(forms_of(&t, long_name, got)), sizeof long_name);
    dfopt_zmq_topics_free(&t);
    assert_string_equal(forms_of(&t, "n1", got), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms),
                                       cmocka_unit_test(test_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
