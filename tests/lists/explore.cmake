kantrig_add_test(compiler/hardware/lut_estimate_test LIBRARIES kantrig::compiler)
foreach(name codebook sweep_axis specification_edit sweep_plan ranking model_cost)
  kantrig_add_test(compiler/explore/${name}_test LIBRARIES kantrig::explore kantrig::compiler kantrig::learned)
endforeach()
kantrig_add_test(compiler/explore/sweep_command_test LIBRARIES kantrig::base)
add_dependencies(test_compiler_explore_sweep_command_test kanc)

# Needs Debian's slurm-wlm, which deploy/install-deps.sh does not install, and root; shows as skipped without.
add_test(NAME system/slurm_test COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/system/slurm_test.py --kanc $<TARGET_FILE:kanc> -v)
set_tests_properties(system/slurm_test PROPERTIES LABELS system TIMEOUT 300 SKIP_RETURN_CODE 77)
