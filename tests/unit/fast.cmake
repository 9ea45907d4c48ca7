dfopt_unit_test(finding_fast dfopt_codec m)
set_tests_properties(unit.finding_fast PROPERTIES TIMEOUT 300) # sanitized: 50 s
add_subdirectory(${CMAKE_CURRENT_SOURCE_DIR}/bench)
