#include "bench_knobs.h"

static const char *const tags[] = {
    "dataloader_prefetch", "reader_parallelism", "small_io_reduction",
    "metadata_reduction",  "reader_contention",  "read_write_rebalancing",
    "rank_balance",        "shard_repartition",  "comm_optimization",
    "io_bottleneck",
};
enum { TAGS = sizeof tags / sizeof *tags };

static void response(FILE *out, const char *tag, unsigned i)
{
    fprintf(out,
            "\"%s\":{\"direction\":\"%s\",\"step\":%u,\"step_mode\":\"%s\","
            "\"set_to\":null,\"min_severity\":%.2f,\"min_persistence\":%u,"
            "\"cooldown_windows\":%u,\"apply_when\":\"window_boundary\","
            "\"effectiveness_threshold\":0.10}",
            tag, i % 3 == 2 ? "decrease" : "increase", 1 + i % 2,
            i % 4 == 1   ? "evidence"
            : i % 4 == 3 ? "multiply"
                         : "add",
            0.25 + 0.05 * (double)(i % 6), 1 + i % 3, 2 + i % 3);
}

void bench_knobs_write(FILE *out, unsigned n)
{
    fprintf(out, "{\"namespace\":\"bench\",\"function_name\":\"bench.make_loader\","
                 "\"knobs\":{");
    for (unsigned i = 0; i < n; i++) {
        const char *tag = tags[i % TAGS];
        fprintf(
            out,
            "%s\"knob_%u\":{\"id\":\"bench.knob_%u\",\"default\":%u,"
            "\"type\":\"int\",\"range\":[1,4096],\"values\":null,\"scope\":\"job\","
            "\"responds_to\":{",
            i ? "," : "", i, i, 2 + i % 7);
        response(out, tag, i);
        if (i % 5 == 1) { /* some knobs have two reasons to move */
            fputc(',', out);
            response(out, tags[(i + 3) % TAGS], i + 1);
        }
        fprintf(out, "},\"target_function\":\"bench.make_loader\"}");
    }
    fprintf(out, "},\"current_values\":{}}");
}
