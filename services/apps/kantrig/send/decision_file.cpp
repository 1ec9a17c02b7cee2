#include "apps/kantrig/send/decision_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include <fmt/core.h>

namespace kantrig::apps {
namespace {

constexpr std::size_t kDigestBytesShown = 6;

bool bit_at(std::span<const std::byte> bitmap, std::uint32_t i) {
  return !bitmap.empty() && ((static_cast<unsigned>(bitmap[i / 8]) >> (i % 8)) & 1U) != 0;
}

std::string short_hex(std::span<const std::byte> digest) {
  std::string text;
  for (const std::byte byte : digest.first(std::min(digest.size(), kDigestBytesShown)))
    text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

}  // namespace

Result<std::unique_ptr<DecisionFile>> DecisionFile::create(const std::filesystem::path& file) {
  std::FILE* const stream = std::fopen(file.c_str(), "we");
  if (stream == nullptr) return fail(ErrorCode::kIo, "{}: {}", file.string(), std::strerror(errno));
  std::fputs("event,decision,class,path,generation,model,scores\n", stream);
  return std::unique_ptr<DecisionFile>(new DecisionFile(stream, file));
}

DecisionFile::~DecisionFile() {
  if (stream_ != nullptr) std::fclose(stream_);
}

void DecisionFile::add(const client::Answer& answer) {
  const wire::DecisionView& decision = answer.decision;
  const std::string common = fmt::format(",{},{},{},", wire::name_of(decision.path),
                                         decision.generation.value, short_hex(decision.model_digest));
  const std::lock_guard lock(mutex_);
  lines_.clear();
  auto out = std::back_inserter(lines_);
  for (std::uint32_t i = 0; i < answer.event_count; ++i) {
    const bool malformed = bit_at(decision.malformed_bitmap, i);
    const char* const kind = malformed ? "malformed" : answer.accepted(i) ? "accept" : "reject";
    fmt::format_to(out, "{},{},", answer.first_event_id + i, kind);
    if (!malformed) fmt::format_to(out, "{}", static_cast<unsigned>(decision.classes[i]));
    lines_ += common;
    for (std::uint32_t k = 0; k < decision.score_count && !malformed; ++k) {
      std::int16_t score = 0;
      const std::size_t at = (std::size_t{i} * decision.score_count + k) * sizeof score;
      std::memcpy(&score, decision.scores.data() + at, sizeof score);
      fmt::format_to(out, "{}{}", k == 0 ? "" : " ", score);
    }
    lines_ += '\n';
  }
  if (std::fwrite(lines_.data(), 1, lines_.size(), stream_) != lines_.size() && error_ == 0) error_ = errno;
}

Result<void> DecisionFile::close() {
  const std::lock_guard lock(mutex_);
  if (std::fclose(std::exchange(stream_, nullptr)) != 0 && error_ == 0) error_ = errno;
  if (error_ == 0) return {};
  return fail(ErrorCode::kIo, "{}: {}", path_.string(), std::strerror(error_));
}

}  // namespace kantrig::apps
