/* What keeps a consumer from fetching too much at once. It stands on Argobots alone
 * and knows nothing of Mofka's client. */
#ifndef DFOPT_NET_MOFKA_FLOW_HPP
#define DFOPT_NET_MOFKA_FLOW_HPP

#include "net/mofka/module.h"

#include <abt.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace dfopt_mofka
{

/* Argobots' mutex, which puts an ordinary thread to sleep, and lets a thread of its
 * own that waits be replaced by another. */
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

/* The client fetches a batch by a thread of Argobots', one event after the other.
 * Without a bound there are as many of them as there are batches, all asking the
 * broker at once, more than its queue takes. So only a few batches are fetched at a
 * time, in the order in which they came (for events are pulled in that order), and
 * only while little is held of what has been pulled. What has not been
 * pulled yet does not count: it might be behind what waits here. */
class Flow : public std::enable_shared_from_this<Flow>
{
  public:
    explicit Flow(const dfopt_mofka_bounds &b);
    Flow(const Flow &) = delete;
    Flow &operator=(const Flow &) = delete;
    ~Flow();

    /* Before an event is fetched, by the thread that does it. Waits for room;
     * false: it is over. */
    bool enter();

    /* So many bytes of an event are held; are no longer. */
    void add(size_t n);
    void leave(size_t n);

    /* Nothing is fetched any more. */
    void end();

    const dfopt_mofka_bounds bounds;
    size_t asked = 0; /* size of the event that is about to be fetched */

  private:
    bool is_full() const;
    void begin_batch();
    static void batch_done(void *arg);

    Mutex lock;
    Condition changed;
    ABT_key key = ABT_KEY_NULL;
    uint64_t tickets = 0, turn = 0; /* batches that came; that were let in */
    size_t active = 0;
    size_t events = 0, bytes = 0;
    bool over = false;
};

} // namespace dfopt_mofka

#endif
