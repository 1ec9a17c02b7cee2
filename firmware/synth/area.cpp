#include "synth/area.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "synth/arrival.hpp"
#include "synth/cells.hpp"

namespace kantrig::synth {
namespace {

/// The number that follows `word` at the start of a part of `name`; parts are divided by dots and
/// underscores.
std::optional<std::int32_t> number_after(std::string_view name, std::string_view word) {
  for (std::size_t at = name.find(word); at != std::string_view::npos; at = name.find(word, at + 1)) {
    const bool starts = at == 0 || name[at - 1] == '.' || name[at - 1] == '_' || name[at - 1] == '\\';
    std::int32_t number = 0;
    const char* const begin = name.data() + at + word.size();
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (starts && error == std::errc{} && *begin != '-' &&
        (rest == end || *rest == '_' || *rest == '.' || *rest == ']'))
      return number;
  }
  return std::nullopt;
}

/// The better of two places that a cell may have: a node before an input before a layer, then the earlier
/// layer, which drives what the later one reads under another name.
Place better(const Place& a, const Place& b) {
  if (a.layer == kNoLayer) return b;
  if (b.layer == kNoLayer) return a;
  if (a.part != b.part) return a.part > b.part ? a : b;
  return std::min(a, b);
}

/// What two readers have in common.
Place common(const Place& a, const Place& b) {
  if (a == b) return a;
  return a.layer == b.layer ? Place{.layer = a.layer} : Place{};
}

class Attribution {
 public:
  explicit Attribution(const Netlist& netlist);
  Place at(std::uint32_t cell);

 private:
  Place by_name(const Cell& cell) const;

  const Netlist& netlist_;
  std::vector<std::vector<std::uint32_t>> readers_;  // by net
  std::vector<std::optional<Place>> known_;          // by cell
};

Attribution::Attribution(const Netlist& netlist)
    : netlist_(netlist), readers_(netlist.names.size()), known_(netlist.cells.size()) {
  for (std::uint32_t c = 0; c < netlist.cells.size(); ++c) {
    for (const Pin& pin : netlist.cells[c].pins) {
      if (pin.output) continue;
      for (const Net net : pin.nets) {
        if (!is_constant(net)) readers_[static_cast<std::size_t>(net)].push_back(c);
      }
    }
  }
}

Place Attribution::by_name(const Cell& cell) const {
  Place place = place_of(cell.name);
  if (place.part != Part::kShared) return place;
  for (const Pin& pin : cell.pins) {
    if (!pin.output) continue;
    for (const Net net : pin.nets) {
      if (is_constant(net)) continue;
      for (const std::string& name : netlist_.names[static_cast<std::size_t>(net)]) {
        place = better(place, place_of(name));
      }
    }
  }
  return place;
}

Place Attribution::at(std::uint32_t c) {
  if (known_[c]) return *known_[c];
  const Cell& cell = netlist_.cells[c];
  Place place = by_name(cell);
  known_[c] = place;  // also ends a loop
  if (place.part != Part::kShared) return place;
  std::optional<Place> wanted;
  for (const Pin& pin : cell.pins) {
    if (!pin.output) continue;
    for (const Net net : pin.nets) {
      if (is_constant(net)) continue;
      for (const std::uint32_t reader : readers_[static_cast<std::size_t>(net)]) {
        const Place its = at(reader);
        wanted = wanted ? common(*wanted, its) : its;
      }
    }
  }
  if (wanted && wanted->layer != kNoLayer && (place.layer == kNoLayer || place.layer == wanted->layer))
    place = *wanted;
  known_[c] = place;
  return place;
}

}  // namespace

Place place_of(std::string_view name) noexcept {
  Place place;
  const auto layer = number_after(name, "layer");
  if (!layer) return place;
  place.layer = *layer;
  const std::string_view inside = name.substr(name.find("layer"));
  auto node = number_after(inside, "n");
  if (!node) node = number_after(inside, "gen_node[");
  if (node) {
    place.part = Part::kNode;
    place.index = *node;
  } else if (const auto input = number_after(inside, "in")) {
    place.part = Part::kInput;
    place.index = *input;
  }
  return place;
}

Area area_of(const Netlist& netlist) {
  Attribution attribution(netlist);
  Area area;
  for (std::uint32_t c = 0; c < netlist.cells.size(); ++c) {
    const CellType type = cell_type(netlist.cells[c].type);
    const bool counts = type.luts > 0 || type.kind == CellKind::kRegister || type.kind == CellKind::kCarry;
    if (!counts) continue;
    PlaceFigures& figures = area[attribution.at(c)];
    figures.luts += type.luts;
    figures.ffs += type.kind == CellKind::kRegister ? 1 : 0;
    figures.carries += type.kind == CellKind::kCarry ? 1 : 0;
  }
  return area;
}

}  // namespace kantrig::synth
