# A real kantrigd and a real kantrig-card over the emulated card: everything that can happen to a card, and swaps under load.
add_library(kantrig_test_card_room STATIC
  system/card/card_room.cpp system/card/card_room.hpp system/card/small_jets.cpp system/card/small_jets.hpp)
target_compile_definitions(kantrig_test_card_room PRIVATE KANTRIG_BINARY_DIR="${PROJECT_BINARY_DIR}")
target_link_libraries(kantrig_test_card_room
  PUBLIC kantrig_test_load kantrig_test_emulated_card kantrig_test_card_process kantrig::kan PRIVATE kantrig_warnings)
add_dependencies(kantrig_test_card_room kanc)
function(kantrig_add_card_room_test name)
  kantrig_add_test(system/card/${name} LIBRARIES kantrig_test_card_room TIMEOUT 900 LABELS card)
  set_tests_properties(system/card/${name} PROPERTIES SKIP_REGULAR_EXPRESSION "needs libxrt-dev" RUN_SERIAL ON)
endfunction()
kantrig_add_card_room_test(card_faults_test)
kantrig_add_card_room_test(card_swaps_test)
