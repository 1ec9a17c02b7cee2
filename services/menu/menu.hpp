// Menu: the set of lines (conditions with a prescale) that decides which events are kept. Language:
// README.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"

namespace kantrig::menu {

inline constexpr std::uint32_t kLinesMax = 64;  // a line is a bit of a 64-bit word
inline constexpr std::uint32_t kColumnsMax = 64;

/// One integer output of the model as conditions see it.
struct ScoreRange {
  std::int32_t low = 0;
  std::int32_t high = 0;
  double scale = 1.0;  // real score = integer x scale
};

/// What conditions can speak of: the classes and outputs of a model. One output has two classes.
struct ScoreSpace {
  std::vector<std::string> classes;
  std::vector<ScoreRange> scores;
  bool distance = false;  // the one output is a distance, of which no probability is known
};

enum class LineKind : std::uint8_t { kAccept, kVeto };

struct LineInfo {
  std::string name;
  LineKind kind = LineKind::kAccept;
  std::vector<std::uint64_t> prescales;  // per column: keep 1 in n; 0: off
  bool ignores_veto = false;
  std::string description;
  std::string condition;     // as written
  std::string integer_form;  // what is compared: "y_t >= 13 and not y_q >= 4"
};

/// Events counted by one line, or in one batch.
struct LineCounts {
  std::uint64_t before_prescale = 0;
  std::uint64_t after_prescale = 0;
  std::uint64_t after_veto = 0;
};

/// Column-wise scores of one batch, as kan::Workspace gives them: padded to a multiple of 64 events.
struct MenuInput {
  std::span<const std::int16_t* const> scores;  // one column per output
  const std::uint8_t* classes = nullptr;
  std::span<const std::uint64_t> malformed;  // bitmap; such events fire no line. Empty: none is malformed
  std::uint32_t event_count = 0;
  std::uint64_t first_event_id = 0;
  std::uint32_t column = 0;
};

/// One thread's bitmaps. Allocates in its constructor only.
class MenuWorkspace {
 public:
  MenuWorkspace(const class Menu& menu, std::uint32_t events_max);
  ~MenuWorkspace();
  MenuWorkspace(MenuWorkspace&&) noexcept;
  MenuWorkspace& operator=(MenuWorkspace&&) noexcept;
  /// Bit i % 64 of word i / 64: event i is kept. Bits past the events are 0.
  [[nodiscard]] std::span<const std::uint64_t> accepted() const noexcept;
  /// Of the last batch, one per line.
  [[nodiscard]] std::span<const LineCounts> line_counts() const noexcept;
  /// Writes event_count words: bit l is line l after veto (a veto line's bit is set where it fired).
  void write_line_bits(std::span<std::uint64_t> words) const noexcept;

 private:
  friend class Menu;
  struct State;
  std::unique_ptr<State> state_;
};

/// Immutable, compiled for one ScoreSpace: every condition is an integer comparison. Shared by threads.
class Menu {
 public:
  /// `origin` is the file's name for messages: "<origin>:<line>: line "two_prong": unknown class "h",
  /// expected one of g q t".
  [[nodiscard]] static Result<Menu> compile(std::string_view toml_text, const ScoreSpace& space,
                                            std::string_view origin);
  ~Menu();
  Menu(Menu&&) noexcept;
  Menu& operator=(Menu&&) noexcept;

  [[nodiscard]] const base::Digest& digest() const noexcept;  // of the text
  [[nodiscard]] const std::string& text() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;
  /// For a person: every line with its kind, condition as written, integer form and prescales.
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::span<const LineInfo> lines() const noexcept;
  [[nodiscard]] std::span<const std::string> columns() const noexcept;
  [[nodiscard]] std::uint32_t default_column() const noexcept;
  [[nodiscard]] Result<std::uint32_t> column_index(std::string_view name) const;

  /// Decides every event of the batch. Precondition: input fits the space and the workspace, which was made
  /// for this menu; column < columns().size(). Allocates nothing.
  void decide(const MenuInput& input, MenuWorkspace& workspace) const noexcept;

 private:
  friend class MenuWorkspace;
  struct State;
  explicit Menu(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace kantrig::menu
