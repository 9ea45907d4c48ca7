/* bench_limits FILE [REPEATS [KNOBS...]]: what the parts of a replay cost, in one
 * process, over the findings of one file (JSON lines, bare findings). Each part
 * is run REPEATS times over the whole file; the best is printed, by wall time and
 * by processor time, as one line of JSON. The planner is measured with every
 * `effect`, all knobs being of nodes; with objective, each node reports one for
 * each of its windows. */
#include "bench_limits.h"

/* ---- setting up ---- */

static void load(struct bench *b)
{
    struct stat st;
    const int fd = open(b->path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0) {
        fprintf(stderr, "bench_limits: %s: cannot be read, or is empty\n", b->path);
        exit(1);
    }
    b->size = (size_t)st.st_size;
    b->text = mmap(NULL, b->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (b->text == MAP_FAILED)
        must(DFOPT_ERR_NOMEM, b->path);
    const char *end = b->text + b->size;
    size_t room = 0;
    for (const char *at = b->text; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (b->n == room) {
            room = room ? room * 2 : 1 << 16;
            b->lines = realloc(b->lines, room * sizeof *b->lines);
            if (!b->lines)
                must(DFOPT_ERR_NOMEM, b->path);
        }
        b->lines[b->n++] = (struct line){at, (size_t)(stop - at)};
        at = stop + 1;
    }
}

static void decode_all(struct bench *b)
{
    struct dfopt_event event;
    for (size_t i = 0; i < b->n; i++) {
        must(dfopt_codec_decode(b->codec, DFOPT_STREAM_FINDING, b->lines[i].at,
                                b->lines[i].len, &event, NULL),
             "a line is no finding");
        const struct dfopt_finding_row row = {.seq = i, .f = event.finding};
        must(dfopt_buf_add(&b->findings, &row, sizeof row), "findings");
    }
}

/* A new planner with b->knobs knobs. */
static void begin_planner(struct bench *b)
{
    const struct dfopt_planner_config config = {.policy = &b->policy,
                                                .assumed_acks = true};
    struct dfopt_event event;
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        must(DFOPT_ERR_NOMEM, "knobs");
    bench_knobs_write(f, b->knobs);
    fclose(f);
    must(dfopt_planner_create(&b->planner, b->dict, &config), "planner");
    must(dfopt_codec_decode(b->codec, DFOPT_STREAM_REGISTRATION, text, len, &event,
                            NULL),
         "knobs");
    for (size_t i = 0; i < event.registration.n_knobs; i++)
        event.registration.knobs[i].scope = dfopt_dict_intern_z(b->dict, "node");
    must(dfopt_planner_preset(b->planner, &event.registration), "knobs");
    dfopt_event_clear(&event);
    free(text);
}

static void begin_effect(struct bench *b, enum dfopt_effect effect)
{
    b->policy.on.effect = effect;
    begin_planner(b);
}

static void begin_severity(struct bench *b)
{
    begin_effect(b, DFOPT_EFFECT_SEVERITY);
}

static void begin_trend(struct bench *b)
{
    begin_effect(b, DFOPT_EFFECT_TREND);
}

static void begin_objective(struct bench *b)
{
    begin_effect(b, DFOPT_EFFECT_OBJECTIVE);
}

/* Within 3 % of 100, from the number of the objective. */
static double some_objective(uint64_t i)
{
    const uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    return 97.0 + 6.0 * (double)(z >> 40) / 0x1p24;
}

/* One for each window of a node, before the first finding of it. */
static void make_objectives(struct bench *b)
{
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&b->findings, const struct dfopt_finding_row);
    const uint32_t names = dfopt_dict_strings(b->dict);
    int64_t *last = malloc(names * sizeof *last);
    if (!last)
        must(DFOPT_ERR_NOMEM, "objectives");
    for (uint32_t i = 0; i < names; i++)
        last[i] = INT64_MIN;
    for (size_t i = 0; i < b->n; i++) {
        const struct dfopt_finding *f = &row[i].f;
        if (f->node == DFOPT_SYM_EMPTY || f->window <= last[f->node])
            continue;
        b->nodes += last[f->node] == INT64_MIN;
        last[f->node] = f->window;
        const struct objective o = {.before = i,
                                    .o = {.node = f->node,
                                          .goal = 1,
                                          .window = f->window,
                                          .value = some_objective(i)}};
        must(dfopt_buf_add(&b->objectives, &o, sizeof o), "objectives");
    }
    free(last);
}

