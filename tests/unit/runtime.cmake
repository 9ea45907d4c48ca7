# Unit tests of what travels between ranks, and of what stands on it.
dfopt_unit_test(frame dfopt_codec PkgConfig::XXHASH)
dfopt_unit_test(pieces dfopt_transport)
