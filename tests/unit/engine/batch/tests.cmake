dfopt_unit_tests(dfopt_engine_batch batch route tally)
