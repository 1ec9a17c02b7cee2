// A real kantrig-card on the emulated card of this test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "support/child.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::test {

class CardProcess {
 public:
  CardProcess() : process_(folder_.path() / "log") {}
  /// Started with its usual options made short, `more` behind them.
  [[nodiscard]] Result<void> start(const std::vector<std::string>& more = {},
                                   const std::vector<std::string>& environment = {});
  [[nodiscard]] std::filesystem::path socket() const { return folder_.path() / "socket"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] Child& process() { return process_; }
  /// SIGTERM, and its exit code.
  int stop() {
    process_.begin_termination();
    return process_.exit_code();
  }

 private:
  TemporaryFolder folder_;
  Child process_;
};

}  // namespace kantrig::test
