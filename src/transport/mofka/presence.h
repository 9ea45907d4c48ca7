/* Whether another service reads the same findings under the same consumer name:
 * Mofka gives every event to both, and both would decide everything.
 *
 * A service says hello in its topic of acknowledgements, when it can read it; who
 * hears a hello that is not its own answers. What comes behind one's own hello is
 * of a service that is running now; what comes before it may be of one that has
 * ended. These events are no records. */
#ifndef DFOPT_TRANSPORT_MOFKA_PRESENCE_H
#define DFOPT_TRANSPORT_MOFKA_PRESENCE_H

#include "net/mofka/outbox.h"

struct dfopt_mofka_presence;

/* `findings`, `consumer`: the topic that is read and the name under which.
 * Zero or one answer to each other service. Returns OK, NOMEM, ARG or IO. Owned:
 * dfopt_mofka_presence_destroy. Create it before the inbox starts. */
enum dfopt_err
dfopt_mofka_presence_create(struct dfopt_mofka_presence **out,
                            struct dfopt_mofka_link *l, const char *group_file,
                            const char *acks_topic, const char *findings,
                            const char *consumer, struct dfopt_error *err);

/* Says hello; once the topic is subscribed to. OK or NOMEM, or IO. */
enum dfopt_err dfopt_mofka_presence_hello(struct dfopt_mofka_presence *p,
                                          struct dfopt_error *err);

/* Takes the body of such an event. Returns whether it shows, for the first time,
 * that another service is running; *text, of `size` bytes, then says so. */
bool dfopt_mofka_presence_take(struct dfopt_mofka_presence *p, const char *body,
                               size_t len, char *text, size_t size);

/* Returns false if a thread was left behind. NULL is fine: true. */
bool dfopt_mofka_presence_destroy(struct dfopt_mofka_presence *p);

#endif
