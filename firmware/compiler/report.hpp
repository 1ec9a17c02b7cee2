// How kanc speaks to its user: results on stdout, warnings and errors on stderr.
#pragma once

#include <string_view>

#include "base/exit_code.hpp"
#include "base/result.hpp"

namespace kantrig::compiler {

/// Prints "kanc: error: <message>" and returns `code`.
int report_failure(const Error& error, base::ExitCode code);

/// Prints "kanc: warning: <message>".
void report_warning(std::string_view message);

}  // namespace kantrig::compiler
