#include "compiler/explore/sweep_plan.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <system_error>

#include "base/digest.hpp"
#include "base/event_files.hpp"
#include "base/file.hpp"
#include "compiler/explore/specification_edit.hpp"

namespace kantrig::explore {
namespace {

using nlohmann::json;

constexpr std::size_t kKeyTextMax = 80;
constexpr std::size_t kPlanBytesMax = std::size_t{8} << 20U;
constexpr int kFormat = 1;

/// For people what the digest is for programs: `model.bits.0=2_model.bits.1=3-8f1c93d2`.
std::string key_of(const std::vector<Assignment>& assignments, const std::string& sha256) {
  std::string text;
  for (const Assignment& assignment : assignments) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "_", assignment.field, assignment.value);
  }
  std::string key;
  for (const char c : text) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '=' || c == '_' || c == '-';
    if (plain) key += c;
    if (c == '[') key += '.';
    if (c == ',') key += '-';
  }
  return fmt::format("{}-{}", key.substr(0, kKeyTextMax), sha256.substr(0, 8));
}

json assignments_to_json(const std::vector<Assignment>& assignments) {
  json list = json::array();
  for (const Assignment& one : assignments) list.push_back({{"field", one.field}, {"value", one.value}});
  return list;
}

}  // namespace

Result<std::vector<SweepPoint>> points_of(const SweepPlan& plan) {
  if (plan.axes.empty() || plan.axes.size() > kAxesMax) {
    return fail(ErrorCode::kInvalid, "the sweep varies {} things, expected 1 to {} of --over FIELD=VALUES",
                plan.axes.size(), kAxesMax);
  }
  std::size_t count = 1;
  for (const Axis& axis : plan.axes) {
    count *= axis.values.size();
    if (count > kPointsMax) {
      return fail(ErrorCode::kInvalid,
                  "the sweep has more than {} points, expected fewer: take shorter ranges", kPointsMax);
    }
  }
  std::vector<SweepPoint> points;
  for (std::size_t number = 0; number < count; ++number) {
    SweepPoint point;
    point.number = static_cast<std::uint32_t>(number);
    std::size_t rest = number;
    point.values.resize(plan.axes.size());
    for (std::size_t a = plan.axes.size(); a-- > 0;) {
      point.values[a] = plan.axes[a].values[rest % plan.axes[a].values.size()];
      rest /= plan.axes[a].values.size();
    }
    std::vector<Assignment> varied;
    for (std::size_t a = 0; a < plan.axes.size(); ++a) {
      for (const std::string& field : plan.axes[a].fields) varied.push_back({field, point.values[a]});
    }
    std::vector<Assignment> all = plan.settings;
    all.insert(all.end(), varied.begin(), varied.end());
    auto text = with_assignments(plan.specification, plan.origin, all);
    if (!text) return tl::unexpected(text.error());
    point.specification = std::move(*text);
    point.specification_sha256 = base::sha256(point.specification).hex();
    point.key = key_of(varied, point.specification_sha256);
    points.push_back(std::move(point));
  }
  return points;
}

Result<std::string> data_digest(const train::DataFiles& data) {
  auto x = base::read_file(data.x, base::kTableBytesMax);
  if (!x) return tl::unexpected(x.error());
  std::string digests = base::sha256(*x).hex();
  if (!data.y.empty()) {
    const auto y = base::read_file(data.y, base::kTableBytesMax);
    if (!y) return tl::unexpected(y.error());
    digests += base::sha256(*y).hex();
  }
  return base::sha256(digests + data.class_column).hex();
}

std::string plan_to_json(const SweepPlan& plan) {
  json axes = json::array();
  for (const Axis& axis : plan.axes) axes.push_back({{"fields", axis.fields}, {"values", axis.values}});
  const json root{{"format", kFormat},
                  {"specification", {{"origin", plan.origin}, {"text", plan.specification}}},
                  {"settings", assignments_to_json(plan.settings)},
                  {"axes", axes},
                  {"data",
                   {{"x", plan.data.x.string()},
                    {"y", plan.data.y.string()},
                    {"class_column", plan.data.class_column},
                    {"sha256", plan.data_sha256}}},
                  {"metric", plan.quality.metric},
                  {"lower_is_better", plan.quality.lower_is_better}};
  return root.dump(2) + "\n";
}

Result<SweepPlan> plan_from_json(std::string_view text, std::string_view origin) {
  try {
    const json root = json::parse(text);
    if (root.at("format") != kFormat)
      return fail(ErrorCode::kUnsupported, "{}: expected format {}", origin, kFormat);
    SweepPlan plan;
    plan.origin = root.at("specification").at("origin");
    plan.specification = root.at("specification").at("text");
    for (const json& one : root.at("settings")) plan.settings.push_back({one.at("field"), one.at("value")});
    for (const json& one : root.at("axes")) plan.axes.push_back({one.at("fields"), one.at("values")});
    const json& data = root.at("data");
    plan.data = {std::string(data.at("x")), std::string(data.at("y")), data.at("class_column")};
    plan.data_sha256 = data.at("sha256");
    plan.quality = {root.at("metric"), root.at("lower_is_better")};
    return plan;
  } catch (const json::exception& error) {
    return fail(ErrorCode::kCorrupt, "{}: not the plan of a sweep: {}", origin, error.what());
  }
}

Result<void> write_plan(const SweepFolder& folder, const SweepPlan& plan) {
  std::error_code error;
  std::filesystem::create_directories(folder.path / "points", error);
  if (error) return fail(ErrorCode::kIo, "{}: cannot be made: {}", folder.path.string(), error.message());
  return base::write_file_atomic(folder.plan(), plan_to_json(plan));
}

Result<SweepPlan> read_plan(const SweepFolder& folder) {
  const auto text = base::read_file(folder.plan(), kPlanBytesMax);
  if (!text) return tl::unexpected(text.error().within("no sweep was begun in this folder"));
  return plan_from_json(*text, folder.plan().string());
}

}  // namespace kantrig::explore
