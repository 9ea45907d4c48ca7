# Unit tests of what travels between ranks, and of what stands on it.
dfopt_unit_test(frame dfopt_codec PkgConfig::XXHASH)
dfopt_unit_test(pieces dfopt_transport)
dfopt_unit_test(partition dfopt_runtime)
dfopt_unit_test(round dfopt_runtime)
dfopt_unit_test(block dfopt_declog)
dfopt_unit_test(slice dfopt_runtime)
dfopt_unit_test(bell dfopt_runtime)
dfopt_unit_test(record dfopt_runtime)
