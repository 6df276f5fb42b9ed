#include "gateway/auth/webhook.hpp"

#include <cstring>
#include <list>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include "broker-core/packet/utf8.hpp"
#include "broker-core/topic/topic_name.hpp"
#include "gateway/auth/keyed_digest.hpp"
#include "gateway/observe/log.hpp"
#include "gateway/thread_name.hpp"

namespace wake::gateway {
namespace {

using Json = nlohmann::json;
using std::chrono::steady_clock;

constexpr std::size_t kMaxFilterBytes = 1024;

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlPtr = std::unique_ptr<CURL, FreeCurl>;

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& body = *static_cast<std::string*>(user);
  if (body.size() + size > Webhook::kMaxAnswerBytes) return 0;  // curl fails the transfer
  body.append(data, size);
  return size;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(user)->load() ? 1 : 0;
}

/// What is asked, as one text in which no two questions look alike: each part is preceded by its length.
Secret whole_of(const WebhookQuestion& question) {
  std::string text;
  for (const std::string_view part :
       {std::string_view(question.username), question.password.reveal(), std::string_view(question.client_id),
        std::string_view(question.address), std::string_view(question.protocol)}) {
    text.append(std::to_string(part.size())).append(":").append(part);
  }
  return Secret(std::move(text));
}

Secret to_body(const WebhookQuestion& question) {
  return Secret(Json{{"username", question.username},
                     {"password", question.password.reveal()},
                     {"client_id", question.client_id},
                     {"address", question.address},
                     {"protocol", question.protocol}}
                    .dump());
}

/// Appends the filters of one member. False: it is not a list of topic filters.
bool read_filters(const Json& answer, const char* name, db::AclRow rule, std::vector<db::AclRow>& rules) {
  const auto found = answer.find(name);
  if (found == answer.end()) return true;
  if (!found->is_array() || rules.size() + found->size() > Webhook::kMaxRules) return false;
  for (const Json& filter : *found) {
    if (!filter.is_string()) return false;
    rule.filter = filter.get<std::string>();
    if (rule.filter.size() > kMaxFilterBytes || broker::parse_shared(rule.filter) ||
        !broker::is_valid_topic_filter(rule.filter, broker::kMaxTopicBytes))
      return false;
    rules.push_back(rule);
  }
  return true;
}

}  // namespace

std::optional<WebhookAnswer> read_webhook_answer(long status, const std::string& body, std::string& why) {
  const auto wrong = [&](std::string what) {
    why = std::move(what);
    return std::nullopt;
  };
  if (status != 200) return wrong("it answered HTTP " + std::to_string(status));
  const Json answer = Json::parse(body, nullptr, false);
  if (!answer.is_object()) return wrong("its answer is not a JSON object");
  const auto result = answer.find("result");
  const auto kind = answer.find("kind");
  WebhookAnswer read;
  if (result != answer.end() && *result == "deny") return read;
  const bool is_superuser = result != answer.end() && *result == "superuser";
  if (!is_superuser && (result == answer.end() || *result != "allow"))
    return wrong("its \"result\" is not \"allow\", \"deny\" or \"superuser\"");
  if (kind != answer.end() && *kind != "user" && *kind != "device")
    return wrong("its \"kind\" is not \"user\" or \"device\"");
  read.verdict = {.is_allowed = true, .is_device = kind != answer.end() && *kind == "device"};
  if (is_superuser) read.rules.push_back({true, true, "#"});
  if (!read_filters(answer, "publish", {true, false, {}}, read.rules) ||
      !read_filters(answer, "subscribe", {false, true, {}}, read.rules))
    return wrong("its \"publish\" and \"subscribe\" are not at most " + std::to_string(Webhook::kMaxRules) +
                 " topic filters");
  return read;
}

struct Webhook::Impl {
  struct Kept {
    WebhookVerdict verdict;
    steady_clock::time_point until;
    std::list<KeyedDigest::Value>::iterator use;
  };

