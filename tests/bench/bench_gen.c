/* bench_gen: many findings, with the fields, order, types and sizes that
 * DFDiagnoser writes; a function of its arguments. What it leaves out, oddities
 * and acks, tests/spec/gen_findings.py has. */
#include "bench_knobs.h"
#include "bench_out.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- random numbers ---- */

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t state;

static uint64_t next(void)
{
    return mix(state += 0x9e3779b97f4a7c15u);
}

static double unit(uint64_t bits) /* 0 .. 1 */
{
    return (double)(bits >> 11) * 0x1p-53;
}

/* ---- the rules ---- */

struct rule {
    const char *type, *layer, *tags[2], *suppresses[2], *metrics[7];
    double chance[4]; /* in a window, by kind of node; of the others [0] only */
};

enum { NODE_RULES = 10, JOB_RULES = 2, GLOBAL_RULES = 2 };

#define FETCH   "fetch_iter_time_proc_max"
#define COMPUTE "compute_time_proc_max"

static const struct rule rules[NODE_RULES + JOB_RULES + GLOBAL_RULES] = {
    {"compute_dominance",
     NULL,
     {0},
     {"reader_parallelism", "dataloader_prefetch"},
     {COMPUTE, FETCH, "active_time", "compute_frac", "fetch_frac"},
     {.1, .3, .95, .02}},
    {"fetch_pressure",
     NULL,
     {"dataloader_prefetch", "reader_parallelism"},
     {0},
     {FETCH, COMPUTE, "active_time", "fetch_frac", "compute_frac"},
     {.6, .2, 0, .9}},
    {"io_contention",
     NULL,
     {"reader_contention"},
     {0},
     {FETCH, COMPUTE, "data_loader_count", "active_time", "fetch_frac",
      "compute_frac", "workers_count"},
     {.1, .4, .7, 0}},
    {"metadata_dominance",
     "reader_posix",
     {"metadata_reduction"},
     {0},
     {"reader_posix_metadata_time_proc_frac_parent"},
     {.55, .5, .5, .6}},
    {"open_pressure",
     NULL,
     {"reader_parallelism"},
     {0},
     {"reader_open_time_proc_max", FETCH, COMPUTE, "active_time", "compute_frac",
      "reader_open_ratio"},
     {.25, .05, 0, .4}},
    {"operation_imbalance",
     "reader_posix",
     {"read_write_rebalancing"},
     {0},
     {"reader_posix_read_count", "reader_posix_write_count",
      "reader_posix_operation_imbalance_ratio"},
     {1, 1, 1, 1}},
    {"read_contention",
     "reader_posix",
     {"reader_contention"},
     {"reader_parallelism"},
     {"reader_posix_read_time_call_mean", "reader_posix_read_time_call_min",
      "pread_latency_spread"},
     {.03, .03, .03, .03}},
    {"reader_open_tail_outlier",
     NULL,
     {"reader_parallelism", "metadata_reduction"},
     {0},
     {"reader_open_time_proc_max", COMPUTE, "active_time", "reader_open_frac",
      "reader_open_tail_ratio"},
     {.1, .05, 0, .15}},
    {"reader_pressure",
     NULL,
     {"io_bottleneck"},
     {0},
     {"reader_frac"},
     {.02, .02, .02, .02}},
    {"small_read_dominance",
     "reader_posix",
     {"small_io_reduction"},
     {0},
     {"reader_posix_read_time_proc_frac_parent",
      "reader_posix_read_size_proc_count"},
     {.5, .5, .5, .5}},
    {"comm_dominance",
     "app",
     {"comm_optimization"},
     {"reader_parallelism", "dataloader_prefetch"},
     {"comm_frac", "compute_frac"},
     {.2}},
    {"fetch_rank_imbalance",
     "proc_name",
     {"rank_balance", "shard_repartition"},
     {0},
     {"affected_count", "total_count", "affected_frac"},
     {.95}},
    {"bw_saturation",
     "global",
     {0},
     {"reader_parallelism", "dataloader_prefetch"},
     {"bw_utilization_frac"},
     {.03}},
    {"straggler_pressure",
     "global",
     {"shard_repartition"},
     {"small_io_reduction"},
     {"fetch_frac"},
     {.03}},
};

/* What a diagnoser remembers of one (type, scope). */
struct track {
    uint32_t phase, first, last, seen, run, best, peak_seed;
    float recent[4]; /* severities, the newest last */
    double peak;
};

