dfopt_unit_tests(dfopt_model decision finding policy sample)
dfopt_unit_test(value dfopt_planner) # values of cases come from the planner's fixture
