# A Debian package of everything that is installed: cpack -G DEB, in the build folder.
# Its dependencies are what dpkg-shlibdeps finds, and mpirun.
set(DFOPT_PACKAGE_MAINTAINER "the local packager <root@localhost>" CACHE STRING
    "Maintainer in the Debian package: NAME <ADDRESS>")

set(CPACK_PACKAGE_NAME dfopt-mpi)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
    "dfopt-mpi turns the findings of a diagnosis (DFDiagnoser) into plans to change knobs
that the application registered, on any number of MPI ranks, and logs every decision
to HDF5. With it come dfopt-log, which reads these logs, libdfopt_client, which
applications link, its Python binding, libdfopt_mpiio, which tunes the hints of MPI-IO,
batch scripts for Slurm and Flux, and programs that draw what happened.")
set(CPACK_PACKAGE_CONTACT "${DFOPT_PACKAGE_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# dfopt-demo-loader needs the library of this same package.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src/client
    ${PROJECT_BINARY_DIR}/src/mpiio)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "python3, python3-h5py, python3-numpy, python3-pandas, python3-matplotlib")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libzmq3-dev, libjson-c-dev, python3-zmq")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
