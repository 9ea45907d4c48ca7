#include "cmd/demo/diagnosis.h"

double demo_window_rate(const struct demo_window *w)
{
    return w->seconds > 0 ? (double)w->samples / w->seconds : 0;
}

struct dfopt_client_window demo_window_measured(const struct demo_window *w)
{
    return (struct dfopt_client_window){
        .index = w->index,
        .units = (double)w->samples,
        .seconds = w->seconds,
        .fetch_s = w->fetch_s,
        .compute_s = w->compute_s,
        .workers = w->threads,
        .memory = w->has_memory ? w->mem_frac : 0,
        .read_spread = w->read_spread,
    };
}

double demo_window_fetch_share(const struct demo_window *w)
{
    const struct dfopt_client_window m = demo_window_measured(w);
    return dfopt_diagnosis_fetch_share(&m);
}
