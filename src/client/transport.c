/* Looks up a transport by name. */
#include "client/transport.h"

#include <string.h>

enum dfopt_err
dfopt_client_transport_find(const char *name,
                            const struct dfopt_client_transport **out,
                            struct dfopt_error *err)
{
    static const struct dfopt_client_transport *const known[] = {
        &dfopt_client_transport_zmq,
        &dfopt_client_transport_mofka,
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i]->name, name) == 0) {
            *out = known[i];
            return DFOPT_OK;
        }
    return dfopt_error_set(err, DFOPT_ERR_ARG,
                           "unknown transport '%.40s'; use zmq or mofka", name);
}
