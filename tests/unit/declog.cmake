dfopt_unit_test(deflate dfopt_declog ZLIB::ZLIB)
dfopt_unit_test(declog dfopt_declog)
dfopt_unit_test(declog_faults dfopt_declog)
dfopt_unit_test(declog_resume dfopt_declog)
