// DecisionFile: every event's decision as a line of CSV, for whoever compares or plots them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "client/answer.hpp"

namespace kantrig::apps {

/// event,decision,class,path,generation,model,scores: decision is accept, reject or malformed; scores are the
/// model's integers, separated by spaces. Lines come as batches are answered: sort by event to compare two.
///
/// Threading: any thread.
class DecisionFile {
 public:
  [[nodiscard]] static Result<std::unique_ptr<DecisionFile>> create(const std::filesystem::path& file);
  ~DecisionFile();
  DecisionFile(const DecisionFile&) = delete;
  DecisionFile& operator=(const DecisionFile&) = delete;

  /// Precondition: a decided batch whose classes and scores were asked for.
  void add(const client::Answer& answer);
  /// Whether everything was written. Nothing may be added afterwards.
  [[nodiscard]] Result<void> close();

 private:
  DecisionFile(std::FILE* stream, std::filesystem::path path) : stream_(stream), path_(std::move(path)) {}
  std::mutex mutex_;
  std::FILE* stream_;
  std::filesystem::path path_;
  std::string lines_;
  int error_ = 0;
};

}  // namespace kantrig::apps
