// kantrig model: what the daemon decides with.
#include <fmt/core.h>

#include <memory>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/control_options.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"

namespace kantrig::apps {
namespace {

struct ModelOptions {
  ControlOptions control;
  std::string name;
};

struct Verb {
  const char* name;
  v1::ModelAction::Verb verb;
  bool takes_name;
  const char* description;
};

constexpr Verb kVerbs[] = {
    {"load", v1::ModelAction::VERB_LOAD, true,
     "Verify a bundle of the repository, warm it up and replay its golden vectors"},
    {"activate", v1::ModelAction::VERB_ACTIVATE, true,
     "Decide with this model from the next batch on, loading it if need be"},
    {"rollback", v1::ModelAction::VERB_ROLLBACK, false,
     "Activate the model that was active before; it is still loaded"},
    {"shadow", v1::ModelAction::VERB_SHADOW, true, "Run this model beside the active one, deciding nothing"},
    {"unshadow", v1::ModelAction::VERB_UNSHADOW, false, "Run no model beside the active one"},
    {"unload", v1::ModelAction::VERB_UNLOAD, true, "Forget a loaded model that neither decides nor shadows"},
};

int send_request(const ModelOptions& options, const v1::ControlRequest& request) {
  const auto reply = call_daemon(options.control.endpoint, request);
  if (!reply) return report_failure(reply.error(), options.control.json);
  return options.control.json ? print_json(reply->models()) : print_text(models_text(reply->models()));
}

void add_verb(CLI::App& model, const Verb& verb, const std::shared_ptr<ModelOptions>& options,
              int& exit_code) {
  CLI::App* command = model.add_subcommand(verb.name, verb.description);
  add_control_options(*command, options->control);
  if (verb.takes_name) {
    command->add_option("NAME", options->name, "<name>-<version>, as kantrig model list shows it")
        ->required();
  }
  command->callback([options, number = verb.verb, &exit_code] {
    v1::ControlRequest request;
    request.mutable_model()->set_verb(number);
    request.mutable_model()->set_name(options->name);
    exit_code = send_request(*options, request);
  });
}

}  // namespace

void add_model_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ModelOptions>();
  CLI::App* model = app.add_subcommand("model", "List, load, activate, roll back, shadow and verify models");
  model->require_subcommand(1);
  model->footer(
      R"(A model is staged, verified, (shadow), active, previous, retired, or failed with a reason. Whatever fails leaves the
active model deciding.

Examples:
  kantrig model list
  kantrig model load jets-1.1.0
  kantrig model shadow jets-1.1.0     # compare it on the events that the active one decides
  kantrig model activate jets-1.1.0
  kantrig model rollback
  kantrig model verify /var/lib/kantrig/models/jets-1.1.0 --kernel-set all)");
  CLI::App* list =
      model->add_subcommand("list", "List the bundles of the repository and what became of them");
  add_control_options(*list, options->control);
  list->callback([options, &exit_code] {
    v1::ControlRequest request;
    request.mutable_model_list();
    exit_code = send_request(*options, request);
  });
  for (const Verb& verb : kVerbs) add_verb(*model, verb, options, exit_code);
  add_model_verify_command(*model, exit_code);
}

}  // namespace kantrig::apps
