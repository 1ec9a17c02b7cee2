find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME unit/structure_test COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/unit/structure_test.py)
set_tests_properties(unit/structure_test PROPERTIES LABELS unit TIMEOUT 60)

# Installs this build into a folder of its own and uses only that: programs, C++ package, Python package.
add_test(NAME system/install_test COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/system/install_test.py
  --cmake ${CMAKE_COMMAND} --build ${PROJECT_BINARY_DIR} --compiler ${CMAKE_CXX_COMPILER})
set_tests_properties(system/install_test PROPERTIES LABELS system TIMEOUT 180)
