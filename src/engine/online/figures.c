#include "engine/online/figures.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define SURVEY_EVERY_NS INT64_C(1000000000)
#define SURVEY_SHARE    100 /* of the time: at most 1/SURVEY_SHARE */

uint64_t dfopt_figures_memory(void)
{
    uint64_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %" SCNu64, &pages) != 1)
        pages = 0;
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void dfopt_figures_watch_free(struct dfopt_figures_watch *w)
{
    dfopt_buf_free(&w->survey.rows);
}

enum dfopt_err dfopt_figures_take(struct dfopt_figures_watch *w,
                                  const struct dfopt_shard *shard,
                                  struct dfopt_figures *out)
{
    const int64_t start = dfopt_clock_monotonic_ns();
    enum dfopt_err e = DFOPT_OK;
    *out = (struct dfopt_figures){.events = shard->decided,
                                  .bytes = dfopt_figures_memory()};
    if (start >= w->due_ns && shard->planner) {
        dfopt_buf_clear(&w->survey.rows);
        w->survey.awaiting = w->survey.trials = 0;
        e = dfopt_planner_survey(
            shard->planner, shard->index == DFOPT_PARTITION_SPEAKER, &w->survey);
        const int64_t took = dfopt_clock_monotonic_ns() - start;
        w->due_ns =
            start + (took * SURVEY_SHARE > SURVEY_EVERY_NS ? took * SURVEY_SHARE
                                                           : SURVEY_EVERY_NS);
        out->surveyed = !e;
    }
    out->awaiting = w->survey.awaiting;
    out->trials = w->survey.trials;
    return e;
}
