# Real daemons that are killed, swapped and stopped under load.
add_library(kantrig_test_load STATIC
  system/checked_lane.cpp system/checked_lane.hpp system/reference_decisions.cpp system/reference_decisions.hpp)
target_link_libraries(kantrig_test_load
  PUBLIC kantrig_test_daemon kantrig::client kantrig::control kantrig::kan kantrig::menu PRIVATE kantrig_warnings)
kantrig_add_test(system/kill_test LIBRARIES kantrig_test_load)
kantrig_add_test(system/swap_test LIBRARIES kantrig_test_load)
kantrig_add_test(system/stop_test LIBRARIES kantrig_test_load)
kantrig_add_test(system/memory_test LIBRARIES kantrig_test_load)

# A shard in this process, stepped by hand.
kantrig_add_test(integration/shard_allocation_test LIBRARIES kantrig::control kantrig::client SOURCES support/tsan_suppressions.cpp)
kantrig_add_test(integration/shard_test LIBRARIES kantrig::control kantrig::client SOURCES support/tsan_suppressions.cpp)
