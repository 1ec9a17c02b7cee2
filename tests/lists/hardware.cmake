kantrig_add_test(compiler/hardware/netlist_test LIBRARIES kantrig::compiler)
kantrig_add_test(compiler/hardware/realise_test LIBRARIES kantrig::compiler)
kantrig_add_test(compiler/hardware/fixed_test LIBRARIES kantrig::compiler TIMEOUT 300)
