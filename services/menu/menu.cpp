#include "menu/menu.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "base/bits.hpp"
#include "menu/bits.hpp"
#include "menu/evaluate.hpp"
#include "menu/listing.hpp"
#include "menu/menu_text.hpp"
#include "menu/prescale.hpp"
#include "menu/program.hpp"

namespace kantrig::menu {
namespace {

constexpr std::size_t kChunkEvents = kChunkWords * 64;

std::size_t words_of(std::size_t events) {
  return (events + 63) / 64;
}

}  // namespace

struct Menu::State {
  std::string text;
  base::Digest digest;
  std::string name;
  std::string description;
  std::uint64_t seed = 0;
  std::vector<std::string> columns;
  std::uint32_t default_column = 0;
  std::vector<LineInfo> lines;
  std::vector<std::uint64_t> prescale_keys;  // per line
  Program program;

  void decide_chunk(const MenuInput& input, std::size_t first_event,
                    MenuWorkspace::State& out) const noexcept;
  /// Condition, then prescale. Returns the events that pass, and counts.
  std::uint64_t fire_line(std::size_t line, const MenuInput& input, std::size_t first_event,
                          std::size_t word_count, MenuWorkspace::State& out) const noexcept;
};

struct MenuWorkspace::State {
  std::size_t events_max = 0;
  std::size_t words_max = 0;
  std::size_t event_count = 0;  // of the last batch
  std::vector<std::uint64_t> accepted;
  std::vector<std::uint64_t> line_bits;  // words_max per line
  std::vector<LineCounts> line_counts;
  std::vector<std::uint64_t> node_bits;  // of one chunk
  std::vector<std::int16_t> log_sums;    // of one chunk
  std::vector<std::uint64_t> valid;      // of one chunk

