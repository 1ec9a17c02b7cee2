kantrig_add_test(compiler/overlay_test LIBRARIES kantrig::compiler)
