dfopt_unit_test(finding_fast dfopt_codec m)
add_subdirectory(${CMAKE_CURRENT_SOURCE_DIR}/bench)
