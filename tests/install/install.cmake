# cmake --install and the Debian package, used from outside. Nobody installs a
# sanitized build.
if(NOT DFOPT_SANITIZE AND NOT DFOPT_SANITIZE_THREADS)
  add_test(NAME install
           COMMAND ${DFOPT_SYSTEM_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_install.py)
  set_tests_properties(install PROPERTIES LABELS install TIMEOUT 600
    ENVIRONMENT "DFOPT_BUILD=${PROJECT_BINARY_DIR};DFOPT_VERSION=${PROJECT_VERSION}")
endif()
