# The demonstration's loader.
dfopt_unit_tests(dfopt_demo demo_dataset demo_reader demo_storage demo_spread demo_grid)
dfopt_threads(demo_reader demo_spread)
