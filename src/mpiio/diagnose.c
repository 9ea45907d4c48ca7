/* Two rules. MPI-IO that takes a tenth of the time or more is worth a change:
 * small_collective_io if its requests are small or its view has gaps, so that they
 * should be combined; slow_collective_io if they are already large. The severity is
 * the share of the time. */
#include "mpiio/diagnose.h"

#define WORTH_SHARE 0.10
#define SMALL_BYTES 1048576.0 /* per call and rank */
#define MOSTLY      0.5

enum { SMALL, SLOW };
enum { READS, WRITES };

static const char *const types[] = {
    [SMALL] = "small_collective_io", [SLOW] = "slow_collective_io"};
static const char *const tags[][2][DFOPT_IO_TAGS] = {
    [SMALL] = {[READS] = {"collective_read", "read_sieving", "io_buffer_size",
                          "io_aggregators", "read_sieving_excess",
                          "io_buffer_size_excess", "io_aggregators_excess"},
               [WRITES] = {"collective_write", "write_sieving", "io_buffer_size",
                           "io_aggregators", "write_sieving_excess",
                           "io_buffer_size_excess", "io_aggregators_excess"}},
    [SLOW] = {[READS] = {"io_aggregators", "io_buffer_size", "striping",
                         "io_aggregators_excess", "io_buffer_size_excess",
                         "collective_read_excess", "read_sieving_excess"},
              [WRITES] = {"io_aggregators", "io_buffer_size", "striping",
                          "io_aggregators_excess", "io_buffer_size_excess",
                          "collective_write_excess", "write_sieving_excess"}}};

double dfopt_io_rate(const struct dfopt_io_window *w)
{
    return w->seconds > 0 ? w->counts.bytes / w->seconds * 1e-6 : 0;
}

double dfopt_io_share(const struct dfopt_io_diagnosis *d,
                      const struct dfopt_io_window *w)
{
    const double since = d->last_closed > 0 && d->last_closed < w->opened
                             ? d->last_closed
                             : w->opened;
    const double all = w->closed - since;
    return all > w->seconds && all > 0 ? w->seconds / all : 1;
}

static double call_bytes(const struct dfopt_io_window *w)
{
    return w->counts.calls > 0 ? w->counts.bytes / w->counts.calls : 0;
}

static double scattered(const struct dfopt_io_window *w)
{
    return w->counts.bytes > 0 ? w->counts.scattered_bytes / w->counts.bytes : 0;
}

static void measure(struct dfopt_io_diagnosis *d, const struct dfopt_io_window *w,
                    double share)
{
    const double calls = w->counts.calls > 0 ? w->counts.calls : 1;
    const struct dfopt_client_metric metrics[] = {
        {"io_frac", share},
        {"mb_per_s", dfopt_io_rate(w)},
        {"bytes_per_call", call_bytes(w)},
        {"collective_frac", w->counts.collective / calls},
        {"scattered_frac", scattered(w)},
    };
    _Static_assert(sizeof metrics == sizeof d->metrics, "all of them");
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        d->metrics[i] = metrics[i];
}

bool dfopt_io_diagnose(struct dfopt_io_diagnosis *d,
                       const struct dfopt_io_window *w, int64_t index,
                       struct dfopt_client_finding *out)
{
    const double share = dfopt_io_share(d, w);
    const int kind =
        call_bytes(w) < SMALL_BYTES || scattered(w) > MOSTLY ? SMALL : SLOW;
    measure(d, w, share);
    d->last_closed = w->closed;
    d->windows++;
    d->run[SMALL + SLOW - kind] = 0;
    d->run[kind] = share >= WORTH_SHARE ? d->run[kind] + 1 : 0;
    if (share < WORTH_SHARE)
        return false;
    d->seen[kind]++;
    *out = (struct dfopt_client_finding){
        .type = types[kind],
        .window_index = index,
        .severity = share,
        .prevalence = (double)d->seen[kind] / (double)d->windows,
        .persistence = d->run[kind],
        .support = d->seen[kind],
        .trend = "stable",
        .tags = tags[kind][w->counts.written > MOSTLY * w->counts.bytes],
        .n_tags = DFOPT_IO_TAGS,
        .metrics = d->metrics,
        .n_metrics = sizeof d->metrics / sizeof *d->metrics,
    };
    return true;
}