  explicit Impl(const config::AuthOptions& of) : options(of) {
    start_curl_once();
    if (!options.webhook_secret.empty())
      headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + options.webhook_secret).c_str()));
    for (const char* header : {"Content-Type: application/json", "Accept: application/json"}) {
      if (curl_slist* longer = curl_slist_append(headers.get(), header)) {
        static_cast<void>(headers.release());  // the longer list's now
        headers.reset(longer);
      }
    }
  }

  /// Connections to the back end stay open: a handle is used again, by one thread at a time.
  CurlPtr take_curl() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return CurlPtr(curl_easy_init());
    CurlPtr curl = std::move(idle.back());
    idle.pop_back();
    return curl;
  }
  void give_back(CurlPtr curl) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(curl));
  }

  void set_up(CURL* curl, const Secret& body) {
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, options.webhook_url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.reveal().data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.reveal().size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.webhook_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &is_stopping);
    // Redirects are not followed: nobody else is to get the password. Nor does the environment choose a
    // proxy.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (!options.webhook_ca_file.empty())
      curl_easy_setopt(curl, CURLOPT_CAINFO, options.webhook_ca_file.c_str());
  }

  std::optional<WebhookAnswer> exchange(CURL* curl, const WebhookQuestion& question, std::string& why) {
    const Secret body = to_body(question);
    std::string answer;
    char error[CURL_ERROR_SIZE] = {};
    set_up(curl, body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
      why = *error != 0 ? error : curl_easy_strerror(code);
      return std::nullopt;
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return read_webhook_answer(status, answer, why);
  }

  /// One line when it begins to fail and one when it answers again, not one for each log-in.
  void note(const std::optional<WebhookAnswer>& answer, steady_clock::duration took, const std::string& why) {
    using Outcome = WebhookCounters::Outcome;
    const Outcome given = answer && answer->verdict.is_allowed ? Outcome::Allowed : Outcome::Denied;
    const auto took_us = std::chrono::duration_cast<std::chrono::microseconds>(took);
    if (!counters.note(answer ? given : Outcome::Failed, took_us, why)) return;
    if (answer) return log(LogLevel::Info, "auth.webhook_back", "the back end answers again");
    log(LogLevel::Error, "auth.webhook_away",
        "the back end cannot be asked, so log-ins that need it are refused: " + why);
  }

  const config::AuthOptions options;
  const KeyedDigest digest;
  std::unique_ptr<curl_slist, FreeHeaders> headers;
  std::atomic<bool> is_stopping{false};
  WebhookCounters counters;
  std::atomic<std::size_t> waiting{0};
  std::mutex mutex;  // of what follows
  std::vector<CurlPtr> idle;
  std::list<KeyedDigest::Value> by_use;  // the last used first
  std::unordered_map<KeyedDigest::Value, Kept, KeyedDigest::Hash> verdicts;
  boost::asio::thread_pool threads{kThreads};  // the last: its work uses the rest
};

Webhook::Webhook(const config::AuthOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Webhook::~Webhook() { stop(); }

std::optional<WebhookVerdict> Webhook::known(const WebhookQuestion& question) {
  const auto digest = impl_->digest.of(whole_of(question));
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->verdicts.find(digest);
  if (found == impl_->verdicts.end()) return std::nullopt;
  if (steady_clock::now() < found->second.until) {
    impl_->by_use.splice(impl_->by_use.begin(), impl_->by_use, found->second.use);
    return found->second.verdict;
  }
  impl_->by_use.erase(found->second.use);
  impl_->verdicts.erase(found);
  return std::nullopt;
}

std::optional<WebhookAnswer> Webhook::ask(const WebhookQuestion& question) {
  // MQTT's passwords may be any bytes; JSON's texts, and so the back end's passwords, are UTF-8.
  if (!broker::is_valid_utf8(question.password.reveal())) return WebhookAnswer{};
  if (impl_->is_stopping) return std::nullopt;
  CurlPtr curl = impl_->take_curl();
  std::string why = "curl cannot start";
  const auto asked_at = steady_clock::now();
  std::optional<WebhookAnswer> answer;
  if (curl) {
    answer = impl_->exchange(curl.get(), question, why);
    impl_->give_back(std::move(curl));
  }
  if (!impl_->is_stopping) impl_->note(answer, steady_clock::now() - asked_at, why);
  return answer;
}

void Webhook::remember(const WebhookQuestion& question, WebhookVerdict verdict) {
  if (impl_->options.webhook_cache.count() == 0) return;
  const auto digest = impl_->digest.of(whole_of(question));
  const auto until = steady_clock::now() + impl_->options.webhook_cache;
  const std::lock_guard lock(impl_->mutex);
  if (const auto found = impl_->verdicts.find(digest); found != impl_->verdicts.end()) {
    found->second.verdict = verdict;
    found->second.until = until;
    return;
  }
  impl_->by_use.push_front(digest);
  impl_->verdicts.emplace(digest, Impl::Kept{verdict, until, impl_->by_use.begin()});
  if (impl_->verdicts.size() <= kMaxVerdicts) return;
  impl_->verdicts.erase(impl_->by_use.back());
  impl_->by_use.pop_back();
}

bool Webhook::post(std::function<void()> work) {
  if (impl_->is_stopping) return false;
  if (impl_->waiting.fetch_add(1) >= kMaxWaiting + kThreads) {
    --impl_->waiting;
    impl_->counters.note_turned_away();
    return false;
  }
  boost::asio::post(impl_->threads, [impl = impl_.get(), work = std::move(work)] {
    name_this_thread("webhook");
    work();
    --impl->waiting;
  });
  return true;
}

WebhookStatus Webhook::status() const { return impl_->counters.status(impl_->waiting); }

void Webhook::stop() {
  impl_->is_stopping = true;
  impl_->threads.join();
}

}  // namespace wake::gateway
