// The fake phones: what each of them showed, in which order, and what waits for it while it is off. Exact
// counts are kept for ever; the notifications themselves up to a limit over all phones, after which only the
// counts grow.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tests/sim/exchange.hpp"

namespace wake::sim {

/// How a provider keeps pushes for a phone that is off.
enum class Storing {
  NewestPerApp,  // APNs: one per app
  Fcm,           // 100 per app, the 101st drops all and signals "deleted"; one per collapse key, four keys
};

enum class Outcome { Shown, Replaced, Woken, Stored, Discarded };
const char* to_string(Outcome);

class Ledger {
 public:
  Ledger(Storing storing, std::size_t limit) : storing_(storing), limit_(limit) {}

  /// Delivers a push to its phone, or stores it when the phone is off.
  Outcome deliver(Push, Time now);
  /// Going online hands over what waited and has not expired.
  void set_online(const std::string& token, bool online, Time now);

  nlohmann::json phone(const std::string& token) const;
  /// Every phone with its counts, without the notifications.
  nlohmann::json summary() const;
  /// Notifications on its screen: one that replaced another counts once.
  std::size_t on_screen(const std::string& token) const;
  void clear();

 private:
  struct Notice {
    Push push;
    Time first, last;
    std::size_t times = 1;
  };
  struct Phone {
    bool online = true;
    std::size_t shown = 0, replaced = 0, woken = 0, discarded = 0, deleted_signals = 0;
    std::vector<Notice> screen;  // in the order of first showing; a replacement stays in its place
    std::vector<Notice> wakes;   // silent pushes
    std::unordered_map<std::string, std::size_t> by_key;  // screen_key -> index in screen
    std::map<std::string, std::deque<Notice>> waiting;    // by app
  };

  Outcome display(Phone&, Push, Time now);
  Outcome store(Phone&, Push, Time now);
  static void make_room(Phone&, std::deque<Notice>& waiting, const Push&);
  static nlohmann::json counts(const Phone&);
  static nlohmann::json to_json(const Notice&);

  Storing storing_;
  std::size_t limit_, kept_ = 0;
  std::unordered_map<std::string, Phone> phones_;
};

}  // namespace wake::sim
