# FOLDER gets OBJECTS of ARCHIVE, ready to be linked with functions of ours: get_total_devices() weak, so that ours is taken, and
# stubs.s with a function that says -1 for everything about AI engines, which the emulated card has none of.
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
execute_process(COMMAND ${AR} x ${ARCHIVE} ${OBJECTS} WORKING_DIRECTORY ${FOLDER} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${OBJCOPY} --weaken-symbol=_ZNK8xrt_core5swemu6system17get_total_devicesEb system_swemu.cxx.o
  WORKING_DIRECTORY ${FOLDER} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${NM} --undefined-only device_swemu.cxx.o WORKING_DIRECTORY ${FOLDER} OUTPUT_VARIABLE symbols
  COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "_Z[^\n]*xcl(AIE|GMIO|Graph|LoadXclBinMeta|ReadProf|ResetAIE|StartProf|StopProf|SyncBOAIE)[^\n]*" stubs "${symbols}")
set(text "  .text\n")
foreach(stub IN LISTS stubs)
  string(APPEND text "  .globl ${stub}\n  .type ${stub}, @function\n${stub}:\n")
endforeach()
string(APPEND text "  movq $-1, %rax\n  ret\n  .section .note.GNU-stack,\"\",@progbits\n")
file(WRITE ${FOLDER}/stubs.s "${text}")
