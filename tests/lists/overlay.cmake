kantrig_add_test(rtl/overlay_test LIBRARIES kantrig::compiler SOURCES rtl/overlay_bench.cpp TIMEOUT 300)
kantrig_add_test(rtl/overlay_synthesis_test LIBRARIES kantrig::compiler SOURCES rtl/overlay_bench.cpp TIMEOUT 300)
kantrig_add_test(compiler/overlay_test LIBRARIES kantrig::compiler)
kantrig_add_test(compiler/tables_command_test LIBRARIES kantrig::kan)
add_dependencies(test_compiler_tables_command_test kanc)
if(TARGET test_rtl_overlay_test)
  set_tests_properties(rtl/overlay_test rtl/overlay_synthesis_test PROPERTIES
    SKIP_REGULAR_EXPRESSION "(verilator|yosys) is not installed")
endif()
