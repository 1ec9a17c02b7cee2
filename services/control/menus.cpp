#include "control/menus.hpp"

namespace kantrig::control {

menu::ScoreSpace score_space(const kan::Bundle& bundle) {
  menu::ScoreSpace space;
  space.classes = bundle.classes;
  for (std::size_t k = space.classes.size(); k < bundle.model.class_count(); ++k)
    space.classes.push_back(std::to_string(k));
  const std::vector<kan::OutputRange> outputs = kan::output_ranges(bundle.model);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    space.scores.push_back(
        {.low = outputs[k].low, .high = outputs[k].high, .scale = bundle.model.output_scales[k]});
  }
  space.distance = bundle.model.output_stage.has_value();
  return space;
}

Result<std::shared_ptr<const menu::Menu>> compile_menu(const MenuText& menu, const kan::Bundle& bundle) {
  auto compiled = menu::Menu::compile(menu.text, score_space(bundle), menu.origin);
  if (!compiled) return tl::unexpected(compiled.error().within("menu for model " + bundle.full_name()));
  return std::make_shared<const menu::Menu>(std::move(*compiled));
}

}  // namespace kantrig::control
