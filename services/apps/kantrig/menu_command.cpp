// kantrig menu: what the daemon keeps.
#include <fmt/core.h>

#include <filesystem>
#include <memory>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/control_options.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "control/menus.hpp"
#include "kan/bundle.hpp"

namespace kantrig::apps {
namespace {

struct MenuOptions {
  ControlOptions control;
  std::filesystem::path file;
  std::filesystem::path bundle;
  std::string column;
  bool text_only = false;
};

std::string menu_text(const v1::MenuReply& menu) {
  std::string columns;
  for (const std::string& column : menu.columns()) {
    columns += (columns.empty() ? "" : " ") + (column == menu.column() ? "[" + column + "]" : column);
  }
  return fmt::format("digest   {}\ncolumns  {}\n\n{}", menu.digest(), columns, lines_text(menu.lines()));
}

int send_request(const MenuOptions& options, const v1::ControlRequest& request) {
  const auto reply = call_daemon(options.control.endpoint, request);
  if (!reply) return report_failure(reply.error(), options.control.json);
  if (options.control.json) return print_json(reply->menu());
  return print_text(options.text_only ? reply->menu().text() : menu_text(reply->menu()));
}

int wrong_input(const Error& error) {
  fmt::print(stderr, "kantrig: {}\n", error.message);
  return base::kExitInput;
}

int load_menu(const MenuOptions& options) {
  auto text = base::read_file(options.file, control::kMenuBytesMax);
  if (!text) return wrong_input(text.error());
  v1::ControlRequest request;
  request.mutable_menu_load()->set_text(std::move(*text));
  request.mutable_menu_load()->set_origin(options.file.filename().string());
  return send_request(options, request);
}

v1::MenuReply describe(const menu::Menu& menu) {
  v1::MenuReply reply;
  reply.set_text(menu.text());
  reply.set_digest(menu.digest().hex());
  for (const std::string& column : menu.columns()) reply.add_columns(column);
  reply.set_column(menu.columns()[menu.default_column()]);
  for (const menu::LineInfo& line : menu.lines()) {
    v1::LineStatus& status = *reply.add_lines();
    status.set_name(line.name);
    status.set_kind(line.kind == menu::LineKind::kVeto ? "veto" : "accept");
    status.set_prescale(line.prescales[menu.default_column()]);
  }
  return reply;
}

int check_menu(const MenuOptions& options) {
  auto text = base::read_file(options.file, control::kMenuBytesMax);
  if (!text) return wrong_input(text.error());
  const auto bundle = kan::load_bundle(options.bundle);
  if (!bundle) return wrong_input(bundle.error());
  const auto menu = control::compile_menu({std::move(*text), options.file.string()}, *bundle);
  if (!menu) return wrong_input(menu.error());
  if (options.control.json) return print_json(describe(**menu));
  return print_text(
      fmt::format("{} fits {}\n{}", options.file.string(), bundle->full_name(), (*menu)->describe()));
}

void add_check(CLI::App& menu, const std::shared_ptr<MenuOptions>& options, int& exit_code) {
  CLI::App* command = menu.add_subcommand(
      "check", "Check a menu against a bundle, and show the integers that it compares; needs no daemon");
  command->add_option("FILE", options->file, "Menu in TOML")->required();
  command
      ->add_option("--model", options->bundle, "Folder of the bundle whose classes and scores it speaks of")
      ->required();
  command->add_flag("--json", options->control.json, "Print JSON for scripts");
  command->callback([options, &exit_code] { exit_code = check_menu(*options); });
}

}  // namespace

void add_menu_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<MenuOptions>();
  CLI::App* menu =
      app.add_subcommand("menu", "Show, check and load trigger menus; switch the prescale column");
  menu->require_subcommand(1);
  menu->footer(R"(Examples:
  kantrig menu show --text > menu.toml
  kantrig menu check menu.toml --model /var/lib/kantrig/models/jets-1.1.0
  kantrig menu load menu.toml
  kantrig menu column high_rate)");

  CLI::App* show = menu->add_subcommand("show", "Show the menu that is on, with its counts in this run");
  add_control_options(*show, options->control);
  show->add_flag("--text", options->text_only, "Print its text as loaded instead");
  show->callback([options, &exit_code] {
    v1::ControlRequest request;
    request.mutable_menu_show();
    exit_code = send_request(*options, request);
  });

  add_check(*menu, options, exit_code);

  CLI::App* load = menu->add_subcommand("load", "Decide by this menu from the next batch on");
  add_control_options(*load, options->control);
  load->add_option("FILE", options->file, "Menu in TOML")->required();
  load->callback([options, &exit_code] { exit_code = load_menu(*options); });

  CLI::App* column = menu->add_subcommand("column", "Switch to another column of prescales");
  add_control_options(*column, options->control);
  column->add_option("COLUMN", options->column, "Name, as kantrig menu show lists it")->required();
  column->callback([options, &exit_code] {
    v1::ControlRequest request;
    request.mutable_menu_column()->set_column(options->column);
    exit_code = send_request(*options, request);
  });
}

}  // namespace kantrig::apps
