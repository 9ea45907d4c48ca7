/* A program outside of the project: is the installed library all that it needs? */
#include <dfopt/client.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    const struct dfopt_client_options options = {.app_namespace = "outside",
                                                 .function = "outside.load"};
    const struct dfopt_client_response more = {
        DFOPT_CLIENT_RESPONSE_DEFAULT,
        .tag = "slow_read",
        .step = {.kind = DFOPT_CLIENT_INT, .i = 2},
        .apply_when = "window_boundary",
    };
    const struct dfopt_client_knob knob = {
        .parameter = "threads",
        .type = DFOPT_CLIENT_INT,
        .default_value = {.kind = DFOPT_CLIENT_INT, .i = 2},
        .responses = &more,
        .n_responses = 1,
    };
    const char *plan = "{\"plan_id\":\"p1\",\"knob_id\":\"outside.threads\","
                       "\"new_value\":4,\"apply_when\":\"window_boundary\"}";
    dfopt_client *c = NULL;
    struct dfopt_error err = {0};
    struct dfopt_client_plan p = {0};
    if (dfopt_client_create(&c, &options, &err) ||
        dfopt_client_knob_declare(c, &knob, &err) ||
        dfopt_client_enqueue(c, plan, strlen(plan), &err)) {
        fprintf(stderr, "tune: %s\n", err.text);
        return 1;
    }
    size_t n = dfopt_client_at_boundary(c, NULL, "window_boundary", &p, 1);
    printf("%s: %zu plan, threads %ld\n", dfopt_client_version(), n,
           (long)p.new_value.i);
    dfopt_client_destroy(c);
    return 0;
}
