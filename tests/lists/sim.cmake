# Simulation of compiled designs. What needs Verilator, Yosys or g++ is skipped where they are not.
function(kantrig_add_simulation_test path)
  kantrig_add_test(${path} ${ARGN})
  set_tests_properties(${path} PROPERTIES SKIP_REGULAR_EXPRESSION "needs verilator and g[+][+]")
endfunction()
kantrig_add_simulation_test(compiler/verify_test LIBRARIES kantrig_test_design kantrig::verify TIMEOUT 400)
add_dependencies(test_compiler_verify_test kanc)
kantrig_add_simulation_test(compiler/verify_overlay_test LIBRARIES kantrig_test_design kantrig::backend kantrig::verify TIMEOUT 200)
add_dependencies(test_compiler_verify_overlay_test kanc)
kantrig_add_test(unit/compiler/edge_sweep_test LIBRARIES kantrig_test_design kantrig::verify)
kantrig_add_simulation_test(contract/backend/backend_test LIBRARIES kantrig_test_design kantrig::backend TIMEOUT 200)
kantrig_add_simulation_test(integration/rtl_sim_allocation_test LIBRARIES kantrig_test_design kantrig::backend)
kantrig_add_simulation_test(system/rtl_sim_test LIBRARIES kantrig_test_load kantrig_test_design TIMEOUT 300)
add_dependencies(test_system_rtl_sim_test kanc)

# Each model of a primitive against the one that comes with Yosys, by SAT.
add_test(NAME unit/rtl/primitives_test
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/unit/rtl/primitives_test.py)
set_tests_properties(unit/rtl/primitives_test PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77)
