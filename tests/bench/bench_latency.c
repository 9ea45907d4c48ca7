/* How long a finding takes to become a plan: sends findings at a steady rate, each
 * of a node of its own, and takes the plans; prints one JSON line. With NODES they
 * come from so many nodes in turn, a window each time; FIRST is the number of the
 * first. With --echo a child process answers instead of dfopt-mpi, with a message
 * of a plan's size: what the sockets alone cost.
 *
 * usage: bench_latency FINDINGS PLANS RATE COUNT [NODES [FIRST]]
 *        bench_latency --echo RATE COUNT
 * FINDINGS and PLANS are endpoints to connect to; RATE is findings a second. */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define NODE       "node:b%07zu:"
#define NODE_START "node:b"
#define METADATA                                                                   \
    "{\"artifact_type\":\"diagnosis_finding\",\"publish_mode\":\"control\","       \
    "\"finding_type\":\"fetch_pressure\",\"scope\":\"" NODE "window\"}"
#define FINDING                                                                    \
    "{\"finding_type\":\"fetch_pressure\",\"scope\":\"" NODE "window\","           \
    "\"layer\":\"node\",\"view_type\":\"window\",\"motif\":"                       \
    "\"persistent_pressure\",\"severity\":\"critical\",\"severity_score\":1.0,"    \
    "\"confidence\":0.8,\"prevalence\":1.0,\"persistence\":5,"                     \
    "\"support_windows\":5,\"trend_direction\":\"stable\",\"last_seen_window\":%"  \
    "zu,"                                                                          \
    "\"contributing_facts\":[[\"fetch_pressure\",\"tuolumne1001:window\"]],"       \
    "\"recommendation_bundle\":\"input_pipeline_tuning\",\"opportunity_tags\":"    \
    "[\"dataloader_prefetch\",\"reader_parallelism\"],\"suppresses_tags\":[],"     \
    "\"summary\":\"fetch_pressure, motif=persistent_pressure\","                   \
    "\"window_index\":%zu,\"key_metrics\":{\"fetch_iter_time_proc_max\":0.16,"     \
    "\"compute_time_proc_max\":0.02,\"fetch_frac\":0.89,\"compute_frac\":0.11},"   \
    "\"publish_mode\":\"control\"}"
#define PLAN_METADATA                                                              \
    "{\"type\":\"action_plan\",\"plan_id\":\"plan_00000000001a0000\",\"knob_id\":" \
    "\"app.prefetch\",\"target_function\":\"app.load\",\"target_nodes\":[\"b\"]}"
#define PLAN                                                                       \
    "{\"plan_id\":\"plan_00000000001a0000\",\"knob_id\":\"app.prefetch\","         \
    "\"target_function\":\"app.load\",\"old_value\":2,\"new_value\":3,"            \
    "\"apply_when\":\"next_window\",\"rationale\":\"fetch_pressure: "              \
    "persistent_pressure (severity=1.000, persistence=5, trend=stable, "           \
    "scope=" NODE "window) -> dataloader_prefetch\",\"finding_type\":"             \
    "\"fetch_pressure\",\"severity\":1.0,\"opportunity_tag\":"                     \
    "\"dataloader_prefetch\",\"window_index\":4,\"target_nodes\":[\"b\"]}"
#define LOST_AFTER_MS 5000
#define FIRST_WINDOW  4
#define WARM_UP       100 /* findings before those that count */

struct bench {
    void *findings, *plans;
    double rate;
    size_t count, nodes, first;
    int64_t *sent, *got; /* ns, by finding; got 0: no plan */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_latency: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static void *open_socket(void *context, int type, const char *endpoint, int bind,
                         char bound[64])
{
    const int linger = 0;
    void *s = zmq_socket(context, type);
    if (!s || zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        (bind ? zmq_bind(s, endpoint) : zmq_connect(s, endpoint)) != 0)
        die(endpoint);
    size_t len = 64;
    if (bound && zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, bound, &len) != 0)
        die(endpoint);
    return s;
}

/* The number behind a text in a message; SIZE_MAX: none. */
static size_t number_after(zmq_msg_t *m, const char *start)
{
    const char *text =
        memmem(zmq_msg_data(m), zmq_msg_size(m), start, strlen(start));
    return text ? strtoul(text + strlen(start), NULL, 10) : SIZE_MAX;
}

/* The number of the finding that a plan is about; SIZE_MAX: none. */
static size_t number_in(zmq_msg_t *m, const struct bench *b)
{
    const size_t node = number_after(m, NODE_START);
    const size_t window = number_after(m, "\"window_index\":");
    const bool is_known = node - b->first < b->nodes && window >= FIRST_WINDOW;
    return is_known ? (window - FIRST_WINDOW) * b->nodes + node - b->first
                    : SIZE_MAX;
}

static void send_two(void *s, const char *metadata, const char *body)
{
    if (zmq_send(s, metadata, strlen(metadata), ZMQ_SNDMORE) < 0 ||
        zmq_send(s, body, strlen(body), 0) < 0)
        die("sending");
}

/* Receives a message of two parts into *body. 0, or -1 after the time-out. */
static int receive_two(void *s, zmq_msg_t *body)
{
    zmq_msg_t metadata;
    zmq_msg_init(&metadata);
    const int got = zmq_msg_recv(&metadata, s, 0);
    zmq_msg_close(&metadata);
    return got < 0 || zmq_msg_recv(body, s, 0) < 0 ? -1 : 0;
}

