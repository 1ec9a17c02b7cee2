# The hand-written RTL around a design, its register map and the vendor's flow.
include(${CMAKE_CURRENT_SOURCE_DIR}/rtl/verilate.cmake)
set(rtl ${PROJECT_SOURCE_DIR}/firmware/rtl)
set(rtl_tests ${CMAKE_CURRENT_SOURCE_DIR}/rtl)

if(KANTRIG_VERILATOR)
  add_library(kantrig_rtl_bench STATIC EXCLUDE_FROM_ALL rtl/card_memory.cpp)
  target_include_directories(kantrig_rtl_bench PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(kantrig_rtl_bench PUBLIC kantrig::card_registers kantrig::compiler PRIVATE kantrig_warnings)
endif()


kantrig_verilate(cells TOP cells_bench SEARCH ${rtl} ${rtl_tests}/design
  SOURCES ${rtl_tests}/design/kan_design_pkg.sv ${rtl_tests}/cells_bench.sv)
kantrig_add_rtl_test(rtl/cells_test MODELS cells LIBRARIES kantrig_rtl_bench)


add_test(NAME rtl/lint_test COMMAND /usr/bin/python3 -B ${rtl_tests}/lint_test.py -v)
set_tests_properties(rtl/lint_test PROPERTIES LABELS rtl TIMEOUT 120 SKIP_REGULAR_EXPRESSION "skipped=")
kantrig_add_test(rtl/registers_test LIBRARIES kantrig::card_registers kantrig::base)
kantrig_add_test(compiler/record_layout_test LIBRARIES kantrig::compiler)
