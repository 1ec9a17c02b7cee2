# The hand-written RTL around a design, its register map and the vendor's flow.
kantrig_add_test(rtl/registers_test LIBRARIES kantrig::card_registers kantrig::base)
