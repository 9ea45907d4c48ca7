dfopt_unit_tests(dfopt_state tally)
