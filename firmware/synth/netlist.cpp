#include "synth/netlist.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace kantrig::synth {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kNetsMax = 50'000'000;

Net net_from(const Json& bit) {
  if (bit.is_string()) {
    const auto& text = bit.get_ref<const std::string&>();
    if (text == "0") return kZeroNet;
    return text == "1" ? kOneNet : kUndefinedNet;
  }
  const auto net = bit.get<std::int64_t>();
  return net < 2 || net > kNetsMax ? kUndefinedNet : static_cast<Net>(net);
}

std::vector<Net> nets_from(const Json& bits) {
  std::vector<Net> nets;
  nets.reserve(bits.size());
  for (const Json& bit : bits) nets.push_back(net_from(bit));
  return nets;
}

Cell cell_from(const std::string& name, const Json& json) {
  Cell cell{.name = name, .type = json.at("type").get<std::string>(), .parameters = {}, .pins = {}};
  for (const auto& [key, value] : json.at("parameters").items()) {
    cell.parameters[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  const Json& directions = json.at("port_directions");
  for (const auto& [pin, bits] : json.at("connections").items()) {
    cell.pins.push_back({pin, directions.at(pin) == "output", nets_from(bits)});
  }
  return cell;
}

void add_names(Netlist& netlist, const Json& net_names) {
  for (const auto& [name, json] : net_names.items()) {
    if (json.value("hide_name", 0) != 0) continue;
    for (const Net net : nets_from(json.at("bits"))) {
      if (is_constant(net)) continue;
      if (static_cast<std::size_t>(net) >= netlist.names.size())
        netlist.names.resize(static_cast<std::size_t>(net) + 1);
      std::vector<std::string>& names = netlist.names[static_cast<std::size_t>(net)];
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
}

Net largest_net(const Netlist& netlist) {
  Net largest = 1;
  for (const Pin& port : netlist.ports) {
    for (const Net net : port.nets) largest = std::max(largest, net);
  }
  for (const Cell& cell : netlist.cells) {
    for (const Pin& pin : cell.pins) {
      for (const Net net : pin.nets) largest = std::max(largest, net);
    }
  }
  return largest;
}

}  // namespace

const Pin* Cell::find(std::string_view pin) const noexcept {
  const auto found = std::ranges::find(pins, pin, &Pin::name);
  return found == pins.end() ? nullptr : &*found;
}

Result<Netlist> netlist_from_json(std::string_view text, const std::string& module) {
  try {
    const Json json = Json::parse(text);
    const Json& modules = json.at("modules");
    if (!modules.contains(module))
      return fail(ErrorCode::kNotFound, "netlist: has no module {}, expected it as the top", module);
    const Json& top = modules.at(module);
    Netlist netlist{.module = module, .ports = {}, .cells = {}, .names = {}};
    for (const auto& [name, port] : top.at("ports").items()) {
      netlist.ports.push_back({name, port.at("direction") == "output", nets_from(port.at("bits"))});
    }
    for (const auto& [name, cell] : top.at("cells").items()) netlist.cells.push_back(cell_from(name, cell));
    add_names(netlist, top.at("netnames"));
    const auto nets = static_cast<std::size_t>(largest_net(netlist)) + 1;
    netlist.names.resize(std::max(netlist.names.size(), nets));
    return netlist;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "netlist of {}: {}", module, error.what());
  }
}

}  // namespace kantrig::synth
