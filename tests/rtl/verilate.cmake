# kantrig_verilate(<name> TOP <module> SOURCES <packages first>... [SEARCH <folders>...] [DEPENDS ...] [OPTIONS ...]): the model V<name> of a
# SystemVerilog module as library rtl_<name>, simulated with assertions on. It is made at build time, so that configuring needs
# no tool; without Verilator there is no target, and tests of it are reported as skipped (kantrig_add_rtl_test).
find_program(KANTRIG_VERILATOR verilator)
if(KANTRIG_VERILATOR AND NOT KANTRIG_VERILATOR_ROOT)
  execute_process(COMMAND ${KANTRIG_VERILATOR} --getenv VERILATOR_ROOT
    OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(KANTRIG_VERILATOR_ROOT "${root}" CACHE PATH "Where Verilator's include folder is")
endif()

if(KANTRIG_VERILATOR)
  # Its runtime, whose $stop and $fatal are ours: a broken assertion is counted, see rtl/violations.hpp.
  add_library(kantrig_rtl_runtime STATIC EXCLUDE_FROM_ALL
    ${KANTRIG_VERILATOR_ROOT}/include/verilated.cpp ${KANTRIG_VERILATOR_ROOT}/include/verilated_threads.cpp rtl/violations.cpp)
  target_compile_definitions(kantrig_rtl_runtime PRIVATE VL_USER_STOP VL_USER_FATAL)
  target_include_directories(kantrig_rtl_runtime SYSTEM PUBLIC
    ${KANTRIG_VERILATOR_ROOT}/include ${KANTRIG_VERILATOR_ROOT}/include/vltstd)
  target_include_directories(kantrig_rtl_runtime PUBLIC ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(kantrig_rtl_runtime PUBLIC Threads::Threads)
endif()

function(kantrig_verilate name)
  cmake_parse_arguments(ARG "" "TOP" "SOURCES;SEARCH;DEPENDS;OPTIONS" ${ARGN})
  if(NOT KANTRIG_VERILATOR)
    return()
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/rtl_${name})
  set(search "")
  set(files ${ARG_SOURCES})
  foreach(path IN LISTS ARG_SEARCH)
    list(APPEND search -y ${path})
    file(GLOB found CONFIGURE_DEPENDS ${path}/*.sv ${path}/*.vlt)  # only what a change of makes the model stale
    list(APPEND files ${found})
  endforeach()
  add_custom_command(OUTPUT ${folder}/V${name}__ALL.a ${folder}/V${name}.h
    COMMAND sh -c "\"$@\" > \"$0\" 2>&1 || { cat \"$0\"; exit 1; }" ${folder}.log
      ${CMAKE_COMMAND} -E env OBJCACHE=${KANTRIG_CCACHE}
      ${KANTRIG_VERILATOR} --cc --build --assert -O3 -CFLAGS -O1 --quiet-exit ${ARG_OPTIONS} ${search} ${ARG_SOURCES}
      --top-module ${ARG_TOP} --prefix V${name} --Mdir ${folder}
    DEPENDS ${files} ${ARG_DEPENDS} COMMENT "Verilating ${ARG_TOP} as V${name}" VERBATIM)
  add_custom_target(verilate_${name} DEPENDS ${folder}/V${name}__ALL.a)
  add_library(rtl_${name} INTERFACE)
  add_dependencies(rtl_${name} verilate_${name})
  target_include_directories(rtl_${name} SYSTEM INTERFACE ${folder})
  target_link_libraries(rtl_${name} INTERFACE ${folder}/V${name}__ALL.a kantrig_rtl_runtime)
endfunction()

# kantrig_add_rtl_test(<kind>/<name> MODELS <name>... LIBRARIES ...): a test that simulates these models.
function(kantrig_add_rtl_test path)
  cmake_parse_arguments(ARG "" "TIMEOUT" "MODELS;LIBRARIES" ${ARGN})
  if(NOT KANTRIG_VERILATOR)
    add_test(NAME ${path} COMMAND ${CMAKE_COMMAND} -E echo "skipped: verilator is not installed")
    set_tests_properties(${path} PROPERTIES LABELS rtl SKIP_REGULAR_EXPRESSION "skipped: ")
    return()
  endif()
  set(models ${ARG_MODELS})
  list(TRANSFORM models PREPEND rtl_)
  kantrig_add_test(${path} LIBRARIES ${models} ${ARG_LIBRARIES} TIMEOUT ${ARG_TIMEOUT})
  string(REPLACE "/" "_" target test_${path})
  foreach(model IN LISTS ARG_MODELS)
    add_dependencies(${target} verilate_${model})
  endforeach()
endfunction()
