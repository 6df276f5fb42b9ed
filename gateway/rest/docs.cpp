#include "gateway/rest/docs_page.hpp"
#include "gateway/rest/embedded_texts.hpp"
#include "gateway/rest/handlers.hpp"

namespace wake::gateway::rest {
namespace {

/// Nothing but our own style, and nobody's frame: the page has no script, so none can be slipped in.
const std::vector<std::pair<std::string, std::string>> kPageHeaders{
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"}};

}  // namespace

Response get_docs(const Call&) {
  static const std::string page = docs_page(openapi_text());
  return {.status = 200, .content_type = "text/html; charset=utf-8", .body = page, .headers = kPageHeaders};
}

Response get_docs_style(const Call&) {
  return {.status = 200,
          .content_type = "text/css; charset=utf-8",
          .body = std::string(docs_css_text()),
          .headers = kPageHeaders};
}

}  // namespace wake::gateway::rest