/* ---- the echo ---- */

static void echo(int to_parent)
{
    void *context = zmq_ctx_new();
    char at[2][64];
    void *in = open_socket(context, ZMQ_PULL, "tcp://127.0.0.1:*", 1, at[0]);
    void *out = open_socket(context, ZMQ_PUSH, "tcp://127.0.0.1:*", 1, at[1]);
    if (write(to_parent, at, sizeof at) != (ssize_t)sizeof at)
        die("pipe");
    zmq_msg_t body;
    char plan[sizeof PLAN + 32];
    zmq_msg_init(&body);
    while (receive_two(in, &body) == 0) { /* until killed */
        snprintf(plan, sizeof plan, PLAN, number_after(&body, NODE_START));
        send_two(out, PLAN_METADATA, plan);
    }
}

static pid_t start_echo(char at[2][64])
{
    int fd[2];
    if (pipe(fd) != 0)
        die("pipe");
    const pid_t child = fork();
    if (child == 0) {
        echo(fd[1]);
        _exit(0);
    }
    if (child < 0 || read(fd[0], at, 128) != 128)
        die("the echo process");
    return child;
}

/* ---- the two ends ---- */

static void *send_findings(void *arg)
{
    struct bench *b = arg;
    char body[sizeof FINDING + 64], metadata[sizeof METADATA + 32];
    int64_t at = now_ns();
    for (size_t i = 0; i < b->count; i++) {
        const size_t window = FIRST_WINDOW + i / b->nodes;
        const size_t node = b->first + i % b->nodes;
        snprintf(metadata, sizeof metadata, METADATA, node);
        snprintf(body, sizeof body, FINDING, node, window, window);
        const struct timespec when = {at / 1000000000, at % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
        b->sent[i] = now_ns();
        send_two(b->findings, metadata, body);
        at += (int64_t)(1e9 / b->rate);
    }
    return NULL;
}

static size_t take_plans(struct bench *b)
{
    const int wait_ms = LOST_AFTER_MS + (int)(1000 / b->rate);
    size_t taken = 0;
    zmq_msg_t body;
    zmq_msg_init(&body);
    if (zmq_setsockopt(b->plans, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms) != 0)
        die("setting a time-out");
    while (taken < b->count && receive_two(b->plans, &body) == 0) {
        const int64_t now = now_ns();
        const size_t i = number_in(&body, b);
        if (i >= b->count || b->got[i])
            continue;
        b->got[i] = now;
        taken++;
    }
    zmq_msg_close(&body);
    return taken;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report(const struct bench *b, size_t taken)
{
    int64_t *took = b->got; /* in place */
    size_t n = 0;
    for (size_t i = WARM_UP; i < b->count; i++)
        if (b->got[i])
            took[n++] = b->got[i] - b->sent[i];
    qsort(took, n, sizeof *took, by_size);
    printf("{\"rate\": %g, \"findings\": %zu, \"lost\": %zu, \"p50_us\": %.1f, "
           "\"p99_us\": %.1f, \"max_us\": %.1f, \"finding_bytes\": %zu, "
           "\"plan_bytes\": %zu}\n",
           b->rate, b->count - WARM_UP, b->count - taken,
           n ? (double)took[n / 2] / 1e3 : 0,
           n ? (double)took[n * 99 / 100] / 1e3 : 0,
           n ? (double)took[n - 1] / 1e3 : 0, sizeof FINDING, sizeof PLAN);
}

int main(int argc, char **argv)
{
    const int echoes = argc == 4 && strcmp(argv[1], "--echo") == 0;
    if (!echoes && (argc < 5 || argc > 7)) {
        fputs("usage: bench_latency FINDINGS PLANS RATE COUNT [NODES [FIRST]]\n"
              "       bench_latency --echo RATE COUNT\n",
              stderr);
        return 2;
    }
    char at[2][64];
    pid_t child = 0;
    const char *const *load = (const char *const *)argv + (echoes ? 2 : 3);
    struct bench b = {.rate = strtod(load[0], NULL),
                      .count = strtoul(load[1], NULL, 10) + WARM_UP};
    b.nodes = argc > 5 ? strtoul(argv[5], NULL, 10) : b.count;
    b.first = argc > 6 ? strtoul(argv[6], NULL, 10) : 0;
    if (echoes)
        child = start_echo(at);
    void *context = zmq_ctx_new();
    b.plans = open_socket(context, ZMQ_PULL, echoes ? at[1] : argv[2], 0, NULL);
    b.findings = open_socket(context, ZMQ_PUSH, echoes ? at[0] : argv[1], 0, NULL);
    b.sent = calloc(b.count, sizeof *b.sent);
    b.got = calloc(b.count, sizeof *b.got);
    pthread_t sender;
    if (!b.sent || !b.got || !(b.rate > 0) || b.nodes == 0 ||
        pthread_create(&sender, NULL, send_findings, &b) != 0)
        die("starting");
    const size_t taken = take_plans(&b);
    pthread_join(sender, NULL);
    report(&b, taken);
    if (child) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    zmq_close(b.plans);
    zmq_close(b.findings);
    zmq_ctx_term(context);
    free(b.sent);
    free(b.got);
    return taken == b.count ? 0 : 1;
}
