# The demonstration's loader.
dfopt_unit_tests(dfopt_demo demo_dataset demo_reader demo_diagnosis demo_storage demo_grid)
dfopt_threads(demo_reader)

# Its findings against DFDiagnoser's habits (tests/spec/habits.py).
add_executable(demo_diagnose ${CMAKE_CURRENT_LIST_DIR}/diagnose.c)
target_link_libraries(demo_diagnose PRIVATE dfopt_demo)
add_test(NAME unit.demo_habits
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_demo_habits.py
                 $<TARGET_FILE:demo_diagnose>)
set_tests_properties(unit.demo_habits PROPERTIES LABELS unit TIMEOUT 120)
