// What becomes of every notification: the decisions of the dispatcher as a pure machine. Events in;
// resolutions, test outcomes and log lines out. No sockets, threads or clocks; randomness is handed in. The
// shell is dispatcher.cpp. Rules: fact sheet §1 and §5, contract §2.4, §2.7, §2.8, §8.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "push/log.hpp"
#include "push/notification_state.hpp"
#include "push/outbox.hpp"
#include "push/provider.hpp"
#include "push/storm_guard.hpp"

namespace wake::push {

/// One [[push.app]]. FCM has no environments: always Production.
struct ChannelKey {
  std::string app_id;
  broker::Platform platform = broker::Platform::Apns;
  broker::Environment environment = broker::Environment::Production;
  friend auto operator<=>(const ChannelKey&, const ChannelKey&) = default;
};
ChannelKey channel_key_of(const AppOptions& options);
std::string to_string(const ChannelKey& key);
using ChannelIndex = std::size_t;

struct DispatchLimits {
  std::size_t max_in_memory = 100'000;     // what does not fit is given back to the outbox
  std::size_t max_per_channel = 50'000;    // so that one app's trouble does not fill the memory of the others
  std::size_t max_while_down = 1'000;      // kept at hand for the probe and the resumption
  std::chrono::seconds give_back_for{30};  // not fitting: not before this
  std::chrono::minutes keep_waiting{2};    // a later retry is given back rather than kept
  std::uint32_t per_second = 0;  // of one channel; the rest waits its turn; 0: as the provider takes them
  std::chrono::seconds probe_every{60};   // of a channel that is down
  std::chrono::minutes silent_every{20};  // contract §8: one silent push per phone
  std::chrono::seconds test_timeout{20};
};

struct ChannelStatus {
  ChannelKey key;
  bool is_ready = true;  // false: down, `detail` says why and what to do
  std::string detail;    // also trouble that is being retried
  std::size_t queued = 0;
  std::size_t delayed = 0;
  std::size_t in_flight = 0;
  std::map<std::pair<Verdict, std::string>, std::uint64_t> answers;  // by verdict and the provider's reason
};

struct DispatchEffects {
  struct LogLine {
    LogLevel level;
    std::string event;
    std::string text;
  };
  std::vector<Resolution> resolutions;
  std::vector<std::pair<Ticket, Answer>> tests;
  std::vector<LogLine> log;
  bool is_empty() const { return resolutions.empty() && tests.empty() && log.empty(); }
};

/// What a test is told that a stop left no time for: Verdict::Retry.
constexpr const char* kStopping = "the gateway is stopping: try again";

class DispatchMachine {
 public:
  using Random = std::function<double()>;  // 0..1

  explicit DispatchMachine(DispatchLimits limits, Random random);
  ~DispatchMachine();

  /// Opens a channel, or opens it anew: healthy, holds forgotten (SIGHUP with good credentials). The index
  /// stays the same.
  ChannelIndex open_channel(const ChannelKey& key, broker::Now now);
  /// Precondition: opened once.
  ChannelIndex index_of(const ChannelKey& key) const { return channel_by_key_.at(key); }
  /// No longer configured: what waits on it fails, saying so.
  void close_channel(ChannelIndex channel, broker::Now now);

  /// At a start, before the first submit(): these come back from the outbox, in order of (due, message), and
  /// nothing newer of their phone and topic leaves before them.
  void expect(const std::vector<WaitingAlert>& alerts, broker::Now now);

  /// A key already in memory is ignored: never twice.
  void submit(Notification notification, broker::Now now);
  /// POST …/test: not in the outbox, not cancelled, goes even through a channel that is down; the first
  /// answer is the outcome, and so is that the provider could not be reached (status 0).
  Ticket submit_test(Notification notification, broker::Now now);
  /// Before it leaves: Cancelled. In flight: not repeated. Given back: nothing waits for it any more; its row
  /// is the caller's to cancel.
  void cancel(const NotificationKey& key, broker::Now now);

  /// The phone's token, account or entries changed: what waits is Released as it stands, due when it was. In
  /// flight: given back rather than repeated.
  void recall(broker::PhoneId phone, broker::Now now);

  /// What to send next on this channel, now in flight; nothing when nothing may leave. The pointer holds
  /// until its answer.
  struct Send {
    Ticket ticket = 0;
    const Notification* notification = nullptr;
    bool is_without_payload = false;
  };
  std::optional<Send> next(ChannelIndex channel, broker::Now now);
  /// Whether next() would be asked in vain, apart from expiry.
  bool has_work(ChannelIndex channel, broker::Now now) const;

  void on_answer(Ticket ticket, Answer answer, broker::Now now);
  void on_trouble(ChannelIndex channel, const std::string& why);
  void on_recovered(ChannelIndex channel, broker::Now now);
  void on_refused(ChannelIndex channel, const std::string& why, broker::Now now);
  void on_time(broker::Now now);
  /// The next time on_time() and next() should be asked again; always after now.steady once on_time() has
  /// been called.
  std::optional<broker::SteadyTime> next_deadline(broker::Now now) const;

  /// At stop: everything is released; what is in flight counts as tried.
  void give_back_all(broker::Now now);

  DispatchEffects take_effects() { return std::exchange(effects_, {}); }
  std::vector<ChannelStatus> status() const;
  std::size_t in_memory() const { return entries_.size(); }
  std::size_t in_flight() const;
  /// (phone, topic) of which something is in memory or went back to the outbox.
  std::size_t lanes() const { return lanes_.size(); }

