kantrig_add_test(compiler/hardware/lut_estimate_test LIBRARIES kantrig::compiler)
