dfopt_unit_tests(dfopt_base buf_log dict digits hostname idle)
