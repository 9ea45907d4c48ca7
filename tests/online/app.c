/* An application process for the tests of the live service: it takes plans at once,
 * acknowledges them, and tells each on standard output. It ends when its standard
 * input does, so that none outlives its test.
 *
 * usage: online_app HOST pull|sub PLANS REGISTRY ACKS [FINDINGS]
 *
 * With FINDINGS (connected) it asks for a plan for its node every 20 ms, with
 * windows that go on where those of an earlier process ended. Lines: registered its
 * knobs have been told to an optimizer plan ID KNOB VALUE WHOM    applied; WHOM:
 * node or job tick N                N rounds so far: it is alive end APPLIED UNSENT
 * plans applied, acknowledgements that could not be sent */
#include "dfopt/client.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define ROUND_MS    5
#define WINDOW_MS   20
#define TICK_ROUNDS 20
#define HIGHEST     1000000000

enum { NODE_LEVEL, JOB_LEVEL, KNOBS };
static const char *const names[KNOBS] = {"node_level", "job_level"};
static const char *const tags[KNOBS] = {"node_tag", "job_tag"};

static void declare(dfopt_client *c, int which)
{
    const struct dfopt_client_response up = {
        .tag = tags[which],
        .step = {.kind = DFOPT_CLIENT_INT, .i = 1},
        .apply_when = "window_boundary",
    };
    const struct dfopt_client_knob knob = {
        .parameter = names[which],
        .type = DFOPT_CLIENT_INT,
        .default_value = {.kind = DFOPT_CLIENT_INT, .i = 0},
        .lo = {.kind = DFOPT_CLIENT_INT, .i = 0},
        .hi = {.kind = DFOPT_CLIENT_INT, .i = HIGHEST},
        .responses = &up,
        .n_responses = 1,
    };
    dfopt_client_knob_declare(c, &knob, NULL);
}

/* Counted by the clock, so that a process that follows another goes on. */
static int64_t window_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return ((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000) / WINDOW_MS;
}

static void send_finding(void *socket, const char *host, int64_t window)
{
    char body[512];
    int n =
        snprintf(body, sizeof body,
                 "{\"finding_type\":\"pressure\",\"scope\":\"node:%s:window\","
                 "\"severity_score\":1,\"persistence\":9,\"window_index\":%" PRId64
                 ",\"opportunity_tags\":[\"node_tag\"]}",
                 host, window);
    if (zmq_send(socket, "{}", 2, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(socket, body, (size_t)n, ZMQ_DONTWAIT);
}

static uint64_t take_plans(dfopt_client *c)
{
    struct dfopt_client_plan p[KNOBS];
    size_t n = dfopt_client_at_boundary(c, NULL, "window_boundary", p, KNOBS);
    for (size_t i = 0; i < n; i++) {
        printf("plan %s %s %" PRId64 " %s %" PRId64 "\n", p[i].plan_id,
               p[i].parameter, p[i].new_value.i, p[i].for_node ? "node" : "job",
               p[i].window_index);
        dfopt_client_ack(c, &p[i], DFOPT_CLIENT_APPLIED, NULL, "",
                         p[i].window_index);
    }
    return n;
}

static bool input_has_ended(void)
{
    char byte;
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, ROUND_MS) == 1 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static uint64_t run(dfopt_client *c, void *findings, const char *host)
{
    uint64_t applied = 0, rounds = 0;
    int64_t window = 0;
    bool registered = false;
    while (!input_has_ended()) {
        struct dfopt_client_stats s;
        if (!registered && dfopt_client_stats(c, &s) == DFOPT_OK &&
            s.registrations_sent > 0)
            registered = puts("registered") >= 0;
        if (findings && window != window_now())
            send_finding(findings, host, window = window_now());
        applied += take_plans(c);
        if (++rounds % TICK_ROUNDS == 0)
            printf("tick %" PRIu64 "\n", rounds);
    }
    return applied;
}

static void *open_findings(void *context, const char *endpoint)
{
    const int zero = 0, one = 1, few = 4;
    void *socket = zmq_socket(context, ZMQ_PUSH);
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket, ZMQ_IMMEDIATE, &one, sizeof one);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &few, sizeof few);
    return zmq_connect(socket, endpoint) == 0 ? socket : NULL;
}

int main(int argc, char **argv)
{
    struct dfopt_error err = {.code = DFOPT_OK};
    dfopt_client *c = NULL;
    if (argc < 6) {
        fputs("usage: online_app HOST pull|sub PLANS REGISTRY ACKS [FINDINGS]\n",
              stderr);
        return 2;
    }
    const struct dfopt_client_options options = {
        .app_namespace = "app",
        .function = "app.run",
        .hostname = argv[1],
        .plans_pattern =
            strcmp(argv[2], "sub") == 0 ? DFOPT_CLIENT_SUB : DFOPT_CLIENT_PULL,
        .plans_endpoint = argv[3],
        .registry_endpoint = argv[4],
        .acks_endpoint = argv[5],
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (dfopt_client_create(&c, &options, &err)) {
        fprintf(stderr, "online_app: %s\n", err.text);
        return 1;
    }
    for (int i = 0; i < KNOBS; i++)
        declare(c, i);
    void *context = zmq_ctx_new();
    void *findings = argc > 6 ? open_findings(context, argv[6]) : NULL;
    int code = 0;
    if ((argc > 6 && !findings) || dfopt_client_start(c, &err)) {
        fprintf(stderr, "online_app: cannot start: %s\n", err.text);
        code = 1;
    } else {
        const uint64_t applied = run(c, findings, argv[1]);
        const bool unsent = dfopt_client_stop(c, 2000) != DFOPT_OK;
        printf("end %" PRIu64 " %d\n", applied, unsent);
    }
    if (findings)
        zmq_close(findings);
    zmq_ctx_term(context);
    dfopt_client_destroy(c);
    return code;
}
