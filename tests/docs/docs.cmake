# The documents against the program: options, links, tables, examples.
foreach(check man formats client links tables policy run)
  add_test(NAME docs.${check}
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/docs/check_docs.py
                   --source ${PROJECT_SOURCE_DIR}
                   --bin $<TARGET_FILE_DIR:dfopt-mpi> --only ${check})
  set_tests_properties(docs.${check} PROPERTIES
    LABELS cli TIMEOUT 600 ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")
endforeach()