static double clip(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static void track_add(struct track *t, uint32_t window, double severity)
{
    t->run = t->seen > 0 && window == t->last + 1 ? t->run + 1 : 1;
    t->best = t->run > t->best ? t->run : t->best;
    t->first = t->seen == 0 ? window : t->first;
    t->seen++;
    t->last = window;
    memmove(t->recent, t->recent + 1, sizeof t->recent - sizeof *t->recent);
    t->recent[3] = (float)severity;
    if (t->seen == 1 || severity > t->peak) {
        t->peak = severity;
        t->peak_seed = (uint32_t)next();
    }
}

static const char *trend_of(const struct track *t)
{
    const float older = t->recent[0] + t->recent[1];
    const float newer = t->recent[2] + t->recent[3];
    if (t->seen < 4)
        return t->seen < 2 ? "insufficient_data" : "stable";
    return newer < 0.85F * older   ? "improving"
           : newer > 1.15F * older ? "worsening"
                                   : "stable";
}

static void put_texts(const char *const texts[2])
{
    PUT("[");
    for (int i = 0; i < 2 && texts[i]; i++) {
        puts_text(i ? ", \"" : "\"");
        puts_text(texts[i]);
        PUT("\"");
    }
    PUT("]");
}

static void put_metrics(const struct rule *r, uint32_t seed)
{
    for (unsigned i = 0; i < 7 && r->metrics[i]; i++) {
        const uint64_t bits = mix(((uint64_t)seed << 3) + i);
        puts_text(i ? ", \"" : "\"");
        puts_text(r->metrics[i]);
        PUT("\": ");
        if (strstr(r->metrics[i], "count"))
            put_real((double)(bits % 200000));
        else
            put_real(strstr(r->metrics[i], "frac") ? unit(bits)
                                                   : 0.01 + 20 * unit(bits));
    }
}

static void put_finding(const struct rule *r, const char *scope, const char *layer,
                        const char *view, const struct track *t, uint32_t window)
{
    const double prevalence = (double)t->seen / (double)(t->last - t->first + 1);
    const char *trend = trend_of(t);
    const bool pressure =
        t->best > 3 && (r == &rules[1] || r == &rules[3] || r == &rules[9]);
    const char *motif = !pressure        ? "unclassified"
                        : r == &rules[1] ? "persistent_pressure"
                        : r == &rules[3] ? "metadata_bound"
                                         : "small_io_input_pressure";
    PUT("{\"finding_type\": \"");
    puts_text(r->type);
    PUT("\", \"scope\": \"");
    puts_text(scope);
    PUT("\", \"layer\": ");
    puts_text(layer);
    PUT(", \"view_type\": ");
    puts_text(view);
    PUT(", \"motif\": \"");
    puts_text(motif);
    PUT("\", \"severity\": \"");
    puts_text(t->peak >= .85   ? "critical"
              : t->peak >= .60 ? "high"
              : t->peak >= .30 ? "medium"
              : t->peak > 0    ? "low"
                               : "none");
    PUT("\", \"severity_score\": ");
    put_real(t->peak);
    puts_text(pressure ? ", \"confidence\": 0.8" : ", \"confidence\": 0.5");
    PUT(", \"prevalence\": ");
    put_real(prevalence);
    PUT(", \"persistence\": ");
    put_digits(t->best, 0);
    PUT(", \"support_windows\": ");
    put_digits(t->seen, 0);
    PUT(", \"trend_direction\": \"");
    puts_text(trend);
    PUT("\", \"last_seen_window\": ");
    put_digits(window, 0);
    PUT(", \"contributing_facts\": [[\"");
    puts_text(r->type);
    PUT("\", \"");
    puts_text(scope);
    PUT("\"]], \"recommendation_bundle\": \"");
    puts_text(pressure ? "input_pipeline_tuning" : "investigate");
    PUT("\", \"opportunity_tags\": ");
    put_texts(r->tags);
    PUT(", \"suppresses_tags\": ");
    /* now and then a global finding says that its condition has ended */
    put_texts(strcmp(scope, "global:global") == 0 && t->seen % 3 == 0
                  ? (const char *const[2]){0}
                  : r->suppresses);
    PUT(", \"summary\": \"");
    puts_text(r->type);
    PUT("(");
    puts_text(scope);
    PUT("), motif=");
    puts_text(motif);
    PUT(", prevalence=");
    put_digits((uint64_t)prevalence, 0);
    PUT(".");
    put_digits((uint64_t)(prevalence * 100) % 100, 2);
    PUT(", persistence=");
    put_digits(t->best, 0);
    PUT(", trend=");
    puts_text(trend);
    PUT("\", \"window_index\": ");
    put_digits(window, 0);
    PUT(", \"key_metrics\": {");
    put_metrics(r, t->peak_seed);
    PUT("}, \"publish_mode\": \"control\"}");
}

/* ---- the run ---- */

struct run {
    uint64_t findings, left;
    uint32_t nodes;
    uint64_t seed;
    unsigned knobs;
    bool log; /* an event log: registrations too, findings in envelopes */
    struct track *tracks; /* NODE_RULES a node, then those of the job */
};

/* A node's load is of one kind for some windows, then of another; the diagnoser
 * then starts anew. Its rules put many severities at their limit. */
static double severity_of(const struct run *run, uint64_t track, uint32_t phase)
{
    const uint64_t load = mix(run->seed ^ mix(track ^ ((uint64_t)phase << 40)));
    return clip(1.6 * unit(load) + 0.2 * (unit(next()) - 0.5));
}

static void emit(struct run *run, const struct rule *r, const char *scope,
                 const char *layer, const char *view, struct track *t,
                 uint32_t window)
{
    const uint64_t id = (uint64_t)(t - run->tracks);
    const uint32_t phase = (window + (uint32_t)(id % 97)) / 64;
    if (run->left == 0)
        return;
    run->left--;
    if (t->phase != phase)
        *t = (struct track){.phase = phase};
    track_add(t, window, severity_of(run, id, phase));
    if (run->log)
        PUT("{\"stream\": \"finding\", \"body\": ");
    put_finding(r, scope, layer, view, t, window);
    if (run->log)
        PUT("}");
    PUT("\n");
}

static void emit_node(struct run *run, uint32_t node, uint32_t window)
{
    const unsigned dice = (unsigned)(mix(run->seed + node) % 11);
    const unsigned kind = dice < 5 ? 0 : dice < 8 ? 1 : dice < 10 ? 2 : 3;
    char scope[64];
    for (int i = 0; i < NODE_RULES; i++) {
        if (unit(next()) >= rules[i].chance[kind])
            continue;
        snprintf(scope, sizeof scope, "node:tuolumne%u:%s%swindow", 1001 + node,
                 rules[i].layer ? rules[i].layer : "", rules[i].layer ? ":" : "");
        emit(run, &rules[i], scope, "\"node\"", "\"window\"",
             &run->tracks[(size_t)node * NODE_RULES + (size_t)i], window);
    }
}

static void emit_job(struct run *run, uint32_t window)
{
    struct track *tracks = run->tracks + (size_t)run->nodes * NODE_RULES;
    for (int i = 0; i < JOB_RULES + GLOBAL_RULES; i++) {
        const struct rule *r = &rules[NODE_RULES + i];
        const bool app = strcmp(r->layer, "app") == 0;
        if (unit(next()) >= r->chance[0])
            continue;
        if (i >= JOB_RULES)
            emit(run, r, "global:global", "\"global\"", "null", &tracks[i], window);
        else
            emit(run, r, app ? "app:window" : "proc_name", app ? "\"app\"" : "null",
                 app ? "\"window\"" : "\"proc_name\"", &tracks[i], window);
    }
}

static int generate(struct run *run)
{
    const uint32_t stride = 7919; /* nodes report in another order each window */
    run->tracks = calloc((size_t)run->nodes * NODE_RULES + JOB_RULES + GLOBAL_RULES,
                         sizeof *run->tracks);
    if (!run->tracks)
        return 1;
    state = mix(run->seed);
    run->left = run->findings;
    for (uint32_t window = 1; run->left > 0; window++) {
        uint64_t node = next() % run->nodes;
        emit_job(run, window);
        for (uint32_t i = 0; i < run->nodes && run->left > 0; i++) {
            emit_node(run, (uint32_t)node, window);
            node = (node + stride) % run->nodes;
        }
    }
    free(run->tracks);
    flush();
    return 0;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: bench_gen [OPTION...]\n"
            "  --findings N     how many (default 1000000; 0: none)\n"
            "  --nodes N        of the job (default 100; no multiple of 7919)\n"
            "  --knobs N        in the registration (default 10)\n"
            "  --seed N         default 1\n"
            "  --form F         bare (default): findings; log: an event log\n"
            "  --registry FILE  write the registration there\n"
            "  --output FILE    default standard output\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"findings", required_argument, 0, 'f'},
                                            {"nodes", required_argument, 0, 'n'},
                                            {"knobs", required_argument, 0, 'k'},
                                            {"seed", required_argument, 0, 's'},
                                            {"form", required_argument, 0, 'F'},
                                            {"registry", required_argument, 0, 'r'},
                                            {"output", required_argument, 0, 'o'},
                                            {0}};
    struct run run = {.findings = 1000000, .nodes = 100, .seed = 1, .knobs = 10};
    const char *registry = NULL, *output = NULL;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f':
            run.findings = strtoull(optarg, NULL, 10);
            break;
        case 'n':
            run.nodes = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'k':
            run.knobs = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            run.seed = strtoull(optarg, NULL, 10);
            break;
        case 'F':
            run.log = strcmp(optarg, "log") == 0;
            break;
        case 'r':
            registry = optarg;
            break;
        case 'o':
            output = optarg;
            break;
        default:
            return usage();
        }
    }
    if (optind < argc || run.nodes == 0 || run.nodes % 7919 == 0)
        return usage();
    FILE *file = registry ? fopen(registry, "w") : NULL;
    if (registry && !file) {
        perror(registry);
        return 1;
    }
    if (file) {
        bench_knobs_write(file, run.knobs);
        if (fclose(file) != 0)
            return 1;
    }
    out.file = output ? fopen(output, "w") : stdout;
    if (!out.file) {
        perror(output);
        return 1;
    }
    if (run.log) {
        fprintf(out.file, "{\"stream\": \"registration\", \"body\": ");
        bench_knobs_write(out.file, run.knobs);
        fprintf(out.file, "}\n");
    }
    const int status = generate(&run);
    return status || fclose(out.file) != 0;
}
