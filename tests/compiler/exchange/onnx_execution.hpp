// Runs an ONNX file in onnx_run.py, which executes it with numpy, and compares what comes out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "support/command.hpp"

namespace kantrig::test {

/// Values as a raw file of onnx_run.py, whose suffix tells their type.
template <typename Value>
std::string raw_file(const std::filesystem::path& path, const std::vector<Value>& values) {
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
  if (!base::write_file_atomic(path, bytes)) return "not written";
  return path.string();
}

/// `arguments` are those of onnx_run.py.
inline CommandOutcome run_onnx(const std::string& arguments) {
  const std::string folder = std::string(KANTRIG_SOURCE_DIR) + "/tests/compiler/exchange";
  return run_command("PYTHONPATH=" + std::string(KANTRIG_BINARY_DIR) + "/proto/python /usr/bin/python3 -B " +
                     folder + "/onnx_run.py " + arguments + " 2>&1");
}

}  // namespace kantrig::test
