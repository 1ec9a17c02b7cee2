#include "kan/rtl_library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/assert.hpp"

namespace kantrig::kan {
namespace {

constexpr std::uint32_t kUnitsMax = 65;  // kan_datapath and kLayersMax layers
constexpr std::uint32_t kWidthMax = 1U << 16U;
constexpr std::uint32_t kFieldWidthMax = 16;
constexpr std::uint32_t kBanks = 2;  // of an overlay

bool fields_fit(const kantrig_rtl_field* fields, std::uint32_t count, std::uint32_t width) {
  if (fields == nullptr || count == 0) return false;
  return std::all_of(fields, fields + count, [width](const kantrig_rtl_field& field) {
    return field.width >= 1 && field.width <= kFieldWidthMax && field.offset <= width &&
           field.width <= width - field.offset;
  });
}

bool is_sound(const kantrig_rtl_unit& unit) {
  return unit.module != nullptr && unit.input_width >= 1 && unit.input_width <= kWidthMax &&
         unit.output_width >= 1 && unit.output_width <= kWidthMax &&
         fields_fit(unit.inputs, unit.input_count, unit.input_width) &&
         fields_fit(unit.outputs, unit.output_count, unit.output_width);
}

}  // namespace

RtlInstance::RtlInstance(std::shared_ptr<const RtlLibrary> library, const kantrig_rtl_unit& unit,
                         kantrig_rtl_instance* instance) noexcept
    : library_(std::move(library)), unit_(&unit), instance_(instance) {}
RtlInstance::RtlInstance(RtlInstance&& other) noexcept
    : library_(std::move(other.library_)),
      unit_(other.unit_),
      instance_(std::exchange(other.instance_, nullptr)) {}
RtlInstance& RtlInstance::operator=(RtlInstance&& other) noexcept {
  std::swap(library_, other.library_);
  std::swap(unit_, other.unit_);
  std::swap(instance_, other.instance_);
  return *this;
}
RtlInstance::~RtlInstance() {
  if (instance_ != nullptr) library_->destroy_(instance_);
}

bool RtlInstance::run(std::span<const std::uint32_t> inputs, std::span<std::uint32_t> outputs,
                      std::uint32_t events) noexcept {
  KANTRIG_ASSERT(inputs.size() >= std::size_t{events} * row_words(unit_->input_width));
  KANTRIG_ASSERT(outputs.size() >= std::size_t{events} * row_words(unit_->output_width));
  return library_->run_(instance_, inputs.data(), outputs.data(), events) == 0;
}

bool RtlInstance::write_table(std::uint32_t address, std::uint32_t data) noexcept {
  KANTRIG_ASSERT(library_->bank_count() > 0);
  return library_->write_table_(instance_, address, data) == 0;
}

void RtlInstance::use_bank(std::uint32_t bank) noexcept {
  KANTRIG_ASSERT(bank < library_->bank_count());
  library_->use_bank_(instance_, bank);
}

Result<std::shared_ptr<const RtlLibrary>> RtlLibrary::open(const std::filesystem::path& file) {
  std::error_code error;
  const auto absolute =
      std::filesystem::absolute(file, error);  // a bare name would be searched for elsewhere
  void* const handle = ::dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const why = ::dlerror();
    return fail(ErrorCode::kNotFound, "simulated design {}: {}; kanc simulate makes one", file.string(),
                why == nullptr ? "cannot be opened" : why);
  }
  const std::shared_ptr<RtlLibrary> library(new RtlLibrary(handle));
  if (auto ok = library->look_up(file); !ok) return tl::unexpected(ok.error());
  return library;
}

RtlLibrary::~RtlLibrary() {
  ::dlclose(handle_);
}

Result<void> RtlLibrary::look_up(const std::filesystem::path& file) {
  const auto describe = reinterpret_cast<kantrig_rtl_describe_fn*>(::dlsym(handle_, KANTRIG_RTL_DESCRIBE));
  create_ = reinterpret_cast<kantrig_rtl_create_fn*>(::dlsym(handle_, KANTRIG_RTL_CREATE));
  destroy_ = reinterpret_cast<kantrig_rtl_destroy_fn*>(::dlsym(handle_, KANTRIG_RTL_DESTROY));
  run_ = reinterpret_cast<kantrig_rtl_run_fn*>(::dlsym(handle_, KANTRIG_RTL_RUN));
  write_table_ = reinterpret_cast<kantrig_rtl_write_table_fn*>(::dlsym(handle_, KANTRIG_RTL_WRITE_TABLE));
  use_bank_ = reinterpret_cast<kantrig_rtl_use_bank_fn*>(::dlsym(handle_, KANTRIG_RTL_USE_BANK));
  if (describe == nullptr || create_ == nullptr || destroy_ == nullptr || run_ == nullptr) {
    return fail(ErrorCode::kInvalid, "simulated design {}: is not one; expected what kanc simulate makes",
                file.string());
  }
  description_ = describe();
  if (description_ == nullptr || description_->abi_version != KANTRIG_RTL_ABI_VERSION) {
    return fail(
        ErrorCode::kUnsupported,
        "simulated design {}: has interface version {}, expected {}; make it again with kanc simulate",
        file.string(), description_ == nullptr ? 0 : description_->abi_version, KANTRIG_RTL_ABI_VERSION);
  }
  const bool whole = write_table_ != nullptr && use_bank_ != nullptr;  // which version 1 did not have
  const bool banks = description_->bank_count == 0 || description_->bank_count == kBanks;
  const bool sound = whole && banks && description_->bundle != nullptr &&
                     description_->model_digest != nullptr && description_->units != nullptr &&
                     description_->unit_count >= 1 && description_->unit_count <= kUnitsMax &&
                     std::ranges::all_of(units(), is_sound);
  if (sound) return {};
  return fail(ErrorCode::kCorrupt, "simulated design {}: its description is damaged; make it again",
              file.string());
}

Result<RtlInstance> RtlLibrary::create(std::uint32_t unit) const {
  KANTRIG_ASSERT(unit < description_->unit_count);
  kantrig_rtl_instance* const instance = create_(unit);
  if (instance == nullptr) {
    return fail(ErrorCode::kIo, "simulated design {}: no memory for {}, or an assertion of it failed",
                bundle(), description_->units[unit].module);
  }
  return RtlInstance(shared_from_this(), description_->units[unit], instance);
}

}  // namespace kantrig::kan
