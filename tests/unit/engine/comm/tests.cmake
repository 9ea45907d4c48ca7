# Both ends of a frame, for the tests of what travels between ranks.
add_library(test_frame_ends STATIC ${CMAKE_CURRENT_LIST_DIR}/frame_ends.c
                                   ${CMAKE_CURRENT_LIST_DIR}/frame_kinds.c)
target_include_directories(test_frame_ends PUBLIC ${PROJECT_SOURCE_DIR}/tests/unit)
target_link_libraries(test_frame_ends PUBLIC dfopt_engine_comm PkgConfig::XXHASH
                                             PkgConfig::CMOCKA)
dfopt_unit_tests(test_frame_ends frame frame_refused frame_random)
dfopt_unit_tests(dfopt_engine_comm partition doorbell)
