// The register map of kan_kernel: the one place where it is written down. The SystemVerilog package, the
// table for people and kernel.xml are printed from it (register_files.hpp, `kanc registers`).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace kantrig::card {

inline constexpr std::uint32_t kMagic = 0x544E'414B;  // "KANT", read as bytes from the lowest
inline constexpr std::uint32_t kInterfaceVersion = 1;
inline constexpr std::uint32_t kRegisterRangeBytes = 0x1000;
inline constexpr std::uint32_t kMemoryWordBytes = 64;

/// What a run does: the argument `mode`.
enum class Mode : std::uint32_t { kDecide = 0, kSelfTest = 1, kLoadTables = 2 };

/// Bit numbers of the register `error`. A run that ends with any of them set did not do what it was asked.
enum class RunError : std::uint32_t {
  kReadResponse = 0,
  kWriteResponse = 1,
  kAddress = 2,
  kMode = 3,
  kTooManyEvents = 4,
};

enum class Access : std::uint8_t { kRead, kWrite, kReadWrite };

/// One register: 4 bytes, or a pair of them (8) or a row of words, lowest first.
struct Register {
  std::string_view name;
  std::uint32_t offset = 0;
  std::uint32_t bytes = 4;
  Access access = Access::kRead;
  std::string_view meaning;
};

/// One argument of the kernel, in the order in which XRT numbers them. Its register has the same name.
struct Argument {
  std::string_view name;
  std::string_view type;  // as kernel.xml spells it
  bool in_memory = false;
};

inline constexpr std::array kRegisters{
    Register{"control", 0x000, 4, Access::kReadWrite,
             "bit 0 start (set by writing 1; cleared when the run is accepted), bit 1 done, bit 2 idle, "
             "bit 3 ready, bit 4 continue (ap_ctrl_chain: written 1 after done), bit 7 auto restart. Done "
             "and ready are cleared by reading; under ap_ctrl_chain done is cleared by continue"},
    Register{"interrupt_global", 0x004, 4, Access::kReadWrite, "bit 0 lets the interrupt line rise"},
    Register{"interrupt_enable", 0x008, 4, Access::kReadWrite, "bit 0 on done, bit 1 on ready"},
    Register{"interrupt_status", 0x00C, 4, Access::kReadWrite,
             "bit 0 done, bit 1 ready; writing 1 toggles a bit"},
    Register{"input", 0x010, 8, Access::kReadWrite,
             "argument: address of the input records (of the table words in mode 2), a multiple of 64"},
    Register{"output", 0x018, 8, Access::kReadWrite,
             "argument: address of the output records (of the expected ones in mode 1), a multiple of 64"},
    Register{"events", 0x020, 4, Access::kReadWrite,
             "argument: number of events; in mode 2 of 32-bit table words"},
    Register{"bank", 0x024, 4, Access::kReadWrite, "argument: bit 0 is the table bank of the run's events"},
    Register{
        "mode", 0x028, 4, Access::kReadWrite,
        "argument: 0 decide, 1 self-test (compares with expected records, writes nothing), 2 load tables"},
    Register{"table_first", 0x02C, 4, Access::kReadWrite,
             "argument: address of the first table word in mode 2"},
    Register{"magic", 0x040, 4, Access::kRead, "0x544E414B, the bytes KANT"},
    Register{"interface_version", 0x044, 4, Access::kRead, "of this map"},
    Register{"target", 0x048, 4, Access::kRead, "0 fixed, 1 overlay"},
    Register{"lanes", 0x04C, 4, Access::kRead, "events that enter in one clock"},
    Register{"input_bits", 0x050, 4, Access::kRead, "bits of an event's codes"},
    Register{"input_record_bits", 0x054, 4, Access::kRead, "bits from one event's codes to the next"},
    Register{"output_bits", 0x058, 4, Access::kRead, "bits of an event's scores"},
    Register{"output_record_bits", 0x05C, 4, Access::kRead, "bits from one event's scores to the next"},
    Register{"latency", 0x060, 4, Access::kRead, "clocks of kan_datapath"},
    Register{"features", 0x064, 4, Access::kRead, "features of an event"},
    Register{"outputs", 0x068, 4, Access::kRead, "scores of an event"},
    Register{"self_test_events", 0x06C, 4, Access::kRead, "most events of one self-test"},
    Register{"model_digest", 0x080, 32, Access::kRead,
             "SHA-256 of model.pb, its last byte at the lowest address"},
    Register{
        "error", 0x0A0, 4, Access::kRead,
        "of the last run: bit 0 read response, bit 1 write response, bit 2 address (no multiple of 64, "
        "or past the end of the address space), bit 3 mode (unknown, or tables on a fixed target), bit 4 "
        "more events than a self-test takes"},
    Register{"mismatches", 0x0A4, 4, Access::kRead, "of the last self-test: records that differ"},
    Register{"events_in", 0x0C0, 8, Access::kRead, "counter: events that entered the lanes"},
    Register{"events_out", 0x0C8, 8, Access::kRead, "counter: events that left the lanes"},
    Register{"read_stalls", 0x0D0, 8, Access::kRead,
             "counter: clocks in which the lanes waited for memory to read"},
    Register{"write_stalls", 0x0D8, 8, Access::kRead,
             "counter: clocks in which a result waited for memory to write"},
    Register{"busy_cycles", 0x0E0, 8, Access::kRead, "counter: clocks in which a run was going on"},
    Register{"runs", 0x0E8, 4, Access::kRead, "counter: runs that ended"},
    Register{"axi_errors", 0x0EC, 4, Access::kRead, "counter: memory responses other than OKAY"},
    Register{"table_address", 0x100, 4, Access::kReadWrite,
             "table word that the next write to table_data goes to"},
    Register{"table_data", 0x104, 4, Access::kWrite,
             "writes one table word and adds 1 to table_address; any time, also while a run is going on"},
};

inline constexpr std::array kArguments{
    Argument{"input", "int*", true}, Argument{"output", "int*", true}, Argument{"events", "uint", false},
    Argument{"bank", "uint", false}, Argument{"mode", "uint", false},  Argument{"table_first", "uint", false},
};

/// The register called `name`. Does not compile for a name that is not in the map.
[[nodiscard]] consteval const Register& register_named(std::string_view name) {
  for (const Register& entry : kRegisters) {
    if (entry.name == name) return entry;
  }
  throw "no register of this name";
}

/// Its offset in bytes: card::offset_of("events").
[[nodiscard]] consteval std::uint32_t offset_of(std::string_view name) {
  return register_named(name).offset;
}

/// Its argument number for XRT: card::argument_id("events").
[[nodiscard]] consteval int argument_id(std::string_view name) {
  for (std::size_t i = 0; i < kArguments.size(); ++i) {
    if (kArguments[i].name == name) return static_cast<int>(i);
  }
  throw "no argument of this name";
}

}  // namespace kantrig::card
