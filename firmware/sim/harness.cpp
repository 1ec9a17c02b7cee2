// The harness around a verilated design: kan/rtl_abi.h on top of Verilator's classes. Built by kanc together
// with units.hpp (by -include), which it generates for the design:
//   kDescription                       what kantrig_rtl_describe() gives
//   kTableWords                        address and data of each word of an overlay's bank 0; else empty
//   KANTRIG_UNITS(UNIT)                UNIT(index, class) for every unit
// Each unit's top is a generated module with clk_i, codes_i, result_o and one register behind codes_i, so
// that all logic hangs on the clock alone and is evaluated once a cycle. An overlay's has bank_i and
// table_*_i too, also with a register behind each.
#include <verilated.h>

#include <cstring>
#include <memory>
#include <new>

#include "kan/rtl_abi.h"

struct kantrig_rtl_instance {
  virtual ~kantrig_rtl_instance() = default;
  virtual int run(const uint32_t* inputs, uint32_t* outputs, uint32_t events) = 0;
  virtual int write_table(uint32_t address, uint32_t data) = 0;
  virtual void use_bank(uint32_t bank) = 0;
};

namespace {

// A port of up to 32 bits, of up to 64 bits, or of words.
template <typename Port>
void put(Port& port, const uint32_t* words) {
  static_assert(sizeof(Port) <= 8);
  uint64_t value = words[0];
  if constexpr (sizeof(Port) == 8) value |= static_cast<uint64_t>(words[1]) << 32U;
  port = static_cast<Port>(value);
}
template <std::size_t Words>
void put(VlWide<Words>& port, const uint32_t* words) {
  std::memcpy(port.m_storage, words, Words * sizeof(uint32_t));
}

template <typename Port>
void get(const Port& port, uint32_t* words) {
  words[0] = static_cast<uint32_t>(port);
  if constexpr (sizeof(Port) == 8) words[1] = static_cast<uint32_t>(port >> 32U);
}
template <std::size_t Words>
void get(const VlWide<Words>& port, uint32_t* words) {
  std::memcpy(words, port.m_storage, Words * sizeof(uint32_t));
}

constexpr uint32_t words_of(uint32_t width) {
  return (width + 31) / 32;
}

template <typename Top>
concept HasTables = requires(Top& top) {
  top.table_valid_i;
};

template <typename Top>
class Unit final : public kantrig_rtl_instance {
 public:
  explicit Unit(const kantrig_rtl_unit& unit) : unit_(unit), top_(configure(context_), "top") {
    top_.clk_i = 0;
    top_.eval();
  }
  ~Unit() override {
    Verilated::threadContextp(&context_);  // where the top's scopes are taken out of
    top_.final();
  }

  int run(const uint32_t* inputs, uint32_t* outputs, uint32_t events) override {
    const uint32_t input_words = words_of(unit_.input_width);
    const uint32_t output_words = words_of(unit_.output_width);
    const uint64_t clocks = events == 0 ? 0 : uint64_t{events} + unit_.cycles;
    for (uint64_t t = 0; t < clocks && !stopped(); ++t) {
      if (t < events) put(top_.codes_i, inputs + t * input_words);
      rise();
      if (t >= unit_.cycles) get(top_.result_o, outputs + (t - unit_.cycles) * output_words);
      fall();
    }
    return stopped() ? -1 : 0;
  }

  /// No event comes with the word: what codes_i still holds is looked up and its result thrown away.
  int write_table(uint32_t address, uint32_t data) override {
    if constexpr (HasTables<Top>) {
      if (stopped()) return -1;
      top_.table_valid_i = 1;
      top_.table_address_i = address;
      top_.table_data_i = data;
      rise();
      fall();
      top_.table_valid_i = 0;
    }
    return stopped() ? -1 : 0;
  }
  void use_bank(uint32_t bank) override {
    if constexpr (HasTables<Top>) top_.bank_i = bank & 1U;
  }

 private:
  /// Before a top is made: one thread, where the default is a pool for each context; and an assertion that
  /// fails must not take the process with it.
  static VerilatedContext* configure(VerilatedContext& context) {
    context.threads(1);
    context.fatalOnError(false);
    Verilated::threadContextp(&context);  // where the top's scopes are put
    return &context;
  }
  void rise() {
    top_.clk_i = 1;
    top_.eval();
  }
  void fall() {
    top_.clk_i = 0;
    top_.eval();
  }
  bool stopped() const { return context_.gotFinish() || context_.gotError(); }

  const kantrig_rtl_unit& unit_;
  VerilatedContext context_;
  Top top_;
};

/// Null where there is nothing to return.
kantrig_rtl_instance* make_unit(uint32_t unit) {
  switch (unit) {
#define KANTRIG_CASE(index, top) \
  case index:                    \
    return new Unit<top>(kDescription.units[index]);
    KANTRIG_UNITS(KANTRIG_CASE)
    default:
      return nullptr;
  }
}

/// False when the design stopped meanwhile.
bool write_model(kantrig_rtl_instance& instance) {
  for (const auto& [address, data] : kTableWords) {
    if (instance.write_table(address, data) != 0) return false;
  }
  return true;
}

}  // namespace

#define KANTRIG_EXPORT extern "C" __attribute__((visibility("default")))

KANTRIG_EXPORT const kantrig_rtl_description* kantrig_rtl_describe(void) {
  return &kDescription;
}

KANTRIG_EXPORT kantrig_rtl_instance* kantrig_rtl_create(uint32_t unit) {
  try {
    std::unique_ptr<kantrig_rtl_instance> instance(make_unit(unit));
    if (instance == nullptr || !write_model(*instance)) return nullptr;
    return instance.release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

KANTRIG_EXPORT void kantrig_rtl_destroy(kantrig_rtl_instance* instance) {
  delete instance;
}

KANTRIG_EXPORT int kantrig_rtl_run(kantrig_rtl_instance* instance, const uint32_t* inputs, uint32_t* outputs,
                                   uint32_t events) {
  return instance->run(inputs, outputs, events);
}

KANTRIG_EXPORT int kantrig_rtl_write_table(kantrig_rtl_instance* instance, uint32_t address, uint32_t data) {
  return instance->write_table(address, data);
}

KANTRIG_EXPORT void kantrig_rtl_use_bank(kantrig_rtl_instance* instance, uint32_t bank) {
  instance->use_bank(bank);
}
