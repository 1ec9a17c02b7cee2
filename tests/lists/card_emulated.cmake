# Xclbin files, bundles packed for a card, and XRT's own host code on the emulated card.
kantrig_add_test(unit/card/xclbin_test LIBRARIES kantrig::xclbin)
kantrig_add_test(unit/kan/card_image_test LIBRARIES kantrig::kan)
kantrig_add_test(compiler/pack_test LIBRARIES kantrig_test_emulated_card kantrig::pack kantrig::xclbin TIMEOUT 300)

# kantrig_add_card_test(<kind>/<folder>/<name> ...): a test that speaks XRT to the emulated card.
function(kantrig_add_card_test path)
  if(NOT KANTRIG_EMULATED_CARD_ROOT)
    add_test(NAME ${path} COMMAND ${CMAKE_COMMAND} -E echo "skipped: this build has no emulated card")
    set_tests_properties(${path} PROPERTIES LABELS contract SKIP_REGULAR_EXPRESSION "skipped: ")
    return()
  endif()
  kantrig_add_test(${path} ${ARGN} LIBRARIES kantrig_test_emulated_card kantrig_xrt TIMEOUT 300 SOURCES support/tsan_suppressions.cpp)
endfunction()
kantrig_add_card_test(contract/card/runs_test)
kantrig_add_card_test(contract/card/overlay_test)
kantrig_add_card_test(contract/card/swap_test)
kantrig_add_card_test(contract/card/faults_test)
