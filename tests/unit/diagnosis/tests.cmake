# From windows to findings, and these against DFDiagnoser's habits (tests/spec/habits.py).
dfopt_unit_tests(dfopt_diagnosis diagnosis)
add_executable(diagnose ${CMAKE_CURRENT_LIST_DIR}/diagnose.c)
target_link_libraries(diagnose PRIVATE dfopt_diagnosis)
add_test(NAME unit.habits
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_habits.py
                 $<TARGET_FILE:diagnose>)
set_tests_properties(unit.habits PROPERTIES LABELS unit TIMEOUT 120)
