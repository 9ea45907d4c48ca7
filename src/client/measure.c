/* Breaks down the time of iterations, window by window. */
#include "dfopt/client_measure.h"

#include <math.h>

#define NS 1e-9

static void begin(struct dfopt_measure *m, int64_t index, int64_t now_ns)
{
    const struct dfopt_client_window *w = &m->window;
    m->window = (struct dfopt_client_window){
        .index = index, .workers = w->workers, .memory = w->memory};
    m->start_ns = m->phase_ns = now_ns;
}

void dfopt_measure_init(struct dfopt_measure *m, dfopt_client *client,
                        int64_t window_ns, int64_t now_ns)
{
    *m = (struct dfopt_measure){.client = client,
                                .window_ns = window_ns > 0 ? window_ns : 0};
    begin(m, 1, now_ns);
}

void dfopt_measure_phase(struct dfopt_measure *m, enum dfopt_measure_phase phase,
                         int64_t now_ns)
{
    const double s = now_ns > m->phase_ns ? (double)(now_ns - m->phase_ns) * NS : 0;
    if (m->phase == DFOPT_MEASURE_FETCH)
        m->window.fetch_s += s;
    else if (m->phase == DFOPT_MEASURE_COMPUTE)
        m->window.compute_s += s;
    m->phase = phase;
    m->phase_ns = now_ns;
}

void dfopt_measure_add(struct dfopt_measure *m, double units)
{
    if (isfinite(units) && units > 0)
        m->window.units += units;
}

enum dfopt_err dfopt_measure_close(struct dfopt_measure *m, int64_t index,
                                   int64_t now_ns)
{
    dfopt_measure_phase(m, m->phase, now_ns);
    struct dfopt_client_window w = m->window;
    if (index)
        w.index = index;
    if (now_ns <= m->start_ns)
        return DFOPT_ERR_ARG;
    w.seconds = (double)(now_ns - m->start_ns) * NS;
    begin(m, w.index + 1, now_ns);
    return m->client ? dfopt_client_window(m->client, &w) : DFOPT_OK;
}

bool dfopt_measure_end(struct dfopt_measure *m, int64_t now_ns)
{
    if (now_ns <= m->start_ns || now_ns - m->start_ns < m->window_ns)
        return false;
    (void)dfopt_measure_close(m, 0, now_ns);
    return true;
}
