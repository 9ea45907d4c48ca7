/* Detects another service that reads the same findings under the same consumer
 * name: Mofka delivers every event to both, and both would decide everything.
 *
 * A service says hello in its topic of acknowledgements once it can read it;
 * whoever reads another's hello answers. Messages after one's own hello come
 * from services running now; earlier ones may be from services that have ended.
 * These events are not records. */
#ifndef DFOPT_TRANSPORT_MOFKA_PRESENCE_H
#define DFOPT_TRANSPORT_MOFKA_PRESENCE_H

#include "net/mofka/outbox.h"

struct dfopt_mofka_presence;

/* `findings`, `consumer`: the topic that is read and the consumer name. At most
 * one answer to each other service. Returns OK, NOMEM, ARG or IO. Owned:
 * dfopt_mofka_presence_destroy. Create it before the inbox starts. */
enum dfopt_err
dfopt_mofka_presence_create(struct dfopt_mofka_presence **out,
                            struct dfopt_mofka_link *l, const char *group_file,
                            const char *acks_topic, const char *findings,
                            const char *consumer, struct dfopt_error *err);

/* Says hello; call it once subscribed to the topic. OK, NOMEM or IO. */
enum dfopt_err dfopt_mofka_presence_hello(struct dfopt_mofka_presence *p,
                                          struct dfopt_error *err);

/* Takes the body of such an event. Returns whether it reveals another running
 * service for the first time; *text, of `size` bytes, then describes it. */
bool dfopt_mofka_presence_take(struct dfopt_mofka_presence *p, const char *body,
                               size_t len, char *text, size_t size);

/* Returns false if a thread was abandoned. NULL is fine: true. */
bool dfopt_mofka_presence_destroy(struct dfopt_mofka_presence *p);

#endif
