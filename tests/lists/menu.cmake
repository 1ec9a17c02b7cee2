foreach(name bits log_sum prescale expression menu_text program decision menu)
  kantrig_add_test(unit/menu/${name}_test LIBRARIES kantrig::menu)
endforeach()
kantrig_add_fuzzer(menu LIBRARIES kantrig::menu)
