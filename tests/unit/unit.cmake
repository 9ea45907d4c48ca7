# Unit tests. The folders mirror src; each lists its tests, and what they are linked
# with, in its tests.cmake.

# dfopt_unit_test(NAME DEPS...): test_NAME.c of the calling folder, linked with DEPS.
function(dfopt_unit_test name)
  add_executable(test_${name} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.c)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit)
  target_link_libraries(test_${name} PRIVATE ${ARGN} PkgConfig::CMOCKA)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# dfopt_unit_tests(DEPS NAME...): several that are linked with the same.
function(dfopt_unit_tests deps)
  foreach(name ${ARGN})
    dfopt_unit_test(${name} ${deps})
  endforeach()
endfunction()

# For a test in which the Nth allocation fails (support/nomem.h).
add_library(dfopt_fail_allocations INTERFACE)
foreach(function malloc calloc realloc strdup _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t)
  target_link_options(dfopt_fail_allocations INTERFACE -Wl,--wrap=${function})
endforeach()

# dfopt_nomem_test(NAME DEPS...): as dfopt_unit_test, with allocations that fail.
function(dfopt_nomem_test name)
  dfopt_unit_test(nomem_${name} ${ARGN} dfopt_fail_allocations)
  set_property(TEST unit.nomem_${name} APPEND PROPERTY LABELS fault)
endfunction()

# What the tsan preset builds: tests of what shares memory between threads.
add_custom_target(thread_tests)

# dfopt_threads(NAME...): these tests are among them.
function(dfopt_threads)
  foreach(name ${ARGN})
    set_property(TEST unit.${name} APPEND PROPERTY LABELS threads)
    add_dependencies(thread_tests test_${name})
  endforeach()
endfunction()

file(GLOB_RECURSE tests_of_folders CONFIGURE_DEPENDS
     ${CMAKE_CURRENT_LIST_DIR}/tests.cmake)
foreach(list ${tests_of_folders})
  include(${list})
endforeach()
