/* The doorbell between processes: no ring is lost, none is needed twice. */
#include "engine/comm/doorbell.h"
#include "support/wait.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20000
#define TIMEOUT_NS                                                                 \
    INT64_C(60000000000) /* a lost ring would show as so long a wait */

struct shared {
    struct dfopt_doorbell doorbell[2];
    uint32_t ball; /* whose turn it is */
};

/* Waits until it is this side's turn; whether each sleep was ended by a ring. */
static bool wait_turn(struct shared *s, uint32_t side)
{
    bool rung = true;
    for (;;) {
        const uint32_t announced = dfopt_doorbell_announce(&s->doorbell[side]);
        if (__atomic_load_n(&s->ball, __ATOMIC_SEQ_CST) == side)
            break;
        rung =
            dfopt_doorbell_sleep(&s->doorbell[side], announced, TIMEOUT_NS) && rung;
    }
    dfopt_doorbell_stay_awake(&s->doorbell[side]);
    return rung;
}

/* Returns whether no ring was lost. */
static bool play(struct shared *s, uint32_t side)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (!wait_turn(s, side))
            return false;
        __atomic_store_n(&s->ball, 1 - side, __ATOMIC_SEQ_CST);
        dfopt_doorbell_ring(&s->doorbell[1 - side]);
    }
    return true;
}

static void test_no_ring_is_lost(void **state)
{
    (void)state;
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s != MAP_FAILED);
    const pid_t child = fork();
    if (child == 0)
        _exit(!play(s, 1));
    assert_true(child > 0);
    const bool heard = play(s, 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(heard);
    munmap(s, sizeof *s);
}

static void test_time_out(void **state)
{
    (void)state;
    struct dfopt_doorbell doorbell = {0};
    uint32_t announced = dfopt_doorbell_announce(&doorbell);
    assert_false(dfopt_doorbell_sleep(&doorbell, announced, 1000000));
    dfopt_doorbell_ring(&doorbell); /* nobody sleeps: nothing happens */
    assert_int_equal(doorbell.rung, 0);
    announced = dfopt_doorbell_announce(&doorbell);
    dfopt_doorbell_ring(&doorbell);
    assert_true(dfopt_doorbell_sleep(&doorbell, announced, TIMEOUT_NS));
    assert_int_equal(doorbell.asleep, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_ring_is_lost),
        cmocka_unit_test(test_time_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
