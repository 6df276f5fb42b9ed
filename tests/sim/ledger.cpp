#include "tests/sim/ledger.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "tests/sim/encoding.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kFcmStored = 100;      // per app and phone; one more and all are gone
constexpr std::size_t kFcmCollapseKeys = 4;  // per phone

bool expired(const Push& push, Time now) { return push.expires && *push.expires <= now; }

}  // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::Shown:
      return "shown";
    case Outcome::Replaced:
      return "replaced";
    case Outcome::Woken:
      return "woken";
    case Outcome::Stored:
      return "stored";
    case Outcome::Discarded:
      return "discarded";
  }
  return "?";
}

Outcome Ledger::deliver(Push push, Time now) {
  Phone& phone = phones_[push.token];
  return phone.online ? display(phone, std::move(push), now) : store(phone, std::move(push), now);
}

Outcome Ledger::display(Phone& phone, Push push, Time now) {
  if (push.silent) {
    ++phone.woken;
    if (kept_ < limit_) phone.wakes.push_back({std::move(push), now, now}), ++kept_;
    return Outcome::Woken;
  }
  ++phone.shown;
  const auto known = push.screen_key.empty() ? phone.by_key.end() : phone.by_key.find(push.screen_key);
  if (known != phone.by_key.end()) {
    Notice& notice = phone.screen[known->second];
    notice.push = std::move(push);
    notice.last = now;
    ++notice.times;
    ++phone.replaced;
    return Outcome::Replaced;
  }
  if (kept_ >= limit_) return Outcome::Shown;
  ++kept_;
  if (!push.screen_key.empty()) phone.by_key.emplace(push.screen_key, phone.screen.size());
  phone.screen.push_back({std::move(push), now, now});
  return Outcome::Shown;
}

Outcome Ledger::store(Phone& phone, Push push, Time now) {
  if (!push.storable || expired(push, now)) {
    ++phone.discarded;
    return Outcome::Discarded;
  }
  auto& waiting = phone.waiting[push.app];
  if (storing_ == Storing::NewestPerApp) {
    phone.discarded += waiting.size();
    waiting.clear();
  } else {
    make_room(phone, waiting, push);
  }
  waiting.push_back({std::move(push), now, now});
  return Outcome::Stored;
}

void Ledger::make_room(Phone& phone, std::deque<Notice>& waiting, const Push& push) {
  const auto drop = [&](auto&& matches) { phone.discarded += std::erase_if(waiting, matches); };
  if (push.store_key.empty()) {
    const auto plain = [](const Notice& n) { return n.push.store_key.empty(); };
    if (static_cast<std::size_t>(std::count_if(waiting.begin(), waiting.end(), plain)) < kFcmStored) return;
    drop(plain);
    ++phone.deleted_signals;
    return;
  }
  drop([&](const Notice& n) { return n.push.store_key == push.store_key; });
  std::set<std::string> keys;
  for (const auto& notice : waiting) {
    if (!notice.push.store_key.empty()) keys.insert(notice.push.store_key);
  }
  if (keys.size() < kFcmCollapseKeys) return;
  const auto oldest =
      std::find_if(waiting.begin(), waiting.end(), [](const Notice& n) { return !n.push.store_key.empty(); });
  waiting.erase(oldest);  // Google leaves open which one is lost
  ++phone.discarded;
}

void Ledger::set_online(const std::string& token, bool online, Time now) {
  Phone& phone = phones_[token];
  phone.online = online;
  if (!online) return;
  const auto waiting = std::move(phone.waiting);
  phone.waiting.clear();
  for (const auto& [app, notices] : waiting) {
    for (const auto& notice : notices) {
      if (expired(notice.push, now)) {
        ++phone.discarded;
      } else {
        display(phone, notice.push, now);
      }
    }
  }
}

std::size_t Ledger::on_screen(const std::string& token) const {
  const auto found = phones_.find(token);
  return found == phones_.end() ? 0 : found->second.shown - found->second.replaced;
}

void Ledger::clear() {
  phones_.clear();
  kept_ = 0;
}

Json Ledger::counts(const Phone& phone) {
  return {{"online", phone.online},       {"shown", phone.shown},
          {"replaced", phone.replaced},   {"woken", phone.woken},
          {"discarded", phone.discarded}, {"deleted_signals", phone.deleted_signals}};
}

Json Ledger::to_json(const Notice& notice) {
  const Push& push = notice.push;
  return {{"id", push.id},
          {"wake_id", push.wake_id},
          {"key", push.screen_key},
          {"app", push.app},
          {"title", push.title},
          {"body", push.body},
          {"times", notice.times},
          {"first_at", iso_time(notice.first)},
          {"last_at", iso_time(notice.last)}};
}

Json Ledger::phone(const std::string& token) const {
  const auto found = phones_.find(token);
  static const Phone kUnseen{};
  const Phone& phone = found == phones_.end() ? kUnseen : found->second;
  Json json = counts(phone);
  json["token"] = token;
  for (const char* list : {"notifications", "wakes", "waiting"}) json[list] = Json::array();
  for (const auto& notice : phone.screen) json["notifications"].push_back(to_json(notice));
  for (const auto& notice : phone.wakes) json["wakes"].push_back(to_json(notice));
  for (const auto& [app, notices] : phone.waiting) {
    for (const auto& notice : notices) json["waiting"].push_back(to_json(notice));
  }
  return json;
}

Json Ledger::summary() const {
  Json json = Json::object();
  for (const auto& [token, phone] : phones_) json[token] = counts(phone);
  return json;
}

}  // namespace wake::sim
