// Child: a real program of ours with its log in a file: started, killed, ended, started again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace kantrig::test {

/// Threading: one thread at a time, and always the one that called start(): the program dies with it.
class Child {
 public:
  /// What all lives write goes to the end of `log_file`.
  explicit Child(std::filesystem::path log_file) : log_file_(std::move(log_file)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // SIGKILL, when it is still alive

  /// `environment` comes on top of ours, as NAME=VALUE.
  [[nodiscard]] Result<void> start(std::vector<std::string> words,
                                   const std::vector<std::string>& environment = {});
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGTERM without waiting; exit_code() waits, at most a minute, and then kills.
  void begin_termination();
  /// 128 + the signal when one ended it.
  int exit_code();
  [[nodiscard]] bool running() { return pid_ >= 0 && !wait_for_end(0); }
  /// True when it ended within the time.
  [[nodiscard]] bool wait_for_end(int timeout_ms);
  /// -1 when it does not run.
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Resident memory, from the kernel.
  [[nodiscard]] std::uint64_t resident_bytes() const;
  /// Of all lives.
  [[nodiscard]] std::string log() const;
  /// Of the present or last one.
  [[nodiscard]] std::string log_of_this_life() const;

 private:
  void collect(int status);

  std::filesystem::path log_file_;
  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int exit_code_ = -1;
  std::uint64_t log_begin_ = 0;
};

}  // namespace kantrig::test
