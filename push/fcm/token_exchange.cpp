#include "push/fcm/token_exchange.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

namespace wake::push::fcm {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;
constexpr long kConnectTimeoutS = 5;
constexpr long kTimeoutS = 15;

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& body = *static_cast<std::string*>(user);
  if (body.size() + size > kMaxAnswer) return 0;  // curl fails the transfer
  body.append(data, size);
  return size;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(user)->load() ? 1 : 0;
}

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

ExchangeResult fail(std::string detail) {
  ExchangeResult result;
  result.detail = std::move(detail);
  return result;
}

void set_up(CURL* curl, const ExchangeRequest& request, const std::string& form) {
  curl_easy_setopt(curl, CURLOPT_URL, request.token_uri.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form.c_str());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(form.size()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, kTimeoutS);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  // The configuration decides, not the process's environment.
  curl_easy_setopt(curl, CURLOPT_PROXY, request.proxy.c_str());
}

}  // namespace

ExchangeResult exchange_assertion(const ExchangeRequest& request, const std::atomic<bool>& is_stopping) {
  start_curl_once();
  const std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
  if (!curl) return fail("curl cannot start");
  // A JWT's alphabet needs no escaping in a form.
  const std::string form =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + request.assertion;
  set_up(curl.get(), request, form);
  std::string body;
  char error[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&is_stopping));
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return fail(request.token_uri + ": " + (*error ? error : curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  ExchangeResult result = read_exchange_answer(status, body);
  if (!result.detail.empty()) result.detail = request.token_uri + ": " + result.detail;
  return result;
}

ExchangeResult read_exchange_answer(long status, const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto text_of = [&](const char* key) -> std::string {
    if (!json.is_object()) return {};
    const auto it = json.find(key);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  if (status != 200) {
    ExchangeResult result = fail("HTTP " + std::to_string(status) + ' ' + text_of("error") + ' ' +
                                 text_of("error_description").substr(0, 200));
    const bool is_final = status >= 400 && status < 500 && status != 408 && status != 429;
    if (is_final) result.kind = ExchangeResult::Kind::Refused;
    return result;
  }
  ExchangeResult result;
  result.access_token = text_of("access_token");
  if (result.access_token.empty()) return fail("the answer has no access_token");
  result.kind = ExchangeResult::Kind::Granted;
  const auto expires = json.find("expires_in");
  const bool has_expiry = expires != json.end() && expires->is_number_integer();
  constexpr std::int64_t kLongest = 24 * 3600;
  result.expires_in = std::chrono::seconds{
      has_expiry ? std::clamp<std::int64_t>(expires->get<std::int64_t>(), 1, kLongest) : 3599};
  return result;
}

}  // namespace wake::push::fcm
