#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>

#include "ledger/layout.hpp"
#include "unit/ledger/ledger_folder.hpp"

namespace kantrig::ledger {
namespace {

using test::commit_with;
using test::key_of;
using test::kSmall;
using test::LedgerFolder;
using testing::HasSubstr;

/// Makes a ledger with a block, a lane and an answer, and closes it.
void make_ledger(const LedgerFolder& folder) {
  auto ledger = folder.open();
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
  ASSERT_TRUE(ledger->roll_block(key_of(1, 1), BlockClose::kRun, 1));
  const auto lane = ledger->open_lane(SourceId{1}, LaneId{0}, {});
  commit_with(*ledger, {.lane = *lane, .event_count = 1, .accepted = 1}, "answer");
}

void write_word(const LedgerFolder& folder, std::size_t index, Word value) {
  std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(index * kWordBytes));
  file.write(reinterpret_cast<const char*>(&value), sizeof(value));
  ASSERT_TRUE(file.good());
}

void expect_error(const Result<ShardLedger>& ledger, ErrorCode code, const char* text) {
  ASSERT_FALSE(ledger.has_value());
  EXPECT_EQ(ledger.error().code, code);
  EXPECT_THAT(ledger.error().message, HasSubstr(text));
  EXPECT_THAT(ledger.error().message, HasSubstr("ledger-0.bin"));
}

TEST(LedgerFile, OtherLimitsAreRefusedWithBothAndWhatToDo) {
  const LedgerFolder folder;
  make_ledger(folder);
  const auto ledger = folder.open({.lanes_max = 5, .batches_kept = 8, .answer_bytes_kept = 4096});
  expect_error(ledger, ErrorCode::kInvalid,
               "made with lanes_max 4, batches_kept 8, answer_bytes_kept 4096, the settings say 5, 8, 4096");
  EXPECT_THAT(ledger.error().message, HasSubstr("set them back, or"));
}

TEST(LedgerFile, AnotherLayoutVersionIsRefused) {
  const LedgerFolder folder;
  make_ledger(folder);
  write_word(folder, header::kVersionWord, kLayoutVersion + 1);
  expect_error(folder.open(), ErrorCode::kUnsupported, "layout version 2");
}

TEST(LedgerFile, AFileThatIsNoLedgerIsRefusedAndLeftAlone) {
  const LedgerFolder folder;
  const std::string text =
      "these are not the books you are looking for, and there are more than a header's worth of them here";
  std::ofstream(folder.file()) << text;
  expect_error(folder.open(), ErrorCode::kCorrupt, "is not a kantrig ledger");
  std::string content;
  std::getline(std::ifstream(folder.file()), content);
  EXPECT_EQ(content, text);
}

TEST(LedgerFile, ATruncatedFileIsRefused) {
  const LedgerFolder folder;
  make_ledger(folder);
  std::filesystem::resize_file(folder.file(), std::filesystem::file_size(folder.file()) - 8);
  expect_error(folder.open(), ErrorCode::kCorrupt, "expected");
}

TEST(LedgerFile, AFileWhoseMakingWasCutShortIsMadeAnew) {
  const LedgerFolder folder;
  std::ofstream(folder.file()).close();
  std::filesystem::resize_file(folder.file(), 1000);  // reserved in part, no magic yet
  const auto ledger = folder.open();
  EXPECT_TRUE(ledger.has_value()) << ledger.error().message;
}

TEST(LedgerFile, ASecondUserIsTurnedAwayWhileTheFirstHasIt) {
  const LedgerFolder folder;
  {
    const auto first = folder.open();
    ASSERT_TRUE(first.has_value());
    expect_error(folder.open(), ErrorCode::kBusy, "in use by another process");
  }
  EXPECT_TRUE(folder.open().has_value());
}

TEST(LedgerFile, ContentOutOfBoundsIsRefused) {
  const Layout layout(kSmall);
  const std::size_t lane_word = layout.lane(0);
  const std::size_t record = layout.redo_word;
  struct Damage {
    std::size_t word;
    Word value;
    const char* what;
  };
  for (const Damage& d :
       {Damage{record, redo::kEntriesMax + 1, "the redo record"},
        Damage{header::kOpenSlotWord, slot::kSlots + 1, "the table of blocks"},
        Damage{header::kOpenSlotWord, 2, "the table of blocks"},
        Damage{layout.slot(3), 7, "the table of blocks"}, Damage{lane_word + lane::kSourceSlot, 64, "lane 0"},
        Damage{lane_word + lane::kNext, 100, "lane 0"}, Damage{lane_word + lane::kOldest, 0, "lane 0"},
        Damage{layout.entry(0, 1) + answer::kBytes, 5000, "lane 0"},
        Damage{layout.entry(0, 1) + answer::kPlace, 4000, "lane 0"}}) {
    const LedgerFolder folder;
    make_ledger(folder);
    write_word(folder, d.word, d.value);
    expect_error(folder.open(), ErrorCode::kCorrupt, d.what);
  }
}

TEST(LedgerFile, ARedoRecordThatPointsOutsideIsRefused) {
  const Layout layout(kSmall);
  for (const std::size_t target :
       {std::size_t{header::kMagicWord}, layout.redo_word + 5, layout.rings_word, std::size_t{1} << 40U}) {
    const LedgerFolder folder;
    make_ledger(folder);
    write_word(folder, layout.redo_word + redo::kEntriesWord, target);
    write_word(folder, layout.redo_word, 1);
    expect_error(folder.open(), ErrorCode::kCorrupt, "the redo record");
  }
}

TEST(LedgerFile, LimitsOutOfRangeAreNamed) {
  const LedgerFolder folder;
  const auto ledger = folder.open({.lanes_max = 0, .batches_kept = 8, .answer_bytes_kept = 4096});
  ASSERT_FALSE(ledger.has_value());
  EXPECT_THAT(ledger.error().message, HasSubstr("lanes_max is 0, expected 1 to 4096"));
  EXPECT_FALSE(std::filesystem::exists(folder.file()));
}

TEST(LedgerFile, AFolderThatIsNotThereIsNamed) {
  const auto ledger = ShardLedger::open("/nowhere/at/all/ledger-0.bin", kSmall, 1);
  expect_error(ledger, ErrorCode::kIo, "/nowhere/at/all/ledger-0.bin: cannot open: No such file");
}

/// Ends the process with 0 when a ledger that does not fit is refused with `text` and leaves no file.
[[noreturn]] void open_where_nothing_fits(const LedgerFolder& folder, const std::string& text) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{.rlim_cur = 65536, .rlim_max = 65536};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const auto ledger = folder.open();
  const bool as_expected = !ledger && ledger.error().code == ErrorCode::kIo &&
                           ledger.error().message.find(text) != std::string::npos &&
                           !std::filesystem::exists(folder.file());
  if (!ledger) std::fprintf(stderr, "%s\n", ledger.error().message.c_str());
  std::_Exit(as_expected ? 0 : 1);
}

TEST(LedgerFile, AFileThatDoesNotFitIsRefusedAtOnceAndLeavesNothing) {
  const LedgerFolder folder;
  EXPECT_EXIT(open_where_nothing_fits(folder, "cannot reserve"), testing::ExitedWithCode(0),
              "File too large");
}

}  // namespace
}  // namespace kantrig::ledger
