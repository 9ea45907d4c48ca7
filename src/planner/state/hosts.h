/* Nodes by the names of their hosts, compared as base/hostname.h says: N1, n1 and
 * n1.cluster.example are one node. For the planner's own files only.
 *
 * A name that has been used stays with its node. A new one is taken, in this order,
 * for the node that has it but for case and a dot at the end; if it is short, for
 * the only node with a full name that begins with it; and if it is full, for the
 * node that has its first label, unless that has another full name already. So two
 * hosts with one short name stay two nodes. Names with different first labels never
 * meet: who owns all names with a label knows all that matter. */
#ifndef DFOPT_PLANNER_STATE_HOSTS_H
#define DFOPT_PLANNER_STATE_HOSTS_H

#include "base/dict.h"

struct dfopt_hosts {
    struct dfopt_host_label *labels; /* owned; zero-initialise */
};

void dfopt_hosts_free(struct dfopt_hosts *h);

/* The index of the node that a name is taken for; DFOPT_SYMMAP_NONE: none. */
uint32_t dfopt_hosts_find(const struct dfopt_hosts *h,
                          const struct dfopt_dict *dict, dfopt_sym name);

/* Notes a name of a node. OK or NOMEM. */
enum dfopt_err dfopt_hosts_add(struct dfopt_hosts *h, const struct dfopt_dict *dict,
                               dfopt_sym name, uint32_t node);

/* About how many bytes a node takes here. */
#define DFOPT_HOST_BYTES 144

#endif
