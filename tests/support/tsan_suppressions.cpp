// What ThreadSanitizer must not believe. For every test program that opens ZeroMQ sockets (SOURCES of
// kantrig_add_test). Debian's libzmq is built without instrumentation, so that the atomics by which its
// threads hand messages to each other are invisible, and each malloc and free of such a message looks like a
// race. Our own code stays watched.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libzmq.so\n";
}
