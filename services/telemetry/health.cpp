#include "telemetry/health.hpp"

#include <utility>

#include "base/build_info.hpp"

namespace kantrig::telemetry {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kUnavailable = 503;

bool wants_verbose(std::string_view query) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    if (part == "verbose" || part.starts_with("verbose=")) return true;
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return false;
}

HttpResponse tell(const Health& health, std::string_view query) {
  HttpResponse response;
  response.status = health.ok ? kOk : kUnavailable;
  response.body = health.ok ? "ok\n" : "not ok\n";
  if ((!health.ok || wants_verbose(query)) && !health.text.empty()) {
    response.body += health.text;
    if (!health.text.ends_with('\n')) response.body += '\n';
  }
  return response;
}

std::string index_page() {
  return fmt::format(
      "<!DOCTYPE html><html lang=\"en\"><head><title>kantrig</title></head><body><h1>kantrig {}</h1><ul>"
      "<li><a href=\"/metrics\">/metrics</a> for Prometheus</li>"
      "<li><a href=\"/healthz?verbose\">/healthz</a> 200 while the pipeline makes progress</li>"
      "<li><a href=\"/readyz?verbose\">/readyz</a> 200 while events are taken and decided</li>"
      "</ul></body></html>\n",
      base::build_info().version);
}

}  // namespace

void add_pages(HttpServer& server, const Exposer& exposer, HealthChecks checks) {
  server.route("/metrics", [&exposer](const HttpRequest&) {
    return HttpResponse{kOk, std::string(MetricWriter::kContentType), exposer.page()};
  });
  server.route("/healthz",
               [live = std::move(checks.live)](const HttpRequest& r) { return tell(live(), r.query); });
  server.route("/readyz",
               [ready = std::move(checks.ready)](const HttpRequest& r) { return tell(ready(), r.query); });
  server.route("/", [page = index_page()](const HttpRequest&) {
    return HttpResponse{kOk, "text/html; charset=utf-8", page};
  });
}

}  // namespace kantrig::telemetry
