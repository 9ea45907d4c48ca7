/* Endpoints: which are taken, and the errors of the others. */
#include "net/zmq/endpoint.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

enum { CONNECT = 1, BIND = 2, BOTH = 3 };

static const struct {
    const char *endpoint;
    int good;          /* for which of the two */
    const char *wrong; /* a part of the error text otherwise */
} cases[] = {
    {"tcp://node7:5557", BOTH, NULL},
    {"tcp://10.1.2.3:1", BOTH, NULL},
    {"tcp://node-7.rack_3.site:65535", BOTH, NULL},
    {"tcp://[::1]:5557", BOTH, NULL},
    {"tcp://[fe80::1%eth0]:5557", BOTH, NULL},
    {"tcp://[::ffff:10.0.0.1]:80", BOTH, NULL},
    {"tcp://*:5557", BIND, "not a host"},
    {"tcp://[*]:5557", BIND, "malformed"},
    {"tcp://eth0:*", BIND, "not a number"},
    {"tcp://*:*", BIND, "not a host"},
    {"tcp://127.0.0.1:0", BIND, "the port is 0"},
    {"tcp://10.0.0.1:0;node7:5557", CONNECT, "single address"},
    {"tcp://10.0.0.1:70;[::1]:5557", CONNECT, "single address"},
    {"ipc:///tmp/plans", BOTH, NULL},
    {"ipc://@plans", BOTH, NULL},
    {"ipc://*", BIND, "not a path"},
    {"", 0, "transport is missing"},
    {"node7:5557", 0, "transport is missing"},
    {"carrier://pigeon", 0, "unknown transport"},
    {"TCP://node7:1", 0, "unknown transport"},
    {"udp://node7:1", 0, "unknown transport"},
    {"inproc://plans", 0, "inproc"},
    {"tcp://", 0, "port is missing"},
    {"tcp://node7", 0, "port is missing"},
    {"tcp://node7:", 0, "port is missing"},
    {"tcp://[::1]", 0, "port is missing"},
    {"tcp://:5557", 0, "host is missing"},
    {"tcp://h:99999", 0, "above 65535"},
    {"tcp://h:65536", 0, "above 65535"},
    {"tcp://h:4294967297", 0, "above 65535"},
    {"tcp://h:70o1", 0, "not a number"},
    {"tcp://h:-5", 0, "not a number"},
    {"tcp://h:+5", 0, "not a number"},
    {"tcp://h: 5", 0, "not a number"},
    {"tcp://h:5 ", 0, "not a number"},
    {"tcp://h:0x50", 0, "not a number"},
    {"tcp://h:\xd9\xa1", 0, "not a number"}, /* a digit, elsewhere */
    {"tcp://h h:5", 0, "character"},
    {"tcp://h/x:5", 0, "character"},
    {"tcp://tcp://h:5", 0, "needs brackets"},
    {"tcp://::1:5557", 0, "needs brackets"},
    {"tcp://[::1:5557", 0, "malformed"},
    {"tcp://[node7]:5557", 0, "malformed"},
    {"tcp://[1:2:3:4:5:6:7:8:9]:5557", 0, "malformed"},
    {"tcp://[fe80::1%]:5557", 0, "malformed"},
    {"tcp://10.0.0.1;node7:5557", 0, NULL},
    {"ipc://", 0, "path is missing"},
    {"ipc://@", 0, "path is missing"},
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int way = CONNECT; way <= BIND; way++) {
            struct dfopt_error err = {0};
            const bool good = cases[i].good & way;
            const enum dfopt_err e =
                dfopt_zmq_endpoint_check(cases[i].endpoint, way == BIND, &err);
            if (e != (good ? DFOPT_OK : DFOPT_ERR_ARG))
                fail_msg("%s (%d): %d %s", cases[i].endpoint, way, (int)e,
                         err.text);
            if (!good && (!strstr(err.text, cases[i].endpoint) ||
                          (cases[i].wrong && !strstr(err.text, cases[i].wrong))))
                fail_msg("%s (%d): %s", cases[i].endpoint, way, err.text);
        }
    assert_int_equal(dfopt_zmq_endpoint_check("x", true, NULL), DFOPT_ERR_ARG);
}

/* Too long, by part. */
static void lengths(void **state)
{
    (void)state;
    const struct {
        const char *before, *behind;
        size_t n;
        bool good;
    } rows[] = {
        {"tcp://", ":5", 240, true},  {"tcp://", ":5", 256, false},
        {"ipc://", "", 107, true},    {"ipc://", "", 108, false},
        {"tcp://h:", "", 250, false}, {"tcp://h:", "", 600, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char middle[1024] = "", text[1100];
        memset(middle, '1', rows[i].n);
        snprintf(text, sizeof text, "%s%s%s", rows[i].before, middle,
                 rows[i].behind);
        if ((dfopt_zmq_endpoint_check(text, false, NULL) == DFOPT_OK) !=
            rows[i].good)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
