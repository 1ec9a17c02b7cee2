#include "control/state_file.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

#include "base/file.hpp"

namespace kantrig::control {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "1";

/// Every member of the file, in one place: `visit(key, member)` for reading and for writing. Numbers are
/// written as text, since JSON's own lose bits above 2^53.
template <typename State, typename Visit>
void for_each_member(State& state, Visit&& visit) {
  visit("configured_model", state.configured.model);
  visit("configured_menu_digest", state.configured.menu_digest);
  visit("configured_column", state.configured.column);
  visit("generation", state.generation.value);
  visit("model", state.model);
  visit("previous", state.previous);
  visit("shadow", state.shadow);
  visit("menu_text", state.menu_text);
  visit("menu_origin", state.menu_origin);
  visit("column", state.column);
  visit("run", state.run.value);
  visit("block", state.block.value);
  visit("idle_block", state.idle_block.value);
}

class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  void operator()(const char* key, std::string& into) {
    if (const std::string* text = find(key)) into = *text;
  }
  void operator()(const char* key, std::uint64_t& into) {
    const std::string* text = find(key);
    if (text == nullptr) return;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), into);
    if (error != std::errc() || end != text->data() + text->size()) wrong(key, "a whole number as text");
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const std::string* find(const char* key) {
    const auto field = json_.find(key);  // the end where the whole is not an object
    const std::string* text = field == json_.end() ? nullptr : field->get_ptr<const std::string*>();
    if (text == nullptr) wrong(key, "a text");
    return text;
  }
  void wrong(const char* key, std::string_view expected) {
    if (problem_.empty()) problem_ = fmt::format("\"{}\": expected {}", key, expected);
  }
  const Json& json_;
  std::string problem_;
};

}  // namespace

Result<std::optional<PersistedState>> read_state(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) return std::nullopt;
  const auto text = base::read_file(file, kStateBytesMax);
  if (!text) return tl::unexpected(text.error());
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  std::string problem;
  PersistedState state;
  if (json.is_discarded()) {
    problem = "not JSON";
  } else {
    std::string format;
    Reader reader(json);
    reader("format", format);
    for_each_member(state, reader);
    problem = reader.problem();
    if (problem.empty() && format != kFormat)
      problem = fmt::format("format {}, expected {}", format, kFormat);
  }
  if (problem.empty()) return state;
  return fail(ErrorCode::kCorrupt, "state {}: {}; move it away to start as configured", file.string(),
              problem);
}

Result<void> write_state(const std::filesystem::path& file, const PersistedState& state) {
  Json json{{"format", kFormat}};
  for_each_member(state, [&json](const char* key, const auto& member) {
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(member)>>) {
      json[key] = std::to_string(member);
    } else {
      json[key] = member;
    }
  });
  // Replacing what is not UTF-8 is what keeps dump() from throwing; names and menus have been checked before.
  const auto not_utf8 = Json::error_handler_t::replace;
  return base::write_file_atomic(file, json.dump(1, ' ', /*ensure_ascii=*/false, not_utf8) + '\n');
}

}  // namespace kantrig::control
