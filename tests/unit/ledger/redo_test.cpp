// The redo record, as a file shows it that the writer left at each of its stores.
#include "ledger/redo.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <vector>

#include "unit/ledger/ledger_folder.hpp"

namespace kantrig::ledger {
namespace {

using test::commit_with;
using test::key_of;
using test::kSmall;
using test::LedgerFolder;

using Image = std::vector<Word>;

Image read_image(const LedgerFolder& folder) {
  std::ifstream file(folder.file(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Image image(bytes.size() / kWordBytes);
  std::memcpy(image.data(), bytes.data(), image.size() * kWordBytes);
  return image;
}

void write_image(const LedgerFolder& folder, const Image& image) {
  std::ofstream file(folder.file(), std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(image.data()),
             static_cast<std::streamsize>(image.size() * kWordBytes));
}

/// The file before and after one commit of a batch with twelve lines.
class RedoTest : public testing::Test {
 protected:
  void SetUp() override {
    auto ledger = folder_.open();
    ASSERT_TRUE(ledger.has_value());
    ASSERT_TRUE(ledger->roll_block(key_of(1, 1, 12), BlockClose::kRun, 1));
    const auto lane = ledger->open_lane(SourceId{1}, LaneId{0}, {});
    before_ = read_image(folder_);
    std::array<LineCounts, 12> lines;
    lines.fill({3, 2, 1});
    commit_with(*ledger,
                {.lane = *lane, .event_count = 9, .accepted = 4, .rejected = 5, .path = 1, .lines = lines},
                "answer");
    after_ = read_image(folder_);
    while (entry(after_, entry_count_) != 0) ++entry_count_;
    ASSERT_GT(entry_count_, 40U);
    ASSERT_LE(entry_count_, redo::kEntriesMax);
  }
  [[nodiscard]] Word entry(const Image& image, std::size_t i) const {
    return image[record_ + redo::kEntriesWord + 2 * i];
  }

  /// The file as the writer leaves it after `stores` of the commit's own stores behind the validity of the
  /// record.
  [[nodiscard]] Image after_stores(std::size_t stores) const {
    Image image = before_;
    std::copy(
        after_.begin() + static_cast<std::ptrdiff_t>(layout_.rings_word), after_.end(),
        image.begin() + static_cast<std::ptrdiff_t>(layout_.rings_word));  // the answer's bytes come first
    for (std::size_t i = record_; i < layout_.sum_word; ++i) image[i] = after_[i];
    image[record_] = entry_count_;
    for (std::size_t i = 0; i < stores; ++i)
      image[entry(after_, i)] = after_[record_ + redo::kEntriesWord + 2 * i + 1];
    return image;
  }
  void expect_books(std::uint64_t received, std::uint64_t line, const std::string& answer) {
    auto ledger = folder_.open();
    ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
    const auto blocks = ledger->closed_blocks();
    ASSERT_EQ(blocks.size(), 1U);
    const BlockCounts& counts = blocks[0].counts;
    EXPECT_EQ(counts.totals.received, received);
    EXPECT_EQ(counts.totals.residual(), 0);
    EXPECT_EQ(counts.sources[0].counts, counts.totals);
    for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(counts.lines[i].before_prescale, line);
    const auto lane = ledger->find_lane(SourceId{1}, LaneId{0});
    ASSERT_TRUE(lane.has_value());
    EXPECT_EQ(ledger->lane_run_counts(*lane, RunNumber{1}), counts.totals);
    EXPECT_EQ(ledger->next_sequence(*lane), Sequence{received == 0 ? 1U : 2U});
    EXPECT_EQ(test::text_of(ledger->check(*lane, Sequence{1}).answer), answer);
  }

  LedgerFolder folder_;
  Layout layout_{kSmall};
  std::size_t record_ = layout_.redo_word;
  Image before_;
  Image after_;
  std::size_t entry_count_ = 0;
};

TEST_F(RedoTest, ABatchIsInOnceItsRecordIsValidWhereverTheStoresStopped) {
  for (std::size_t stores = 0; stores <= entry_count_; ++stores) {
    SCOPED_TRACE(stores);
    write_image(folder_, after_stores(stores));
    expect_books(9, 3, "answer");
    if (HasFailure()) return;
  }
}

TEST_F(RedoTest, ABatchIsOutAsLongAsItsRecordIsNotValid) {
  for (std::size_t words = 0; words <= 2 * entry_count_; words += 7) {
    SCOPED_TRACE(words);
    Image image = after_stores(0);
    image[record_] = 0;
    for (std::size_t i = redo::kEntriesWord + words; i < layout_.sum_word - record_; ++i)
      image[record_ + i] = before_[record_ + i];
    write_image(folder_, image);
    expect_books(0, 0, "");
    if (HasFailure()) return;
  }
}

TEST_F(RedoTest, FinishingTwiceDoesNoHarm) {
  write_image(folder_, after_stores(5));
  expect_books(9, 3, "answer");
  Image again = read_image(folder_);
  again[record_] = 0;
  write_image(folder_, again);
  expect_books(9, 3, "answer");
}

}  // namespace
}  // namespace kantrig::ledger
