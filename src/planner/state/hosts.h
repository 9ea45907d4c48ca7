/* Nodes by host name, compared as in base/hostname.h: N1, n1 and
 * n1.cluster.example are one node. For the planner, and for dfopt-log.
 *
 * A name stays with the node it was first assigned to. A new name is assigned, in
 * this order: to the node with the same name apart from case and a trailing dot;
 * if short, to the only node with a full name that begins with it; if full, to the
 * node with its first label, unless that has another full name already. So two
 * hosts with one short name stay two nodes. Names with different first labels
 * never meet: the owner of a label knows every name that matters. */
#ifndef DFOPT_PLANNER_STATE_HOSTS_H
#define DFOPT_PLANNER_STATE_HOSTS_H

#include "base/dict.h"

struct dfopt_hosts {
    struct dfopt_host_label *labels; /* owned; zero-initialise */
};

void dfopt_hosts_free(struct dfopt_hosts *h);

/* The index of the node a name is assigned to; DFOPT_SYMMAP_NONE: none. */
uint32_t dfopt_hosts_find(const struct dfopt_hosts *h,
                          const struct dfopt_dict *dict, dfopt_sym name);

/* Records a name of a node. OK or NOMEM. */
enum dfopt_err dfopt_hosts_add(struct dfopt_hosts *h, const struct dfopt_dict *dict,
                               dfopt_sym name, uint32_t node);

/* Approximate bytes per node here. */
#define DFOPT_HOST_BYTES 144

#endif
