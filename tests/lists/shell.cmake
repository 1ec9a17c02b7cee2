# The hand-written RTL around a design, its register map and the vendor's flow.
include(${CMAKE_CURRENT_SOURCE_DIR}/rtl/verilate.cmake)
set(rtl ${PROJECT_SOURCE_DIR}/firmware/rtl)
set(rtl_tests ${CMAKE_CURRENT_SOURCE_DIR}/rtl)

# kernel_model(<name> [OPTIONS ...]): kernel_bench over the hand-made design.
function(kernel_model name)
  kantrig_verilate(${name} TOP kernel_bench
    SOURCES ${rtl_tests}/design/kan_design_pkg.sv ${rtl}/kan_register_pkg.sv ${rtl_tests}/kernel_bench.sv
    SEARCH ${rtl} ${rtl}/check ${rtl_tests}/design OPTIONS ${ARGN})
endfunction()
if(KANTRIG_VERILATOR)
  add_library(kantrig_rtl_bench STATIC EXCLUDE_FROM_ALL rtl/card_memory.cpp)
  target_include_directories(kantrig_rtl_bench PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(kantrig_rtl_bench PUBLIC kantrig::card_registers kantrig::compiler PRIVATE kantrig_warnings)
endif()

kernel_model(kernel)
kantrig_add_rtl_test(rtl/kernel_test MODELS kernel LIBRARIES kantrig_rtl_bench TIMEOUT 300)
kernel_model(kernel_chain -GChain=1'b1)
kantrig_add_rtl_test(rtl/kernel_control_test MODELS kernel kernel_chain LIBRARIES kantrig_rtl_bench TIMEOUT 300)

kernel_model(kernel_narrow -GMaxLanes=8 -GOverlay=1'b0 -DKAN_TEST_INPUT_WIDTH=6 -DKAN_TEST_OUTPUT_WIDTH=4)
kernel_model(kernel_wide -DKAN_TEST_INPUT_WIDTH=600 -DKAN_TEST_OUTPUT_WIDTH=40)
kernel_model(kernel_tall -DKAN_TEST_INPUT_WIDTH=50 -DKAN_TEST_OUTPUT_WIDTH=530 -DKAN_TEST_LATENCY=2)
kantrig_add_rtl_test(rtl/kernel_shapes_test MODELS kernel_narrow kernel_wide kernel_tall LIBRARIES kantrig_rtl_bench TIMEOUT 300)

# The same over a design that kanc compiles; what kanc writes is linted by tests of its own.
set(jets_design ${CMAKE_CURRENT_BINARY_DIR}/jets_design)
set(jets_bundle ${PROJECT_SOURCE_DIR}/firmware/models/jets/jets-1.1.0)
add_custom_command(OUTPUT ${jets_design}/rtl/kan_design_pkg.sv
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${jets_design}
  COMMAND kanc compile ${jets_bundle} --target fixed --device generic --out ${jets_design}
  DEPENDS kanc ${jets_bundle}/manifest.json COMMENT "Compiling jets-1.1.0 for its kernel test" VERBATIM)
kantrig_verilate(kernel_jets TOP kernel_bench
  SOURCES ${jets_design}/rtl/kan_design_pkg.sv ${rtl}/kan_register_pkg.sv ${rtl_tests}/kernel_bench.sv
  SEARCH ${rtl} ${rtl}/check DEPENDS ${jets_design}/rtl/kan_design_pkg.sv OPTIONS -GOverlay=1'b0 -y ${jets_design}/rtl -Wno-fatal)
kantrig_add_rtl_test(rtl/kernel_jets_test MODELS kernel_jets LIBRARIES kantrig_rtl_bench kantrig::compiler kantrig::kan TIMEOUT 300)

set(overlay_design ${CMAKE_CURRENT_BINARY_DIR}/overlay_design)
add_custom_command(OUTPUT ${overlay_design}/rtl/kan_design_pkg.sv
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${overlay_design}
  COMMAND kanc compile ${jets_bundle} --target overlay --device generic --out ${overlay_design}
  DEPENDS kanc ${jets_bundle}/manifest.json COMMENT "Compiling an overlay for its kernel test" VERBATIM)
kantrig_verilate(kernel_overlay TOP kernel_bench
  SOURCES ${overlay_design}/rtl/kan_design_pkg.sv ${rtl}/kan_register_pkg.sv ${rtl_tests}/kernel_bench.sv
  SEARCH ${rtl} ${rtl}/check DEPENDS ${overlay_design}/rtl/kan_design_pkg.sv OPTIONS -GMaxLanes=2 -y ${overlay_design}/rtl -Wno-fatal)
kantrig_add_rtl_test(rtl/kernel_overlay_test MODELS kernel_overlay LIBRARIES kantrig_rtl_bench kantrig::compiler kantrig::kan TIMEOUT 300)

kantrig_verilate(cells TOP cells_bench SEARCH ${rtl} ${rtl_tests}/design
  SOURCES ${rtl_tests}/design/kan_design_pkg.sv ${rtl_tests}/cells_bench.sv)
kantrig_add_rtl_test(rtl/cells_test MODELS cells LIBRARIES kantrig_rtl_bench)

kantrig_verilate(stream TOP kan_stream SEARCH ${rtl} ${rtl_tests}/design
  SOURCES ${rtl_tests}/design/kan_design_pkg.sv ${rtl}/kan_stream.sv)
kantrig_add_rtl_test(rtl/stream_test MODELS stream LIBRARIES kantrig_rtl_bench)

add_test(NAME rtl/lint_test COMMAND /usr/bin/python3 -B ${rtl_tests}/lint_test.py -v)
set_tests_properties(rtl/lint_test PROPERTIES LABELS rtl TIMEOUT 120 SKIP_REGULAR_EXPRESSION "OK .skipped=")
kantrig_add_test(rtl/registers_test LIBRARIES kantrig::card_registers kantrig::base)
kantrig_add_test(compiler/record_layout_test LIBRARIES kantrig::compiler)

add_test(NAME rtl/vendor_test COMMAND /usr/bin/python3 -B ${rtl_tests}/vendor_test.py -v)
set_tests_properties(rtl/vendor_test PROPERTIES LABELS rtl TIMEOUT 120 SKIP_REGULAR_EXPRESSION "OK .skipped="
  ENVIRONMENT "KANC=$<TARGET_FILE:kanc>")
