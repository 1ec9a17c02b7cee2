# kantrig-card: what needs no card. Without XRT its tests show as skipped.
function(kantrig_add_card_process_test path)
  if(KANTRIG_XRT_FOUND)
    kantrig_add_test(${path} ${ARGN})
    return()
  endif()
  string(REGEX MATCH "^[^/]+" kind ${path})
  add_test(NAME ${path} COMMAND ${CMAKE_COMMAND} -E echo "skipped: this build has no XRT")
  set_tests_properties(${path} PROPERTIES LABELS ${kind} SKIP_REGULAR_EXPRESSION "skipped: ")
endfunction()

foreach(name models fault image sensors call_watch server runtime_folder)
  kantrig_add_card_process_test(unit/kantrig_card/${name}_test LIBRARIES kantrig::card_process)
endforeach()

# On the emulated card. The process tests run the program itself, as built with the tests, sanitizers too.
function(kantrig_add_emulated_card_test path)
  if(KANTRIG_EMULATED_CARD_ROOT)
    kantrig_add_test(${path} ${ARGN} TIMEOUT 300 SOURCES support/tsan_suppressions.cpp
      LIBRARIES kantrig_test_card_bundles kantrig_test_card_process kantrig::card_process)
    return()
  endif()
  add_test(NAME ${path} COMMAND ${CMAKE_COMMAND} -E echo "skipped: this build has no emulated card")
  set_tests_properties(${path} PROPERTIES LABELS contract SKIP_REGULAR_EXPRESSION "skipped: ")
endfunction()

kantrig_add_emulated_card_test(contract/kantrig_card/xrt_test)
kantrig_add_emulated_card_test(contract/kantrig_card/process_test)
kantrig_add_emulated_card_test(contract/kantrig_card/recovery_test)
