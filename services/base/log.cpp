#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace kantrig::base {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

/// Quoted when a reader could not tell where the value ends.
std::string quoted(std::string_view value) {
  const bool plain = !value.empty() && std::none_of(value.begin(), value.end(), [](char c) {
    return c == ' ' || c == '"' || c == '=' || static_cast<unsigned char>(c) < 0x20;
  });
  if (plain) return std::string(value);
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return text + '"';
}

}  // namespace

struct Logger::Sink {
  spdlog::logger logger;
};

Logger::Logger(LogLevel level)
    : sink_(new Sink{spdlog::logger("kantrig", std::make_shared<spdlog::sinks::stderr_sink_mt>())}) {
  sink_->logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  sink_->logger.flush_on(spdlog::level::debug);
  set_level(level);
}

Logger::~Logger() = default;

void Logger::set_level(LogLevel level) {
  sink_->logger.set_level(to_spdlog(level));
}

void Logger::write(LogLevel level, std::string_view message, Fields fields) {
  const auto spdlog_level = to_spdlog(level);
  if (!sink_->logger.should_log(spdlog_level)) return;
  std::string line(message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += quoted(field.value);
  }
  sink_->logger.log(spdlog_level, "{}", line);
}

}  // namespace kantrig::base
