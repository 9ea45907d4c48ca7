# Tests of analysis/: tests/analysis/test_*.py, with the system's Python. Where
# pandas or matplotlib are not installed there is nothing to test.
execute_process(COMMAND ${DFOPT_SYSTEM_PYTHON} -c "import h5py, pandas, matplotlib"
                RESULT_VARIABLE lacking OUTPUT_QUIET ERROR_QUIET)
if(lacking)
  message(STATUS "Tests of analysis/: left out, python3-pandas or "
                 "python3-matplotlib is missing")
  return()
endif()

# dfopt_analysis_test(NAME TIMEOUT): tests/analysis/test_NAME.py
function(dfopt_analysis_test name timeout)
  add_test(NAME analysis.${name}
           COMMAND ${DFOPT_SYSTEM_PYTHON}
                   ${PROJECT_SOURCE_DIR}/tests/analysis/test_${name}.py)
  set_tests_properties(analysis.${name} PROPERTIES
    LABELS analysis TIMEOUT ${timeout} ENVIRONMENT
    "DFOPT_PROGRAM=$<TARGET_FILE:dfopt-mpi>;DFOPT_LOG_PROGRAM=$<TARGET_FILE:dfopt-log>;${DFOPT_TEST_ENVIRONMENT}")
endfunction()

if(NOT DFOPT_SANITIZE) # it is Python: no more of C would be tested
  dfopt_analysis_test(load 300)
  dfopt_analysis_test(results 300)
  dfopt_analysis_test(timeline 300)
  dfopt_analysis_test(programs 600)
  dfopt_analysis_test(page 600)
endif()
