# The Python binding, against the C library of this build and peers of pyzmq.
add_executable(struct_layout ${CMAKE_CURRENT_LIST_DIR}/struct_layout.c)
target_link_libraries(struct_layout PRIVATE dfopt_flags)

set(python_environment
  PYTHONPATH=${PROJECT_SOURCE_DIR}/src/client/python PYTHONDONTWRITEBYTECODE=1
  DFOPT_CLIENT_LIBRARY=$<TARGET_FILE:dfopt_client>
  DFOPT_PYTHON_SOURCE=${PROJECT_SOURCE_DIR}/src/client/python
  DFOPT_VERSION=${PROJECT_VERSION} DFOPT_LAYOUT_PROGRAM=$<TARGET_FILE:struct_layout>)
if(DFOPT_SANITIZE)
  # The interpreter is not built with it: its run-time library has to come first.
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
                  OUTPUT_VARIABLE libasan OUTPUT_STRIP_TRAILING_WHITESPACE)
  list(APPEND python_environment LD_PRELOAD=${libasan} ASAN_OPTIONS=detect_leaks=0
       DFOPT_SANITIZED=1)
endif()

set(python_tests client tunable callables owners together window measure life)
if(NOT DFOPT_SANITIZE)
  list(APPEND python_tests install types) # nothing of C in them
endif()
add_test(NAME python.locales
         COMMAND ${DFOPT_SYSTEM_PYTHON} ${PROJECT_SOURCE_DIR}/tests/unit/client/locales.py
                 ${CMAKE_CURRENT_LIST_DIR}/test_client.py)
set_tests_properties(python.locales PROPERTIES LABELS python TIMEOUT 600
                     SKIP_RETURN_CODE 77 ENVIRONMENT "${python_environment}")
foreach(name ${python_tests})
  add_test(NAME python.${name}
           COMMAND ${DFOPT_SYSTEM_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  set_tests_properties(python.${name} PROPERTIES LABELS python TIMEOUT 600
                                                 ENVIRONMENT "${python_environment}")
endforeach()

# Those that need torch are skipped where it cannot be imported (sh jobs/packages.sh ml).
if(NOT DFOPT_SANITIZE)
  foreach(name loader loader_faults tuning trainers)
    add_test(NAME python.torch_${name}
             COMMAND ${DFOPT_SYSTEM_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
    set_tests_properties(python.torch_${name} PROPERTIES LABELS python TIMEOUT 600
      SKIP_RETURN_CODE 77 ENVIRONMENT "${python_environment}")
  endforeach()
endif()
