dfopt_unit_tests(dfopt_declog block declog declog_control declog_faults declog_liveness declog_resume)
dfopt_unit_test(deflate dfopt_declog ZLIB::ZLIB)
