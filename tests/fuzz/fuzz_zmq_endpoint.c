/* Endpoints of ZeroMQ: what is taken has the form that it promises, and what is not
 * is named. */
#include "fuzz.h"
#include "net/zmq/endpoint.h"

static unsigned long port_of(const char *endpoint)
{
    const char *port = strrchr(endpoint, ':') + 1;
    FUZZ_CHECK(*port, "no port in %s", endpoint);
    if (strcmp(port, "*") == 0)
        return 0;
    FUZZ_CHECK(port[strspn(port, "0123456789")] == '\0', "port of %s", endpoint);
    return strtoul(port, NULL, 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_CHECK(text, "out of memory");
    memcpy(text, data, size);
    text[size] = '\0';
    for (int bind = 0; bind < 2; bind++) {
        struct dfopt_error err = {.text = ""};
        if (dfopt_zmq_endpoint_check(text, bind, &err)) {
            FUZZ_CHECK(strstr(err.text, "use tcp://"), "%s", err.text);
        } else if (strncmp(text, "tcp://", 6) == 0) {
            const unsigned long port = port_of(text);
            FUZZ_CHECK(port <= 65535 && (port > 0 || bind), "%s", text);
        } else {
            FUZZ_CHECK(strncmp(text, "ipc://", 6) == 0 && text[6], "%s", text);
        }
    }
    free(text);
    return 0;
}
