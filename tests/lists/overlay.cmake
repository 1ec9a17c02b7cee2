kantrig_add_test(rtl/overlay_test LIBRARIES kantrig::compiler SOURCES rtl/overlay_bench.cpp TIMEOUT 300)
kantrig_add_test(rtl/overlay_synthesis_test LIBRARIES kantrig::compiler SOURCES rtl/overlay_bench.cpp TIMEOUT 300)
kantrig_add_test(compiler/overlay_test LIBRARIES kantrig::compiler)
