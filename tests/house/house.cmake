# The rules of the house, by the text alone: once, so not in a sanitized build.
if(NOT DFOPT_SANITIZE)
  foreach(check arrows map sizes words format spelling)
    add_test(NAME house.${check}
             COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/house/check_house.py
                     --source ${PROJECT_SOURCE_DIR} ${check})
    set_tests_properties(house.${check} PROPERTIES LABELS house TIMEOUT 300
                                                   SKIP_RETURN_CODE 77)
  endforeach()
  add_test(NAME house.checks
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/house/test_house.py)
  set_tests_properties(house.checks PROPERTIES LABELS house TIMEOUT 120)
endif()
