/* Idle time, summed between looks. */
#include "base/idle.h"

int64_t dfopt_idle_look(struct dfopt_idle *idle, int64_t now_ns, bool came)
{
    const int64_t since_ns = now_ns - idle->at_ns;
    if (came)
        idle->spent_ns = 0;
    else if (idle->at_ns)
        idle->spent_ns +=
            since_ns < DFOPT_IDLE_LOOK_NS ? since_ns : DFOPT_IDLE_LOOK_NS;
    if (came || idle->at_ns)
        idle->at_ns = now_ns;
    return idle->spent_ns;
}
