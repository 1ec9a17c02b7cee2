# The data sets with published accuracies: how they are split, and a pass over the one that needs no data.
add_test(NAME bench/published COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/bench/published/published_test.py
  --kanc $<TARGET_FILE:kanc> -v)
set_tests_properties(bench/published PROPERTIES LABELS bench TIMEOUT 120)
