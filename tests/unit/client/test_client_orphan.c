/* An application that is killed while a child of it lives on: the child has copies
 * of its connections, and takes no plan. */
#include "client_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS      5
#define PLANS       20
#define CONNECTIONS 3 /* for plans, registrations and acks */

/* The descriptors of the process. */
static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

struct orphan {
    pid_t pid;
    int fewer; /* descriptors than its parent has */
};

/* The application: says when its child is there, then waits to be killed. */
static void application(const struct dfopt_client_options *options, int ready)
{
    struct orphan orphan;
    int answer[2];
    alarm(60);
    dfopt_client *c = make_client(options);
    declare_int(c, "a");
    start(c);
    while (stats_of(c).registrations_sent == 0 || stats_of(c).plans_received == 0)
        pause_ms(1);
    if (pipe(answer) != 0)
        _exit(1);
    const int open = descriptors();
    orphan.pid = fork();
    if (orphan.pid == 0) {
        alarm(60);
        orphan.fewer = open - descriptors();
        if (write(answer[1], &orphan.fewer, sizeof orphan.fewer) > 0)
            pause();
        _exit(1);
    }
    if (read(answer[0], &orphan.fewer, sizeof orphan.fewer) > 0 &&
        write(ready, &orphan, sizeof orphan) > 0)
        pause();
    _exit(1);
}

/* Waits until the connection of the plans' socket has gone. */
static void await_disconnect(void *monitor)
{
    uint16_t event = 0;
    while (event != ZMQ_EVENT_DISCONNECTED) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        assert_true(zmq_msg_recv(&part, monitor, 0) >= 0);
        memcpy(&event, zmq_msg_data(&part), sizeof event);
        assert_true(zmq_msg_more(&part));
        assert_true(zmq_msg_recv(&part, monitor, 0) >= 0);
        zmq_msg_close(&part);
    }
}

static void killed_with_a_child(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* which knows no threads after a fork with threads */
#endif
    struct optimizer o = {0};
    const int deadline = 25000; /* heartbeats would need 30 s */
    for (int round = 0; round < ROUNDS; round++) {
        int pipe_fds[2];
        optimizer_open(&o, ZMQ_PUSH, NULL);
        struct dfopt_client_options options = optimizer_options(&o);
        assert_int_equal(
            zmq_socket_monitor(o.plans, "inproc://m", ZMQ_EVENT_DISCONNECTED), 0);
        void *monitor = zmq_socket(o.context, ZMQ_PAIR);
        zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &deadline, sizeof deadline);
        assert_int_equal(zmq_connect(monitor, "inproc://m"), 0);
        assert_int_equal(pipe(pipe_fds), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            application(&options, pipe_fds[1]);
        drop_registration(&o);
        send_plan(&o, PLAN("p", "app.a", "3", "now"));
        struct orphan orphan = {0};
        assert_int_equal(read(pipe_fds[0], &orphan, sizeof orphan), sizeof orphan);
        assert_int_equal(orphan.fewer, CONNECTIONS);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        await_disconnect(monitor);
        dfopt_client *c = running_client(&o, ZMQ_PUSH);
        for (int i = 0; i < PLANS; i++)
            send_plan(&o, PLAN("q", "app.a", "4", "now"));
        wait_until(stats_of(c).plans_received == PLANS);
        kill(orphan.pid, SIGKILL);
        assert_int_equal(waitpid(orphan.pid, NULL, 0), orphan.pid);
        dfopt_client_destroy(c);
        zmq_socket_monitor(o.plans, NULL, 0);
        zmq_close(monitor);
        optimizer_close(&o);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_with_a_child)};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
