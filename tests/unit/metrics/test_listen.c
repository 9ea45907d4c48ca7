/* Addresses of --metrics-address. */
#include "metrics/address.h"
#include "support/unit.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static void test_form(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool fine;
    } cases[] = {{"127.0.0.1:9464", true},
                 {"localhost:0", true},
                 {"*:9464", true},
                 {"[::1]:9464", true},
                 {"host:65535", true},
                 {"host:65536", false},
                 {"", false},
                 {"9464", false},
                 {":9464", false},
                 {"host:", false},
                 {"host:x", false},
                 {"host:-1", false},
                 {"::1:9464", false},
                 {"[::1]", false},
                 {"[]:1", false},
                 {"[::1:1", false},
                 {"host:123456", false},
                 {"host: 1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_error err = {0};
        const enum dfopt_err e = dfopt_listen_check(cases[i].address, &err);
        if ((e == DFOPT_OK) != cases[i].fine)
            fail_msg("'%s': %s", cases[i].address, err.text);
        assert_true(e == DFOPT_OK || strstr(err.text, "HOST:PORT"));
    }
}

static void test_in_use(void **state)
{
    (void)state;
    int fd, other;
    char at[DFOPT_LISTEN_TEXT], again[DFOPT_LISTEN_TEXT];
    struct dfopt_error err = {0};
    assert_int_equal(dfopt_listen("127.0.0.1:0", &fd, at, &err), DFOPT_OK);
    assert_int_equal(strncmp(at, "127.0.0.1:", 10), 0);
    assert_string_not_equal(at, "127.0.0.1:0");
    assert_int_equal(dfopt_listen(at, &other, again, &err), DFOPT_ERR_IO);
    assert_non_null(strstr(err.text, at));
    assert_int_equal(dfopt_listen("no.such.host.invalid:1", &other, again, &err),
                     DFOPT_ERR_ARG);
    assert_non_null(strstr(err.text, "no.such.host.invalid"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_form),
                                       cmocka_unit_test(test_in_use)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
