#include "wire/messages.hpp"

#include "kantrig/v1/decision.pb.h"
#include "kantrig/v1/event.pb.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace kantrig::wire {
namespace {

std::string lower_without(std::string text, std::string_view prefix) {
  text.erase(0, prefix.size());
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

TEST(Messages, NameEveryReasonAsTheProtocolDoes) {
  const auto* descriptor = v1::Reason_descriptor();
  ASSERT_EQ(descriptor->value_count(), static_cast<int>(kReasonCount));
  for (int i = 1; i < descriptor->value_count(); ++i) {
    const auto reason = static_cast<Reason>(descriptor->value(i)->number());
    EXPECT_EQ(name_of(reason), lower_without(descriptor->value(i)->name(), "REASON_"));
  }
  EXPECT_EQ(name_of(Reason::kNone), "none");
  EXPECT_EQ(name_of(static_cast<Reason>(200)), "unknown");
}

TEST(Messages, NameEncodingsAndPathsAsTheProtocolDoes) {
  for (const Encoding encoding : {Encoding::kFloat32, Encoding::kCode8, Encoding::kCode16}) {
    EXPECT_EQ(name_of(encoding),
              lower_without(v1::Encoding_Name(static_cast<v1::Encoding>(encoding)), "ENCODING_"));
  }
  for (const Path path : {Path::kCpu, Path::kFpga}) {
    EXPECT_EQ(name_of(path), lower_without(v1::Path_Name(static_cast<v1::Path>(path)), "PATH_"));
  }
}

TEST(Messages, CallPassingWhatTheProtocolMarksAgain) {
  for (std::uint32_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    const bool again = reason == Reason::kNotWelcomed || reason == Reason::kSequenceGap ||
                       reason == Reason::kCredit || reason == Reason::kNoRun;
    EXPECT_EQ(is_passing(reason), again) << name_of(reason);
  }
}

TEST(Messages, KnowTheBytesOfAValue) {
  EXPECT_EQ(value_bytes(Encoding::kFloat32), 4U);
  EXPECT_EQ(value_bytes(Encoding::kCode8), 1U);
  EXPECT_EQ(value_bytes(Encoding::kCode16), 2U);
  EXPECT_EQ(value_bytes(Encoding::kUnspecified), 0U);
}

}  // namespace
}  // namespace kantrig::wire
