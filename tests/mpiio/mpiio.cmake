# libdfopt_mpiio before programs that know nothing of it. They are not sanitized: MPI's
# own is not, either; the library is, in such a build.
find_package(Threads REQUIRED)
foreach(program strided every)
  add_executable(mpiio_${program} ${CMAKE_CURRENT_LIST_DIR}/${program}.c)
  target_link_libraries(mpiio_${program} PRIVATE MPI::MPI_C Threads::Threads)
  target_compile_options(mpiio_${program} PRIVATE -Wall -Wextra)
endforeach()
foreach(module slow_storage refuse)
  add_library(mpiio_${module} MODULE ${CMAKE_CURRENT_LIST_DIR}/${module}.c)
  target_compile_definitions(mpiio_${module} PRIVATE _GNU_SOURCE)
  target_link_libraries(mpiio_${module} PRIVATE ${CMAKE_DL_LIBS})
endforeach()
target_link_libraries(mpiio_refuse PRIVATE MPI::MPI_C)

set(mpiio_environment
  DFOPT_PROGRAM=$<TARGET_FILE:dfopt-mpi>
  DFOPT_MPIIO_LIBRARY=$<TARGET_FILE:dfopt_mpiio>
  DFOPT_MPIIO_STRIDED=$<TARGET_FILE:mpiio_strided>
  DFOPT_MPIIO_EVERY=$<TARGET_FILE:mpiio_every>
  DFOPT_MPIIO_REFUSE=$<TARGET_FILE:mpiio_refuse>
  DFOPT_MPIIO_SLOW=$<TARGET_FILE:mpiio_slow_storage>)
if(DFOPT_SANITIZE)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
                  OUTPUT_VARIABLE libasan OUTPUT_STRIP_TRAILING_WHITESPACE)
  list(APPEND mpiio_environment DFOPT_MPIIO_FIRST=${libasan}
       ASAN_OPTIONS=detect_leaks=0:intercept_tls_get_addr=0)
endif()

set(mpiio_tests hints guest views)
if(NOT DFOPT_SANITIZE)
  list(APPEND mpiio_tests closed_loop) # nothing more of the library in it
endif()
if(NOT DFOPT_SANITIZE_THREADS)
  foreach(name ${mpiio_tests})
    add_test(NAME mpiio.${name}
             COMMAND ${DFOPT_SYSTEM_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
    set_tests_properties(mpiio.${name} PROPERTIES
      LABELS "mpiio;mpi" TIMEOUT 300 ENVIRONMENT "${mpiio_environment}")
  endforeach()
endif()