/* ---- the parts ---- */

static void begin_nothing(struct bench *b)
{
    (void)b;
}

static void end_nothing(struct bench *b)
{
    (void)b;
}

static void end_planner(struct bench *b)
{
    const size_t with = mallinfo2().uordblks;
    dfopt_planner_destroy(b->planner);
    b->memory = with - mallinfo2().uordblks;
    b->planner = NULL;
}

typedef void (*take_fn)(struct bench *b, const struct dfopt_record *record,
                        uint64_t seq);

static size_t walk_file(struct bench *b, take_fn take)
{
    struct dfopt_split at = {0}, split;
    struct dfopt_record record;
    size_t n = 0;
    while ((split = dfopt_splits_next(b->splits, &at, SPLIT)).len > 0) {
        must(dfopt_split_load(b->splits, &split, &b->reader, NULL), b->path);
        while (dfopt_split_next(&b->reader, &record))
            take(b, &record, n++);
        must(b->reader.status, b->path);
    }
    return n;
}

static void take_nothing(struct bench *b, const struct dfopt_record *record,
                         uint64_t seq)
{
    (void)b, (void)record, (void)seq;
}

static void take_decode(struct bench *b, const struct dfopt_record *record,
                        uint64_t seq)
{
    struct dfopt_event event;
    (void)seq;
    must(dfopt_codec_decode(b->codec, DFOPT_STREAM_FINDING, record->data,
                            record->len, &event, NULL),
         "decode");
}

static void decide(struct bench *b, uint64_t seq, const struct dfopt_finding *f)
{
    must(dfopt_planner_finding(b->planner, seq, f, &b->now), "planner");
    if (seq % BATCH == BATCH - 1) {
        b->verdicts += DFOPT_ROWS(&b->now.verdicts, struct dfopt_verdict_row);
        dfopt_decisions_clear(&b->now);
    }
}

static void take_decide(struct bench *b, const struct dfopt_record *record,
                        uint64_t seq)
{
    struct dfopt_event event;
    must(dfopt_codec_decode(b->codec, DFOPT_STREAM_FINDING, record->data,
                            record->len, &event, NULL),
         "decode");
    decide(b, seq, &event.finding);
}

static size_t run_split(struct bench *b)
{
    return walk_file(b, take_nothing);
}

static size_t run_decode(struct bench *b)
{
    struct dfopt_event event;
    for (size_t i = 0; i < b->n; i++)
        must(dfopt_codec_decode(b->codec, DFOPT_STREAM_FINDING, b->lines[i].at,
                                b->lines[i].len, &event, NULL),
             "decode");
    return b->n;
}

static size_t run_split_decode(struct bench *b)
{
    return walk_file(b, take_decode);
}

static size_t run_split_decode_plan(struct bench *b)
{
    return walk_file(b, take_decide);
}

static size_t run_planner(struct bench *b)
{
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&b->findings, const struct dfopt_finding_row);
    for (size_t i = 0; i < b->n; i++)
        decide(b, i, &row[i].f);
    return b->n;
}

static size_t run_planner_objectives(struct bench *b)
{
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&b->findings, const struct dfopt_finding_row);
    const struct objective *o = DFOPT_ROW(&b->objectives, const struct objective);
    const size_t n = DFOPT_ROWS(&b->objectives, struct objective);
    for (size_t i = 0, next = 0; i < b->n; i++) {
        for (; next < n && o[next].before == i; next++)
            must(dfopt_planner_objective(b->planner, i, &o[next].o, &b->now),
                 "planner");
        decide(b, i, &row[i].f);
    }
    return b->n;
}

static void end_decided(struct bench *b)
{
    b->verdicts += DFOPT_ROWS(&b->now.verdicts, struct dfopt_verdict_row);
    dfopt_decisions_clear(&b->now);
    end_planner(b);
}

