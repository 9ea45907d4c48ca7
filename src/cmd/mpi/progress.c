/* The progress line. The cursor stays at its start; a log line overwrites it. */
#include "cmd/mpi/progress.h"

#include <inttypes.h>

static void put_share(FILE *out, const struct dfopt_source_progress *in,
                      double elapsed)
{
    if (in->bytes_total == 0)
        return;
    const double share = (double)in->bytes_done / (double)in->bytes_total;
    fprintf(out, "  %3.0f%%", 100 * (share < 1 ? share : 1));
    if (share > 0.01 && share < 1) {
        const int left = (int)(elapsed / share * (1 - share) + 0.5);
        fprintf(out, "  %d:%02d left", left / 60, left % 60);
    }
}

void dfopt_progress_show(void *arg, const struct dfopt_run_progress *p)
{
    const struct dfopt_progress_line *line = arg;
    const double elapsed =
        (double)(dfopt_clock_monotonic_ns() - line->start_ns) / 1e9;
    const double rate = elapsed > 0 ? (double)p->totals->records / elapsed : 0;
    fprintf(line->out, "%" PRIu64 " records  %.0f/s  %" PRIu64 " plans",
            p->totals->records, rate, p->totals->plans);
    put_share(line->out, &p->input, elapsed);
    fputs("\033[K\r", line->out);
    fflush(line->out);
}

void dfopt_progress_sweep(const struct dfopt_progress_line *line, size_t decided,
                          size_t left, size_t findings)
{
    const double elapsed =
        (double)(dfopt_clock_monotonic_ns() - line->start_ns) / 1e9;
    const double all = (double)decided * (double)findings;
    const struct dfopt_source_progress share = {decided, decided + left};
    fprintf(line->out, "%zu variants, %zu left  %.1f M findings/s", decided, left,
            elapsed > 0 ? all / elapsed / 1e6 : 0);
    put_share(line->out, &share, elapsed);
    fputs("\033[K\r", line->out);
    fflush(line->out);
}

void dfopt_progress_end(const struct dfopt_progress_line *line)
{
    fputs("\033[K", line->out);
    fflush(line->out);
}
