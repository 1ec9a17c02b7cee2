#include "compiler/report.hpp"

#include <cstdio>

namespace kantrig::compiler {

int report_failure(const Error& error, base::ExitCode code) {
  fmt::print(stderr, "kanc: error: {}\n", error.message);
  return code;
}

void report_warning(std::string_view message) {
  fmt::print(stderr, "kanc: warning: {}\n", message);
}

}  // namespace kantrig::compiler
