# A shard whose batches are evaluated elsewhere, stepped by hand.
kantrig_add_test(integration/shard_under_way_test
  LIBRARIES kantrig::control kantrig::client kantrig::proto SOURCES support/tsan_suppressions.cpp)
kantrig_add_test(integration/shard_settle_test
  LIBRARIES kantrig::control kantrig::client PkgConfig::zmq SOURCES support/tsan_suppressions.cpp)
kantrig_add_test(integration/shard_card_test
  LIBRARIES kantrig_test_card kantrig::control kantrig::client SOURCES support/tsan_suppressions.cpp)
