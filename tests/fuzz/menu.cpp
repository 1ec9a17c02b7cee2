// Any text is a menu or an error; what compiles decides without touching memory that is not its own.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "menu/menu.hpp"

namespace {

using kantrig::menu::Menu;
using kantrig::menu::ScoreSpace;

void decide(std::string_view text, const ScoreSpace& space) {
  const auto menu = Menu::compile(text, space, "fuzz.toml");
  if (!menu) {
    KANTRIG_ASSERT(!menu.error().message.empty());
    return;
  }
  constexpr std::uint32_t kEvents = 130;
  std::vector<std::vector<std::int16_t>> scores(space.scores.size());
  std::vector<const std::int16_t*> columns;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const auto& range = space.scores[k];
    for (std::int32_t e = 0; e < 192; ++e) {
      const std::int32_t span = range.high - range.low + 1;
      scores[k].push_back(
          static_cast<std::int16_t>(range.low + (e * 7919 + static_cast<std::int32_t>(k) * 31) % span));
    }
    columns.push_back(scores[k].data());
  }
  const std::vector<std::uint8_t> classes(192, 2);
  kantrig::menu::MenuWorkspace workspace(*menu, kEvents);
  menu->decide({.scores = columns,
                .classes = classes.data(),
                .malformed = {},
                .event_count = kEvents,
                .first_event_id = 5,
                .column = menu->default_column()},
               workspace);
  std::vector<std::uint64_t> lines(kEvents);
  workspace.write_line_bits(lines);
  KANTRIG_ASSERT(!menu->describe().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ScoreSpace jets = {{"g", "q", "t", "w", "z"},
                           std::vector<kantrig::menu::ScoreRange>(5, {-128, 127, 0.0625})};
  ScoreSpace scales = jets;
  scales.scores[3].scale = 0.1;
  decide(text, jets);
  decide(text, scales);
  decide(text, {{"t", "q"}, {{-300, 300, 0.01}}});
  return 0;
}
