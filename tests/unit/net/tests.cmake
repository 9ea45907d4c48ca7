# Mofka's links, with a module that needs no Mofka.
add_library(dfopt_fake_mofka MODULE ${CMAKE_CURRENT_LIST_DIR}/fake_mofka.c)
target_link_libraries(dfopt_fake_mofka PRIVATE dfopt_flags)
target_include_directories(dfopt_fake_mofka PRIVATE ${PROJECT_SOURCE_DIR}/src)
dfopt_unit_test(mofka_link dfopt_net_mofka)
add_dependencies(test_mofka_link dfopt_fake_mofka)
set_property(TEST unit.mofka_link APPEND PROPERTY
             ENVIRONMENT "DFOPT_FAKE_MOFKA=$<TARGET_FILE:dfopt_fake_mofka>")
