#include "compiler/explore/point_result.hpp"

#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace kantrig::explore {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr std::size_t kResultBytesMax = std::size_t{1} << 20U;
constexpr const char* kFile = "result.json";

}  // namespace

std::optional<double> PointResult::metric(const std::string& name) const {
  for (const auto& [key, value] : metrics) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string result_to_json(const PointResult& result) {
  json metrics = json::array();
  for (const auto& [name, value] : result.metrics) metrics.push_back({{"name", name}, {"value", value}});
  const json root{{"format", kFormat},
                  {"specification_sha256", result.specification_sha256},
                  {"data_sha256", result.data_sha256},
                  {"version", result.version},
                  {"error", result.error},
                  {"seconds", result.seconds},
                  {"rows_validation", result.rows_validation},
                  {"metrics", metrics},
                  {"cost",
                   {{"edges", result.cost.edges},
                    {"table_entries", result.cost.table_entries},
                    {"parameter_bits", result.cost.parameter_bits},
                    {"luts_estimated", result.cost.luts},
                    {"cycles_estimated", result.cost.cycles}}}};
  return root.dump(2) + "\n";
}

Result<PointResult> result_from_json(std::string_view text, std::string_view origin) {
  try {
    const json root = json::parse(text);
    if (root.at("format") != kFormat)
      return fail(ErrorCode::kUnsupported, "{}: expected format {}", origin, kFormat);
    PointResult result;
    result.specification_sha256 = root.at("specification_sha256");
    result.data_sha256 = root.at("data_sha256");
    result.version = root.at("version");
    result.error = root.at("error");
    result.seconds = root.at("seconds");
    result.rows_validation = root.at("rows_validation");
    for (const json& one : root.at("metrics")) result.metrics.emplace_back(one.at("name"), one.at("value"));
    const json& cost = root.at("cost");
    result.cost = {.edges = cost.at("edges"),
                   .table_entries = cost.at("table_entries"),
                   .parameter_bits = cost.at("parameter_bits"),
                   .luts = cost.at("luts_estimated"),
                   .cycles = cost.at("cycles_estimated")};
    return result;
  } catch (const json::exception& error) {
    return fail(ErrorCode::kCorrupt, "{}: not the result of a point: {}", origin, error.what());
  }
}

Result<void> write_result(const std::filesystem::path& point_folder, const PointResult& result) {
  return base::write_file_atomic(point_folder / kFile, result_to_json(result));
}

std::optional<PointResult> find_result(const SweepFolder& folder, const SweepPlan& plan,
                                       const SweepPoint& point) {
  const std::filesystem::path path = folder.point(point) / kFile;
  const auto text = base::read_file(path, kResultBytesMax);
  if (!text) return std::nullopt;
  auto result = result_from_json(*text, path.string());
  if (!result || result->specification_sha256 != point.specification_sha256 ||
      result->data_sha256 != plan.data_sha256)
    return std::nullopt;
  return std::move(*result);
}

}  // namespace kantrig::explore
