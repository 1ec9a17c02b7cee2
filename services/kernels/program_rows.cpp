#include "kernels/program_storage.hpp"

namespace kantrig::kernels {

void build_rows(const ProgramSpec& /*spec*/, const std::vector<std::vector<Column>>& /*columns*/, ProgramStorage& storage) {
  storage.row_layers.clear();
}

}  // namespace kantrig::kernels
