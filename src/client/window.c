/* Analysis windows with an adaptive cadence. Source: DFOptimizer 0.1.0,
 * dfoptimizer/runtime/window.py; each function matches its method. */
#include "dfopt/client.h"

void dfopt_window_init(struct dfopt_window *w, int64_t max_every_n)
{
    *w = (struct dfopt_window){
        .every_n = 1,
        .max_every_n = max_every_n > 0 ? max_every_n : 0,
    };
}

static bool tell(const struct dfopt_window *w, const char *name, int64_t start_ns,
                 int64_t end_ns, bool flush, struct dfopt_window_event *event)
{
    if (event)
        *event = (struct dfopt_window_event){
            .name = name,
            .window_index = w->index,
            .every_n = w->every_n,
            .counter = w->counter,
            .start_ns = start_ns,
            .duration_ns = end_ns - start_ns,
            .flush = flush,
        };
    return true;
}

bool dfopt_window_start(struct dfopt_window *w, int64_t now_ns,
                        struct dfopt_window_event *event)
{
    w->counter++;
    if (w->every_n > 1 && w->counter % w->every_n != 1)
        return false;
    w->index++;
    w->active = true;
    w->start_ns = now_ns;
    return tell(w, "window.start", now_ns, now_ns, false, event);
}

bool dfopt_window_stop(struct dfopt_window *w, int64_t now_ns,
                       struct dfopt_window_event *event)
{
    if (!w->active || w->counter % w->every_n != 0)
        return false;
    w->active = false;
    return tell(w, "window.stop", w->start_ns, now_ns, false, event);
}

bool dfopt_window_flush(struct dfopt_window *w, int64_t now_ns,
                        struct dfopt_window_event *event)
{
    bool ends = false;
    if (w->active) {
        w->active = false;
        ends = tell(w, "window.stop", w->start_ns, now_ns, true, event);
    } else if (w->counter % w->every_n != 0) {
        w->index++; /* counted since the last boundary */
        ends = tell(w, "window.stop", now_ns, now_ns, true, event);
    }
    w->counter = 0;
    return ends;
}

static bool set(struct dfopt_window *w, int64_t every_n)
{
    bool changes = every_n != w->every_n;
    w->every_n = every_n;
    return changes;
}

static int64_t bounded(const struct dfopt_window *w, int64_t every_n)
{
    return w->max_every_n && every_n > w->max_every_n ? w->max_every_n : every_n;
}

bool dfopt_window_increase(struct dfopt_window *w)
{
    bool room = w->every_n <= INT64_MAX / 2;
    return set(w, bounded(w, room ? w->every_n * 2 : w->every_n));
}

bool dfopt_window_decrease(struct dfopt_window *w)
{
    return set(w, w->every_n > 1 ? w->every_n / 2 : 1);
}

bool dfopt_window_update(struct dfopt_window *w, int64_t every_n)
{
    return set(w, bounded(w, every_n > 1 ? every_n : 1));
}
