/* Smaller settings come first, so of equal ones the cheapest is the best. */
#include "cmd/demo/grid.h"

/* The next value up to the maximum. 0: there is none. */
static unsigned behind(const struct demo_grid *g, unsigned value, unsigned most)
{
    if (value >= most)
        return 0;
    const unsigned next = g->values == DEMO_GRID_POWERS ? 2 * value : value + 1;
    return next < most ? next : most;
}

bool demo_grid_next(struct demo_grid *g)
{
    if (g->threads == 0) {
        g->threads = g->prefetch = 1;
        return true;
    }
    g->prefetch = behind(g, g->prefetch, g->max_prefetch);
    if (g->prefetch > 0)
        return true;
    g->prefetch = 1;
    g->threads = behind(g, g->threads, g->max_threads);
    return g->threads > 0;
}

static bool fits(const struct demo_window *w)
{
    return !w->has_memory || w->mem_frac <= 1;
}

static void add_setting(struct demo_grid *g, const struct demo_window *w)
{
    const struct demo_window *best = &g->best;
    const bool better = fits(w) == fits(best)
                            ? demo_window_rate(w) > demo_window_rate(best)
                            : fits(w);
    if (g->settings++ == 0 || better)
        g->best = *w;
}

bool demo_grid_add(struct demo_grid *g, const struct demo_window *w)
{
    size_t at = g->n_tried++;
    for (; at > 0 && demo_window_rate(w) < demo_window_rate(&g->tried[at - 1]);
         at--)
        g->tried[at] = g->tried[at - 1];
    g->tried[at] = *w;
    if (g->n_tried < g->windows)
        return false;
    add_setting(g, &g->tried[(g->n_tried - 1) / 2]);
    g->n_tried = 0;
    return true;
}
