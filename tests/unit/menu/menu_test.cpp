#include "menu/menu.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>
#include <sstream>

#include "unit/menu/menu_fixture.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
}  // namespace

// Not inlined: GCC would take free() of what new returned for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
// Sanitizers bring one of their own, whose memory the delete below could not free.
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace kantrig::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kHead = "version = 1\nname = \"test\"\nseed = 7\ncolumns = [\"physics\", \"cosmic\"]\n";

std::string line(const std::string& name, const std::string& when, const std::string& more = "") {
  return fmt::format("[[line]]\nname = \"{}\"\nwhen = \"{}\"\n{}\n", name, when, more);
}

menu::ScoreSpace jets() {
  return space_of({"g", "q", "t", "w", "z"}, 5, -64, 63, 0.125);
}

std::string shipped_menu() {
  std::ifstream file(KANTRIG_SOURCE_DIR "/config/menu.toml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Counted {
  std::uint64_t before, after, kept;
  explicit Counted(const menu::LineCounts& c)
      : before(c.before_prescale), after(c.after_prescale), kept(c.after_veto) {}
  Counted(std::uint64_t b, std::uint64_t a, std::uint64_t k) : before(b), after(a), kept(k) {}
  friend bool operator==(const Counted&, const Counted&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Counted& c) {
    return out << c.before << "/" << c.after << "/" << c.kept;
  }
};

std::vector<Counted> counted(const menu::MenuWorkspace& workspace) {
  std::vector<Counted> counts;
  for (const auto& one : workspace.line_counts()) counts.emplace_back(one);
  return counts;
}

TEST(Menu, AcceptsWhatAnyAcceptLineKeeps) {
  const auto space = space_of({"a", "b"}, 2, 0, 9, 1.0);
  const auto menu = compiled(kHead + line("low", "score(a) < 2") + line("high", "score(a) > 7"), space);
  const Batch batch(all_rows(space));
  menu::MenuWorkspace workspace(menu, 100);
  menu.decide(batch.input(), workspace);
  for (std::size_t e = 0; e < 100; ++e) EXPECT_EQ(bit(workspace.accepted(), e), e / 10 < 2 || e / 10 > 7);
  EXPECT_THAT(counted(workspace), ElementsAre(Counted(20, 20, 20), Counted(20, 20, 20)));
}

TEST(Menu, TakesWhatAVetoLineChoseFromEveryLineThatDoesNotIgnoreIt) {
  const auto space = space_of({"a", "b"}, 2, 0, 9, 1.0);
  const auto menu =
      compiled(kHead + line("tag", "score(a) >= 5") + line("noise", "score(b) >= 9", "kind = \"veto\"") +
                   line("monitor", "score(a) >= 9", "ignores_veto = true"),
               space);
  const Batch batch(all_rows(space));
  menu::MenuWorkspace workspace(menu, 100);
  menu.decide(batch.input(), workspace);
  EXPECT_THAT(counted(workspace), ElementsAre(Counted(50, 50, 45), Counted(10, 10, 10), Counted(10, 10, 10)));
  std::vector<std::uint64_t> lines(100);
  workspace.write_line_bits(lines);
  EXPECT_EQ(lines[58], 0b001U);  // tag
  EXPECT_EQ(lines[59], 0b010U);  // tag, vetoed by noise
  EXPECT_EQ(lines[99], 0b110U);  // tag, vetoed; monitor is not
  EXPECT_EQ(lines[9], 0b010U);
  EXPECT_EQ(lines[0], 0U);
  EXPECT_FALSE(bit(workspace.accepted(), 59));
  EXPECT_TRUE(bit(workspace.accepted(), 99));
}

TEST(Menu, VetoesOnlyWithWhatTheVetoLinesOwnPrescaleKeeps) {
  const auto space = jets();
  const auto menu =
      compiled(kHead + line("all", "any") + line("veto", "any", "kind = \"veto\"\nprescale = 4"), space);
  std::mt19937_64 random(1);
  const Batch batch(random_rows(4096, space, random));
  menu::MenuWorkspace workspace(menu, 4096);
  menu.decide(batch.input(), workspace);
  const auto counts = workspace.line_counts();
  EXPECT_EQ(counts[1].before_prescale, 4096U);
  EXPECT_NEAR(static_cast<double>(counts[1].after_prescale), 1024.0, 150.0);
  EXPECT_EQ(counts[0].after_veto, 4096U - counts[1].after_prescale);
}

TEST(Menu, AppliesThePrescaleOfTheColumn) {
  const auto space = jets();
  const auto menu = compiled(kHead + line("a", "class == t", "prescale = { physics = 10, cosmic = 0 }") +
                                 line("b", "class == t", "prescale = { physics = 0, cosmic = 1 }"),
                             space);
  std::mt19937_64 random(2);
  const Batch batch(random_rows(4096, space, random));
  menu::MenuWorkspace workspace(menu, 4096);
  menu.decide(batch.input(0, 0), workspace);
  const auto tops = workspace.line_counts()[0].before_prescale;
  EXPECT_GT(tops, 500U);
  EXPECT_EQ(workspace.line_counts()[1].before_prescale, tops);
  EXPECT_EQ(workspace.line_counts()[1].after_prescale, 0U);
  EXPECT_NEAR(static_cast<double>(workspace.line_counts()[0].after_prescale),
              static_cast<double>(tops) / 10.0, 50.0);
  menu.decide(batch.input(0, 1), workspace);
  EXPECT_THAT(counted(workspace), ElementsAre(Counted(tops, 0, 0), Counted(tops, tops, tops)));
}

TEST(Menu, DecidesAnEventTheSameHoweverTheEventsAreCutIntoBatches) {
  const auto space = jets();
  const auto menu = compiled(shipped_menu(), space);
  std::mt19937_64 random(3);
  const auto rows = random_rows(5000, space, random);
  constexpr std::uint64_t kFirstId = 1'000'037;
  for (std::uint32_t column = 0; column < 2; ++column) {
    const Batch whole(rows);
    menu::MenuWorkspace workspace(menu, 5000);
    menu.decide(whole.input(kFirstId, column), workspace);
    const std::vector<std::uint64_t> accepted(workspace.accepted().begin(), workspace.accepted().end());
    std::vector<std::uint64_t> lines(5000);
    workspace.write_line_bits(lines);
    for (const std::size_t size : {1U, 63U, 64U, 65U, 777U, 4096U}) {
      for (std::size_t first = 0; first < rows.size(); first += size) {
        const std::size_t count = std::min(size, rows.size() - first);
        const auto from = rows.begin() + static_cast<std::ptrdiff_t>(first);
        const Batch part({from, from + static_cast<std::ptrdiff_t>(count)});
        menu.decide(part.input(kFirstId + first, column), workspace);
        std::vector<std::uint64_t> part_lines(count);
        workspace.write_line_bits(part_lines);
        for (std::size_t e = 0; e < count; ++e) {
          ASSERT_EQ(bit(workspace.accepted(), e), bit(accepted, first + e)) << size << " " << first + e;
          ASSERT_EQ(part_lines[e], lines[first + e]) << size << " " << first + e;
        }
      }
    }
  }
}

TEST(Menu, CountsAndBitmapsAgreeForEveryBatchSize) {
  const auto space = jets();
  const auto menu = compiled(shipped_menu(), space);
  menu::MenuWorkspace workspace(menu, 4096);
  std::mt19937_64 random(4);
  for (const std::uint32_t size : {0U, 1U, 63U, 64U, 65U, 1023U, 1024U, 1025U, 4096U}) {
    Batch batch(random_rows(std::max(size, 1U), space, random));
    batch.event_count = size;
    menu.decide(batch.input(17, 1), workspace);
    ASSERT_EQ(workspace.accepted().size(), (size + 63) / 64);
    for (std::size_t e = size; e < workspace.accepted().size() * 64; ++e)
      EXPECT_FALSE(bit(workspace.accepted(), e));
    std::vector<std::uint64_t> lines(size);
    workspace.write_line_bits(lines);
    for (std::size_t l = 0; l < menu.lines().size(); ++l) {
      std::uint64_t found = 0;
      for (const std::uint64_t word : lines) found += (word >> l) & 1U;
      EXPECT_EQ(found, workspace.line_counts()[l].after_veto) << size << " " << menu.lines()[l].name;
    }
    for (std::size_t e = 0; e < size; ++e)
      EXPECT_EQ(bit(workspace.accepted(), e), (lines[e] & 0b011111U) != 0);
  }
}

TEST(Menu, FiresNoLineForAMalformedEvent) {
  const auto space = space_of({"a", "b"}, 2, 0, 9, 1.0);
  const auto menu = compiled(kHead + line("all", "any") + line("none_of_a", "not class == a"), space);
  Batch batch(all_rows(space));
  batch.malformed = {0xFFULL, 1ULL << 35};  // events 0 to 7, and 99
  menu::MenuWorkspace workspace(menu, 100);
  menu.decide(batch.input(), workspace);
  EXPECT_EQ(workspace.line_counts()[0].before_prescale, 91U);
  for (const std::size_t e : {0U, 7U, 99U}) EXPECT_FALSE(bit(workspace.accepted(), e));
  EXPECT_TRUE(bit(workspace.accepted(), 8));
}

TEST(Menu, AllocatesNothingWhileDeciding) {
  const auto space = jets();
  const auto menu = compiled(shipped_menu(), space);
  std::mt19937_64 random(5);
  const Batch batch(random_rows(4096, space, random));
  menu::MenuWorkspace workspace(menu, 4096);
  std::vector<std::uint64_t> lines(4096);
  const std::size_t before = allocations;
  menu.decide(batch.input(3, 1), workspace);
  workspace.write_line_bits(lines);
  EXPECT_EQ(allocations, before);
}

TEST(Menu, ShippedForTheJetsModelCompilesAndDescribesItself) {
  const auto menu = compiled(shipped_menu(), jets());
  EXPECT_EQ(menu.name(), "jets");
  EXPECT_EQ(menu.lines().size(), 6U);
  EXPECT_EQ(menu.text(), shipped_menu());
  EXPECT_EQ(menu.digest(), base::sha256(shipped_menu()));
  const std::string description = menu.describe();
  EXPECT_THAT(description, HasSubstr("line top_tag (accept)"));
  EXPECT_THAT(description, HasSubstr("when      class == t and prob(t) >= 0.6"));
  EXPECT_THAT(description, HasSubstr("y_w - y_q >= 8 or y_z - y_q >= 8"));
  EXPECT_THAT(description, HasSubstr("prescale  physics 100, calibration 10"));
  EXPECT_THAT(description, HasSubstr("line gluon_veto (veto)"));
  EXPECT_THAT(description, HasSubstr("physics off"));
  EXPECT_THAT(description, HasSubstr("line random (accept, ignores veto)"));
}

TEST(Menu, FindsItsColumnsByName) {
  const auto menu = compiled(kHead + "default_column = \"cosmic\"\n" + line("all", "any"), jets());
  EXPECT_EQ(menu.default_column(), 1U);
  EXPECT_EQ(menu.column_index("physics").value(), 0U);
  const auto unknown = menu.column_index("heavy_ion");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(unknown.error().message, "menu test has no column \"heavy_ion\", expected one of physics cosmic");
}

TEST(Menu, HasRoomForSixtyFourLines) {
  std::string text = kHead;
  for (int l = 0; l < 64; ++l)
    text += line(fmt::format("l{}", l), fmt::format("score(t) >= {}", l * 0.125 - 4));
  const auto space = jets();
  const auto menu = compiled(text, space);
  std::mt19937_64 random(6);
  const auto rows = random_rows(200, space, random);
  const Batch batch(rows);
  menu::MenuWorkspace workspace(menu, 200);
  menu.decide(batch.input(), workspace);
  std::vector<std::uint64_t> lines(200);
  workspace.write_line_bits(lines);
  for (std::size_t e = 0; e < 200; ++e) {
    for (int l = 0; l < 64; ++l) EXPECT_EQ((lines[e] >> l) & 1U, rows[e][2] >= l - 32 ? 1U : 0U);
  }
}

}  // namespace
}  // namespace kantrig::test
