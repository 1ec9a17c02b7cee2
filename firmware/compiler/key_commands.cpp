// kanc keygen, kanc sign
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "compiler/commands.hpp"
#include "compiler/report.hpp"
#include "kan/signature.hpp"

namespace kantrig::compiler {

void add_keygen_command(CLI::App& app, int& exit_code) {
  CLI::App* const keygen = app.add_subcommand("keygen", "Make a key pair to sign bundles with");
  const auto out = std::make_shared<std::filesystem::path>();
  keygen
      ->add_option("--out", *out,
                   "Writes OUT.key (secret, readable by you only) and OUT.pub; neither may exist")
      ->required();
  keygen->footer(
      "Example:\n"
      "  kanc keygen --out release\n"
      "  kanc sign jets-1.1.0 --key release.key\n\n"
      "Exit codes: 0 written, 2 wrong command line, 5 keys not written.");
  keygen->callback([out, &exit_code] {
    kan::KeyFiles files{*out, *out};
    files.secret_key += ".key";
    files.public_key += ".pub";
    const auto public_key = kan::create_keys(files);
    if (!public_key) {
      exit_code = report_failure(public_key.error(), base::kExitOutput);
      return;
    }
    fmt::print("public key {} in {}, secret key in {}\n", *public_key, files.public_key.string(),
               files.secret_key.string());
  });
}

void add_sign_command(CLI::App& app, int& exit_code) {
  struct Arguments {
    std::filesystem::path bundle;
    std::filesystem::path key;
  };
  CLI::App* const sign = app.add_subcommand("sign", "Sign a bundle: writes its manifest.sig");
  const auto arguments = std::make_shared<Arguments>();
  sign->add_option("bundle", arguments->bundle, "The bundle, verified before it is signed")->required();
  sign->add_option("--key", arguments->key, "Secret key, as kanc keygen makes it")->required();
  sign->footer(
      "Example:\n"
      "  kanc sign jets-1.1.0 --key release.key\n\n"
      "Exit codes: 0 signed, 2 wrong command line, 3 wrong or missing bundle or key, 5 signature not "
      "written.");
  sign->callback([arguments, &exit_code] {
    const auto public_key = kan::sign_bundle(arguments->bundle, arguments->key);
    if (!public_key) {
      const bool unwritten = public_key.error().code == ErrorCode::kIo;
      exit_code = report_failure(public_key.error(), unwritten ? base::kExitOutput : base::kExitInput);
      return;
    }
    fmt::print("signed {} by key {}\n", arguments->bundle.string(), *public_key);
  });
}

}  // namespace kantrig::compiler