/* All rows that a log gets, a chunk's worth at a time. */
typedef void (*rows_fn)(struct bench *b, enum dfopt_declog_table table,
                        const struct dfopt_buf *rows, uint64_t first);

static void walk_table(struct bench *b, rows_fn f, enum dfopt_declog_table table,
                       const struct dfopt_buf *rows, size_t row_size)
{
    const size_t n = rows->len / row_size;
    for (size_t i = 0; i < n; i += BATCH) {
        const size_t end = i + BATCH < n ? i + BATCH : n;
        const struct dfopt_buf some = {.data = rows->data + i * row_size,
                                       .len = (end - i) * row_size};
        f(b, table, &some, i);
    }
}

static size_t walk_rows(struct bench *b, rows_fn f)
{
    walk_table(b, f, DFOPT_TABLE_FINDINGS, &b->findings,
               sizeof(struct dfopt_finding_row));
    walk_table(b, f, DFOPT_TABLE_VERDICTS, &b->all.verdicts,
               sizeof(struct dfopt_verdict_row));
    return b->n;
}

static void copy_rows(struct bench *b, enum dfopt_declog_table table,
                      const struct dfopt_buf *rows, uint64_t first)
{
    (void)table, (void)first;
    dfopt_buf_clear(&b->block);
    must(dfopt_buf_add(&b->block, rows->data, rows->len), "copy");
}

static void pack_rows(struct bench *b, struct dfopt_block_packer *p,
                      enum dfopt_declog_table table, const struct dfopt_buf *rows,
                      uint64_t first)
{
    dfopt_buf_clear(&b->block);
    const size_t size = table == DFOPT_TABLE_FINDINGS
                            ? sizeof(struct dfopt_finding_row)
                            : sizeof(struct dfopt_verdict_row);
    must(dfopt_block_add(p, table, rows->data, rows->len / size, first, &b->block),
         "pack");
}

static void pack_rows_0(struct bench *b, enum dfopt_declog_table table,
                        const struct dfopt_buf *rows, uint64_t first)
{
    pack_rows(b, &b->packer[0], table, rows, first);
}

static void pack_rows_1(struct bench *b, enum dfopt_declog_table table,
                        const struct dfopt_buf *rows, uint64_t first)
{
    pack_rows(b, &b->packer[1], table, rows, first);
}

static size_t run_copy(struct bench *b)
{
    return walk_rows(b, copy_rows);
}

static size_t run_pack_0(struct bench *b)
{
    return walk_rows(b, pack_rows_0);
}

static size_t run_pack_1(struct bench *b)
{
    return walk_rows(b, pack_rows_1);
}

/* ---- measuring ---- */

struct part {
    const char *name;
    void (*begin)(struct bench *b); /* not measured, nor is end */
    size_t (*run)(struct bench *b);
    void (*end)(struct bench *b);
};

static void measure(struct bench *b, const struct part *p, int repeats)
{
    double wall = DBL_MAX, cpu = DBL_MAX;
    size_t n = 0;
    for (int i = 0; i < repeats; i++) {
        b->verdicts = 0;
        p->begin(b);
        const double wall_from = seconds(CLOCK_MONOTONIC);
        const double cpu_from = seconds(CLOCK_PROCESS_CPUTIME_ID);
        n = p->run(b);
        const double cpu_took = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_from;
        const double wall_took = seconds(CLOCK_MONOTONIC) - wall_from;
        p->end(b);
        cpu = cpu_took < cpu ? cpu_took : cpu;
        wall = wall_took < wall ? wall_took : wall;
    }
    const size_t objectives = p->run == run_planner_objectives
                                  ? DFOPT_ROWS(&b->objectives, struct objective)
                                  : 0;
    printf(
        "{\"part\": \"%s\", \"knobs\": %u, \"findings\": %zu, \"verdicts\": %llu, "
        "\"bytes\": %zu, \"wall\": %.6f, \"cpu\": %.6f",
        p->name, b->knobs, n, (unsigned long long)b->verdicts, b->size, wall, cpu);
    if (b->memory)
        printf(", \"nodes\": %llu, \"objectives\": %zu, \"planner_bytes\": %zu",
               (unsigned long long)b->nodes, objectives, b->memory);
    if (b->severity > 0) { /* of all events, and of findings alone */
        const double rate = b->severity / cpu;
        printf(", \"rate_of_severity\": %.3f, \"findings_of_severity\": %.3f",
               rate * (double)(n + objectives) / (double)n, rate);
    }
    puts("}");
    fflush(stdout);
    b->memory = 0;
    b->best = cpu;
}

