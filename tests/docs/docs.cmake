# The documents against the program: options, links, tables, examples.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(docs_environment
  ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0:intercept_tls_get_addr=0
  LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0)
foreach(check man links tables policy run)
  add_test(NAME docs.${check}
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/docs/check_docs.py
                   --source ${PROJECT_SOURCE_DIR}
                   --bin $<TARGET_FILE_DIR:dfopt-mpi> --only ${check})
  set_tests_properties(docs.${check} PROPERTIES
    LABELS cli TIMEOUT 600 ENVIRONMENT "${docs_environment}")
endforeach()
