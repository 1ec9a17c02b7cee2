#include "compiler/explore/collect.hpp"

#include "base/file.hpp"
#include "compiler/explore/sweep_pictures.hpp"
#include "picture/picture_file.hpp"

namespace kantrig::explore {

std::vector<SweepRow> read_rows(const SweepFolder& folder, const SweepPlan& plan,
                                const std::vector<SweepPoint>& points) {
  std::vector<SweepRow> rows;
  for (const SweepPoint& point : points) rows.push_back({point, find_result(folder, plan, point)});
  return rows;
}

Result<std::vector<std::filesystem::path>> write_files(const SweepFolder& folder, const SweepTable& table,
                                                       const std::string& picture_ending) {
  std::vector<std::filesystem::path> written;
  for (const auto& [name, text] :
       {std::pair{"results.csv", to_csv(table)}, std::pair{"results.json", to_json(table)}}) {
    if (auto ok = base::write_file_atomic(folder.path / name, text); !ok) return tl::unexpected(ok.error());
    written.push_back(folder.path / name);
  }
  for (const auto& [name, svg] : draw_sweep(table)) {
    const std::filesystem::path path = folder.path / fmt::format("{}.{}", name, picture_ending);
    if (auto ok = picture::write_picture(path, svg); !ok) return tl::unexpected(ok.error());
    written.push_back(path);
  }
  return written;
}

}  // namespace kantrig::explore