/* The planner with every effect, and what each costs beside severity. */
static void measure_planner(struct bench *b, int repeats)
{
    static const struct part parts[] = {
        {"planner", begin_severity, run_planner, end_decided},
        {"planner_trend", begin_trend, run_planner, end_decided},
        {"planner_objective", begin_objective, run_planner_objectives, end_decided},
    };
    b->severity = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        measure(b, &parts[i], repeats);
        b->severity = i ? b->severity : b->best;
    }
    b->severity = 0;
}

/* All decisions with b->knobs knobs, kept in b->all. */
static void decide_all(struct bench *b)
{
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&b->findings, const struct dfopt_finding_row);
    begin_planner(b);
    for (size_t i = 0; i < b->n; i++)
        must(dfopt_planner_finding(b->planner, i, &row[i].f, &b->all), "planner");
    end_planner(b);
}

static void set_up(struct bench *b)
{
    load(b);
    must(dfopt_dict_create(&b->dict, false), "dictionary");
    must(dfopt_codec_create(&b->codec, b->dict, NULL), "codec");
    must(dfopt_splits_open(&b->splits, &b->path, 1, 1 << 20, NULL), b->path);
    if (!b->splits)
        must(DFOPT_ERR_FORMAT, "not a plain file of JSON lines");
    dfopt_policy_preset(&b->policy, DFOPT_PRESET_DEFAULT);
    for (int level = 0; level < 2; level++)
        must(dfopt_block_packer_init(&b->packer[level], level), "packer");
    b->policy.on.effect = DFOPT_EFFECT_SEVERITY;
    decode_all(b);
    make_objectives(b);
    b->knobs = 10;
    decide_all(b);
}

static void tear_down(struct bench *b)
{
    for (int level = 0; level < 2; level++)
        dfopt_block_packer_free(&b->packer[level]);
    dfopt_decisions_free(&b->all);
    dfopt_decisions_free(&b->now);
    dfopt_buf_free(&b->findings);
    dfopt_buf_free(&b->objectives);
    dfopt_buf_free(&b->block);
    dfopt_buf_free(&b->reader.bytes);
    dfopt_splits_close(b->splits);
    dfopt_codec_destroy(b->codec);
    dfopt_dict_destroy(b->dict);
    free(b->lines);
}

int main(int argc, char **argv)
{
    static const struct part parts[] = {
        {"read_split", begin_nothing, run_split, end_nothing},
        {"decode", begin_nothing, run_decode, end_nothing},
        {"read_split_decode", begin_nothing, run_split_decode, end_nothing},
        {"read_split_decode_plan", begin_planner, run_split_decode_plan,
         end_decided},
        {"copy_rows", begin_nothing, run_copy, end_nothing},
        {"columns", begin_nothing, run_pack_0, end_nothing},
        {"columns_deflated", begin_nothing, run_pack_1, end_nothing},
    };
    struct bench b = {.path = argc > 1 ? argv[1] : NULL};
    const int repeats = argc > 2 ? atoi(argv[2]) : 5;
    if (argc < 2 || repeats < 1) {
        fprintf(stderr, "usage: bench_limits FILE [REPEATS [KNOBS...]]\n");
        return 2;
    }
    set_up(&b);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        measure(&b, &parts[i], repeats);
    if (argc < 4)
        measure_planner(&b, repeats);
    for (int i = 3; i < argc; i++) {
        b.knobs = (unsigned)strtoul(argv[i], NULL, 10);
        measure_planner(&b, repeats);
    }
    tear_down(&b);
    return 0;
}
