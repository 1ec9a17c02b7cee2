// Logging for operators: a fixed lower-case message and fields, one line, to stderr (the journal).
//   log.info("model activated", {{"bundle", name}, {"generation", 7}});
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace kantrig::base {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

/// One key=value of a line.
struct LogField {
  LogField(std::string_view key_text, std::string_view text) : key(key_text), value(text) {}
  LogField(std::string_view key_text, const char* text) : key(key_text), value(text) {}
  LogField(std::string_view key_text, const std::string& text) : key(key_text), value(text) {}
  LogField(std::string_view key_text, std::integral auto number)
      : key(key_text), value(std::to_string(number)) {}
  LogField(std::string_view key_text, double number) : key(key_text), value(std::to_string(number)) {}
  std::string_view key;
  std::string value;
};

/// Thread-safe. Never called on the data path.
class Logger {
 public:
  using Fields = std::initializer_list<LogField>;

  explicit Logger(LogLevel level);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void debug(std::string_view message, Fields fields = {}) { write(LogLevel::kDebug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(LogLevel::kInfo, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(LogLevel::kWarn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(LogLevel::kError, message, fields); }
  void set_level(LogLevel level);

 private:
  void write(LogLevel level, std::string_view message, Fields fields);
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace kantrig::base
