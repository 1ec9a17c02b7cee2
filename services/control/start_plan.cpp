#include "control/start_plan.hpp"

#include "base/digest.hpp"
#include "base/file.hpp"

namespace kantrig::control {

Result<StartPlan> plan_start(const ControllerOptions& options, const std::optional<PersistedState>& was) {
  auto text = base::read_file(options.menu_file, kMenuBytesMax);
  if (!text) return tl::unexpected(text.error().within("configured menu"));
  StartPlan plan;
  plan.configured = {
      .model = options.model, .menu_digest = base::sha256(*text).hex(), .column = options.column};
  plan.model = options.model;
  plan.menu = {.text = std::move(*text), .origin = options.menu_file.string()};
  plan.column = options.column;
  if (!was) return plan;

  plan.model_resumed = was->configured.model == options.model;
  if (plan.model_resumed) {
    plan.model = was->model;
    plan.previous = was->previous;
    plan.shadow = was->shadow;
  } else if (was->model != options.model) {
    plan.previous = was->model;  // it ran until now: rollback undoes the edit
  }
  plan.menu_resumed = was->configured.menu_digest == plan.configured.menu_digest;
  if (plan.menu_resumed) {
    plan.menu = {.text = was->menu_text, .origin = was->menu_origin};
    if (was->configured.column == options.column) plan.column = was->column;
  }
  return plan;
}

}  // namespace kantrig::control