 private:
  struct Entry;
  struct Channel;
  struct Rest {  // a phone that is being sent too much
    broker::SteadyTime until{};
    int step = 0;
  };
  struct Newest {  // of the notifications that replace each other on one phone
    Ticket ticket = 0;
    std::size_t in_memory = 0;
  };

  struct Lane {  // the alerts of one topic for one phone: one at a time, in order (contract §2.6)
    broker::PhoneId phone{};
    Ticket turn = 0;  // leaves next, waits for its time, or is in the air; 0: nobody
    std::set<std::pair<broker::MessageId, Ticket>> waiting;
    std::set<broker::MessageId> given_back;  // to the outbox, until they return or are cancelled: the newest
    broker::UtcTime due_again{};             // of the last of them
    bool is_empty() const { return turn == 0 && waiting.empty(); }
  };
  using LaneOf = std::pair<const std::string, Lane>;

  Ticket admit(Notification notification, ChannelIndex channel, broker::Now now, bool is_other);
  std::optional<ChannelIndex> find_channel(const ChannelKey& key) const;
  bool choose_channel(const Notification& notification, ChannelIndex& channel, bool& is_other) const;
  bool is_full(const Channel& channel, const Notification& notification, broker::Now now);
  void turn_away(const Notification& notification, broker::UtcTime due_at, std::string reason,
                 broker::Now now);
  bool may_not_leave_yet(Entry& entry, broker::Now now);
  void forget_old_phones(broker::Now now);
  void note_replacement(Entry& entry, broker::Now now);
  bool is_replaced(const Entry& entry) const;
  LaneOf* lane_of(const Notification& notification);
  LaneOf& lane_of(broker::PhoneId phone, const std::string& topic);
  bool take_turn(Entry& entry);
  void leave_lane(Entry& entry);
  bool follows_given_back(const Notification& notification, broker::Now now);
  broker::UtcTime note_given_back(LaneOf& of, broker::MessageId message, broker::UtcTime due_at);
  void forget_given_back(const NotificationKey& key);
  void forget_given_back(broker::PhoneId phone);
  void forget_given_back(Lane& lane, broker::MessageId up_to);
  void erase_if_idle(LaneOf& of);
  void forget_idle_lanes(broker::UtcTime now);

  void step(Entry& entry, NotificationEvent event);
  void make_ready(Entry& entry);
  void again(Entry& entry, broker::Now now);
  void delay(Entry& entry, broker::SteadyTime until, NotificationEvent event, broker::Now now);
  void forget(Entry& entry, NotificationEvent event);
  void resolve(Entry& entry, Resolution resolution, NotificationEvent event);
  void expire(Entry& entry, broker::Now now, NotificationEvent event);
  void answer_test(Entry& entry, Verdict verdict, std::string reason, NotificationEvent event);
  void answer_waiting_tests(Channel& channel, Verdict verdict, const std::string& reason);
  void release(Entry& entry, broker::UtcTime due_at, std::string reason, broker::Now now,
               NotificationEvent event);
  void release_one(Entry& entry, broker::UtcTime due_at, std::string reason, broker::Now now,
                   NotificationEvent event);
  void set_timer(Entry& entry, broker::SteadyTime at);
  void drop_timer(Entry& entry);
  void give_back(Entry& entry, const char* reason, broker::Now now);

  void count(Channel& channel, const Answer& answer);
  void on_test_answer(Entry& entry, Answer answer, broker::Now now);
  void on_accepted(Entry& entry, const Answer& answer, broker::Now now);
  void on_dropped(Entry& entry, const Answer& answer, broker::Now now);
  void on_dead_token(Entry& entry, const Answer& answer, broker::Now now);
  void on_retry(Entry& entry, const Answer& answer, broker::Now now);
  void on_not_seen(Entry& entry, const Answer& answer, broker::Now now);
  void on_refresh(Entry& entry, const Answer& answer, broker::Now now);
  void on_hold(Entry& entry, const Answer& answer, broker::Now now);
  void on_channel_down(Entry& entry, const Answer& answer, broker::Now now);
  bool try_other_environment(Entry& entry, broker::Now now);
  bool settle_if_withdrawn(Entry& entry, broker::Now now);
  void alarm(const Channel& channel, const Entry& entry, const Answer& answer);
  void alarm_target(const Channel& channel, const Answer& answer);
  void retry_at(Entry& entry, broker::UtcTime due, const std::string& reason, broker::Now now);
  void bring_down(Channel& channel, const std::string& reason, broker::Now now);
  void bring_up(Channel& channel);
  void log(LogLevel level, const char* event, std::string text);

  DispatchLimits limits_;
  Random random_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::map<ChannelKey, ChannelIndex> channel_by_key_;
  std::unordered_map<Ticket, std::unique_ptr<Entry>> entries_;
  std::map<NotificationKey, Ticket> ticket_by_key_;
  std::set<std::pair<broker::PhoneId, Ticket>> tickets_of_phone_;  // without tests
  std::set<std::pair<broker::SteadyTime, Ticket>> timers_;
  std::unordered_map<broker::PhoneId, Rest> resting_;
  std::unordered_map<broker::PhoneId, broker::SteadyTime> last_silent_;
  std::unordered_map<std::string, Newest> newest_;                               // by phone and collapse id
  std::unordered_map<std::string, Lane> lanes_;                                  // by phone and topic
  std::map<std::pair<broker::PhoneId, broker::MessageId>, LaneOf*> given_back_;  // Lane::given_back of all
  std::size_t forget_phones_at_ = 1024;
  Ticket last_ticket_ = 0;
  DispatchEffects effects_;
};

}  // namespace wake::push
