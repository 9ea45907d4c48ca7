/* Limits how much a consumer fetches at once. Depends only on Argobots, not on
 * Mofka's client. */
#ifndef DFOPT_NET_MOFKA_FLOW_HPP
#define DFOPT_NET_MOFKA_FLOW_HPP

#include "net/mofka/module.h"

#include <abt.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace dfopt_mofka
{

/* An Argobots mutex: a waiting OS thread sleeps, a waiting Argobots thread yields
 * to another. */
class Mutex
{
  public:
    void lock()
    {
        ABT_mutex_lock(handle());
    }
    void unlock()
    {
        ABT_mutex_unlock(handle());
    }
    ABT_mutex handle()
    {
        return ABT_MUTEX_MEMORY_GET_HANDLE(&memory);
    }

  private:
    ABT_mutex_memory memory = ABT_MUTEX_INITIALIZER;
};

class Condition
{
  public:
    void wait(Mutex &lock)
    {
        ABT_cond_wait(handle(), lock.handle());
    }
    void notify_all()
    {
        ABT_cond_broadcast(handle());
    }

  private:
    ABT_cond handle()
    {
        return ABT_COND_MEMORY_GET_HANDLE(&memory);
    }
    ABT_cond_memory memory = ABT_COND_INITIALIZER;
};

/* Mofka's client fetches each batch in an Argobots thread, one event after another.
 * Unbounded, there are as many threads as batches, and together they overrun the
 * broker's queue. Flow admits a few batches at a time, in arrival order (the order
 * in which events are pulled), and only while few pulled events are held. Events
 * not yet pulled do not count, since they may be queued after what waits here. */
class Flow : public std::enable_shared_from_this<Flow>
{
  public:
    explicit Flow(const dfopt_mofka_bounds &b);
    Flow(const Flow &) = delete;
    Flow &operator=(const Flow &) = delete;
    ~Flow();

    /* Called before fetching an event, by the fetching thread. Waits for room;
     * returns false after end(). */
    bool enter();

    /* Count n bytes of a held event; release them. */
    void add(size_t n);
    void leave(size_t n);

    /* Stop all fetching. */
    void end();

    const dfopt_mofka_bounds bounds;
    size_t asked = 0; /* size of the event to be fetched next */

  private:
    bool is_full() const;
    void begin_batch();
    static void batch_done(void *arg);

    Mutex lock;
    Condition changed;
    ABT_key key = ABT_KEY_NULL;
    uint64_t tickets = 0, turn = 0; /* batches arrived; batches admitted */
    size_t active = 0;
    size_t events = 0, bytes = 0;
    bool over = false;
};

} // namespace dfopt_mofka

#endif
