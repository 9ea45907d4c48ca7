/* dfopt-demo-loader: a data loader that an optimizer tunes while it runs. */
#include "cmd/demo/run.h"

#include "base/standard.h"

#include <signal.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

int main(int argc, char **argv)
{
    struct demo_options options;
    const struct sigaction action = {.sa_handler = on_signal};
    dfopt_standard_open();
    signal(SIGXFSZ, SIG_IGN); /* make it a write error */
    demo_options_parse(argc, argv, &options);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return dfopt_standard_flush(demo_run(&options, &interrupted));
}