  std::size_t fill_valid(const MenuInput& input, std::size_t first_event) noexcept;
  std::span<std::uint64_t> line_words(std::size_t line, std::size_t first, std::size_t count) noexcept {
    return std::span(line_bits).subspan(line * words_max + first, count);
  }
};

MenuWorkspace::MenuWorkspace(const Menu& menu, std::uint32_t events_max) : state_(std::make_unique<State>()) {
  state_->events_max = events_max;
  state_->words_max = words_of(events_max);
  state_->accepted.resize(state_->words_max);
  state_->line_bits.resize(state_->words_max * menu.lines().size());
  state_->line_counts.resize(menu.lines().size());
  state_->node_bits.resize(kChunkWords * menu.state_->program.nodes.size());
  state_->log_sums.resize(kChunkEvents);
  state_->valid.resize(kChunkWords);
}
MenuWorkspace::~MenuWorkspace() = default;
MenuWorkspace::MenuWorkspace(MenuWorkspace&&) noexcept = default;
MenuWorkspace& MenuWorkspace::operator=(MenuWorkspace&&) noexcept = default;

std::span<const std::uint64_t> MenuWorkspace::accepted() const noexcept {
  return std::span(state_->accepted).first(words_of(state_->event_count));
}

std::span<const LineCounts> MenuWorkspace::line_counts() const noexcept {
  return state_->line_counts;
}

void MenuWorkspace::write_line_bits(std::span<std::uint64_t> words) const noexcept {
  KANTRIG_ASSERT(words.size() == state_->event_count);
  std::array<std::uint64_t, kLinesMax> lines{};
  const std::size_t line_count = state_->line_counts.size();
  for (std::size_t w = 0; w * 64 < words.size(); ++w) {
    for (std::size_t l = 0; l < line_count; ++l) lines[l] = state_->line_bits[l * state_->words_max + w];
    transpose_bits(std::span(lines).first(line_count),
                   words.subspan(w * 64, std::min<std::size_t>(64, words.size() - w * 64)));
  }
}

/// A bit for every event of the chunk that is there and well formed. Returns how many words were written.
std::size_t MenuWorkspace::State::fill_valid(const MenuInput& input, std::size_t first_event) noexcept {
  const std::size_t events = std::min<std::size_t>(kChunkEvents, input.event_count - first_event);
  const std::size_t count = words_of(events);
  std::fill_n(valid.begin(), count, ~std::uint64_t{0});
  if (events % 64 != 0) valid[count - 1] = (std::uint64_t{1} << (events % 64)) - 1;
  if (input.malformed.empty()) return count;
  for (std::size_t w = 0; w < count; ++w) valid[w] &= ~input.malformed[first_event / 64 + w];
  return count;
}

Menu::Menu(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Menu::~Menu() = default;
Menu::Menu(Menu&&) noexcept = default;
Menu& Menu::operator=(Menu&&) noexcept = default;

Result<Menu> Menu::compile(std::string_view toml_text, const ScoreSpace& space, std::string_view origin) {
  auto text = read_menu_text(toml_text, origin);
  if (!text) return tl::unexpected(text.error());
  if (auto checked = check_space(space); !checked) return tl::unexpected(checked.error().within(origin));
  auto state = std::make_unique<State>();
  ProgramBuilder builder(space);
  for (LineText& line : text->lines) {
    const auto context = [&] { return fmt::format("{}:{}: line \"{}\"", origin, line.row, line.info.name); };
    const auto condition = parse_expression(line.info.condition, space);
    if (!condition) return tl::unexpected(condition.error().within(context()));
    auto integer_form = builder.add_line(*condition);
    if (!integer_form) return tl::unexpected(integer_form.error().within(context()));
    line.info.integer_form = std::move(*integer_form);
    state->prescale_keys.push_back(prescale_key(text->seed, line.info.name));
    state->lines.push_back(std::move(line.info));
  }
  state->program = builder.finish();
  state->text = toml_text;
  state->digest = base::sha256(toml_text);
  state->name = std::move(text->name);
  state->description = std::move(text->description);
  state->seed = text->seed;
  state->columns = std::move(text->columns);
  state->default_column = text->default_column;
  return Menu(std::move(state));
}

const base::Digest& Menu::digest() const noexcept {
  return state_->digest;
}
const std::string& Menu::text() const noexcept {
  return state_->text;
}
const std::string& Menu::name() const noexcept {
  return state_->name;
}
std::span<const LineInfo> Menu::lines() const noexcept {
  return state_->lines;
}
std::span<const std::string> Menu::columns() const noexcept {
  return state_->columns;
}
std::uint32_t Menu::default_column() const noexcept {
  return state_->default_column;
}

Result<std::uint32_t> Menu::column_index(std::string_view name) const {
  const auto found = std::find(state_->columns.begin(), state_->columns.end(), name);
  if (found != state_->columns.end()) return static_cast<std::uint32_t>(found - state_->columns.begin());
  return fail(ErrorCode::kNotFound, "menu {} has no column \"{}\", expected one of {}", state_->name, name,
              listed(state_->columns));
}

std::string Menu::describe() const {
  std::string text =
      fmt::format("menu {} ({}), seed {}\n", state_->name, state_->digest.short_hex(), state_->seed);
  if (!state_->description.empty()) text += fmt::format("  {}\n", state_->description);
  text += "columns:";
  for (std::size_t c = 0; c < state_->columns.size(); ++c) {
    text += fmt::format(" {}{}", state_->columns[c], c == state_->default_column ? " (default)" : "");
  }
  text += '\n';
  for (const LineInfo& line : state_->lines) {
    text += fmt::format("line {} ({}{})\n", line.name, line.kind == LineKind::kVeto ? "veto" : "accept",
                        line.ignores_veto ? ", ignores veto" : "");
    if (!line.description.empty()) text += fmt::format("  {}\n", line.description);
    text += fmt::format("  when      {}\n  integers  {}\n  prescale ", line.condition, line.integer_form);
    for (std::size_t c = 0; c < state_->columns.size(); ++c) {
      const std::uint64_t n = line.prescales[c];
      text += fmt::format(" {} {}", state_->columns[c], n == 0 ? "off" : std::to_string(n));
      if (c + 1 < state_->columns.size()) text += ',';
    }
    text += '\n';
  }
  return text;
}

void Menu::decide(const MenuInput& input, MenuWorkspace& workspace) const noexcept {
  MenuWorkspace::State& out = *workspace.state_;
  KANTRIG_ASSERT(input.event_count <= out.events_max);
  KANTRIG_ASSERT(input.column < state_->columns.size());
  KANTRIG_ASSERT(input.scores.size() >= state_->program.output_count);
  KANTRIG_ASSERT(input.malformed.empty() || input.malformed.size() >= words_of(input.event_count));
  KANTRIG_ASSERT(out.line_counts.size() == state_->lines.size());
  KANTRIG_ASSERT(out.node_bits.size() == kChunkWords * state_->program.nodes.size());
  out.event_count = input.event_count;
  std::fill(out.line_counts.begin(), out.line_counts.end(), LineCounts{});
  for (std::size_t first = 0; first < input.event_count; first += kChunkEvents) {
    state_->decide_chunk(input, first, out);
  }
}

std::uint64_t Menu::State::fire_line(std::size_t line, const MenuInput& input, std::size_t first_event,
                                     std::size_t word_count, MenuWorkspace::State& out) const noexcept {
  const Literal condition = program.lines[line];
  const std::uint64_t flip = condition.negated ? ~std::uint64_t{0} : 0;
  const std::uint64_t* from = out.node_bits.data() + condition.node * kChunkWords;
  const auto words = out.line_words(line, first_event / 64, word_count);
  for (std::size_t w = 0; w < word_count; ++w) words[w] = (from[w] ^ flip) & out.valid[w];
  LineCounts& counts = out.line_counts[line];
  std::uint64_t fired = word_count == 1 ? base::count_bits(words[0]) : count_bits(words);
  counts.before_prescale += fired;
  const std::uint64_t prescale = lines[line].prescales[input.column];
  if (prescale != 1 && fired != 0) {
    apply_prescale(prescale_keys[line], prescale, input.first_event_id + first_event, words);
    fired = word_count == 1 ? base::count_bits(words[0]) : count_bits(words);
  }
  counts.after_prescale += fired;
  return fired;
}

void Menu::State::decide_chunk(const MenuInput& input, std::size_t first_event,
                               MenuWorkspace::State& out) const noexcept {
  const std::size_t word_count = out.fill_valid(input, first_event);
  const std::size_t first_word = first_event / 64;
  evaluate(program, {.scores = input.scores,
                     .classes = input.classes,
                     .first_event = first_event,
                     .valid = std::span(out.valid).first(word_count),
                     .log_sums = out.log_sums,
                     .node_bits = out.node_bits});
  std::array<std::uint64_t, kLinesMax> fired;  // of the lines there are
  std::array<std::uint64_t, kChunkWords> veto;
  std::fill_n(veto.begin(), word_count, std::uint64_t{0});
  bool vetoes = false;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    fired[l] = fire_line(l, input, first_event, word_count, out);
    if (lines[l].kind != LineKind::kVeto || fired[l] == 0) continue;
    const auto words = out.line_words(l, first_word, word_count);
    for (std::size_t w = 0; w < word_count; ++w) veto[w] |= words[w];
    vetoes = true;
  }
  const auto accepted = std::span(out.accepted).subspan(first_word, word_count);
  std::fill(accepted.begin(), accepted.end(), 0);
  for (std::size_t l = 0; l < lines.size(); ++l) {
    const auto words = out.line_words(l, first_word, word_count);
    if (lines[l].kind == LineKind::kAccept) {
      if (vetoes && !lines[l].ignores_veto && fired[l] != 0) {
        for (std::size_t w = 0; w < word_count; ++w) words[w] &= ~veto[w];
        fired[l] = count_bits(words);
      }
      for (std::size_t w = 0; w < word_count; ++w) accepted[w] |= words[w];
    }
    out.line_counts[l].after_veto += fired[l];
  }
}

}  // namespace kantrig::menu
