/* The file by which an application finds a service. */
#include "client_fixture.h"

#include <unistd.h>

/* What a file of endpoints may be, and what it must not. */
static void endpoints_file(void **state)
{
    (void)state;
    static const struct {
        const char *text; /* NULL: there is no file */
        enum dfopt_err want;
        const char *says;
    } cases[] = {
        {"{\"plans\":\"ipc://p\",\"plans_pattern\":\"pub\",\"more\":[1]}", DFOPT_OK,
         ""},
        {"{}", DFOPT_OK, ""},
        {"{\"plans\":null}", DFOPT_OK, ""},
        {"{\"switches\":{}}", DFOPT_ERR_SCHEMA, "holds no endpoints"},
        {NULL, DFOPT_ERR_IO, "No such file"},
        {"", DFOPT_ERR_PARSE, "empty"},
        {"[]", DFOPT_ERR_SCHEMA, "not an object"},
        {"{\"plans\":", DFOPT_ERR_PARSE, "truncated"},
        {"{\"acks\":1}", DFOPT_ERR_SCHEMA, "acks"},
        {"{\"plans_pattern\":\"both\"}", DFOPT_ERR_SCHEMA, "plans_pattern"},
        {"{\"curve_server_key\":\"x\"}", DFOPT_ERR_ARG, "curve_secret_key"},
    };
    char path[] = "/tmp/dfopt-endpoints-XXXXXX";
    close(mkstemp(path));
    for (size_t i = 0; i < N_OF(cases); i++) {
        dfopt_client *c = NULL;
        struct dfopt_error err = {0};
        struct dfopt_client_options options = {
            .app_namespace = "app", .hostname = HOST, .endpoints_file = path};
        unlink(path);
        FILE *f = cases[i].text ? fopen(path, "w") : NULL;
        if (f) {
            assert_true(fputs(cases[i].text, f) >= 0);
            fclose(f);
        }
        const enum dfopt_err e = dfopt_client_create(&c, &options, &err);
        if (e != cases[i].want || !strstr(err.text, cases[i].says))
            fail_msg("%s: %d, %s", cases[i].text, e, err.text);
        assert_true(!e == (c != NULL));
        dfopt_client_destroy(c);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(endpoints_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
