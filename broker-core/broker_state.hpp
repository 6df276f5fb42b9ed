// The inside of Broker: the tables of one shard and the steps that work on them, grouped as the broker_*.cpp
// files are. A step may call steps of its own group and of the groups below it, except where noted.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker-core/broker.hpp"
#include "broker-core/delivery/settlement.hpp"
#include "broker-core/packet/packet.hpp"
#include "broker-core/routing.hpp"
#include "broker-core/session/entry_switches.hpp"
#include "broker-core/session/ledger.hpp"
#include "broker-core/session/message_ids.hpp"
#include "broker-core/session/session.hpp"
#include "broker-core/session/timer_queue.hpp"
#include "broker-core/topic/retained_tree.hpp"
#include "broker-core/topic/subscription_tree.hpp"

namespace wake::broker {

/// A delivery offered to an online durable session: stored unless acknowledged by `due`.
struct Offered {
  SteadyTime due{};
  std::uint64_t session_key = 0;
  std::uint64_t number = 0;
};

struct WillName {
  ClientId client_id;
  MessageId will;
};

struct Broker::State {
  State(const Limits& limits, const DeliveryOptions& delivery, ShardIdentity identity);

  /// Bytes in the Outbound above which the rest waits in the queue.
  static constexpr std::size_t kHighWater = 1024 * 1024;

  const Limits limits;
  const DeliveryOptions delivery;
  const ShardIdentity identity;

  std::vector<std::unique_ptr<Connection>> connections;  // by slot
  std::vector<std::uint32_t> free_connections;
  std::vector<std::unique_ptr<Session>> sessions;  // by slot; null: free
  std::vector<std::uint32_t> free_sessions;
  std::uint32_t next_generation = 1;
  std::unordered_map<std::string_view, std::uint32_t> session_of_client;  // keys live in Session::client_id
  std::unordered_map<std::string, std::vector<std::uint32_t>> sessions_of_user;  // by principal id
  std::unordered_map<PhoneId, std::uint32_t> session_of_phone;
  EntrySwitches entry_switches;

  SubscriptionTree tree;
  RetainedTree<RecordPtr> retained;
  bool is_retained_full = false;                                         // and said so
  std::unordered_map<std::string, std::uint32_t> sessions_of_principal;  // durable, of all shards
  ShareGroups shares;
  TimerQueue timers;
  Ring<Offered> offered;
  Ledger ledger;
  MessageIds message_ids;
  std::unordered_map<std::string, std::vector<std::unique_ptr<KeptWill>>>
      due_wills;                       // of before a restart, by client id: due, and not yet judged
  Ring<WillName> unasked_wills;        // of those, which JudgeWill has not named
  std::uint32_t asked_will_count = 0;  // JudgeWill out
  std::unordered_multimap<MessageId, std::uint64_t> leavers;  // sessions that wait for a settlement of others
  Settlements<Waiter> settlements;                            // publishes whose acknowledgement waits
  std::unordered_map<MessageId, Provisional> provisional;
  std::vector<std::uint32_t> interested;           // shards that get the message being routed:
  std::size_t interest_count = 0;                  // so many of them matched, the rest has a member's turn
  std::vector<Target> targets;                     // sessions that matched
  std::vector<std::uint32_t> matched_groups;       // groups that matched
  std::vector<ShareGroups::Turn> turns_elsewhere;  // their members on other shards
  std::uint64_t epoch = 0;
  unsigned retained_slices = 0;  // of this round
  std::uint64_t next_ticket = 1;
  bool is_shutting_down = false;
  QuietTest is_quiet;
  Now moment;  // of the event being handled

  Effects effects;
  std::vector<ConnectionId> touched;
  std::vector<std::vector<Mail>> mail;  // by shard
  Counters counters;

  // ---- broker.cpp: the tables
  State& at(Now now) {
    moment = now;
    return *this;
  }
  Connection* find(ConnectionId id);
  Connection* connection_of(const Session& session) { return find(session.connection); }
  Session* find_session(std::string_view client_id);
  Session* session_of(std::uint64_t key);
  Session& make_session(const ClientId& client_id, const Principal& principal, std::uint32_t expiry_s);
  void touch(Connection& connection);
  /// Of what the client is sent, all but PUBLISH goes through one of the next three. None sends what is
  /// larger than the client takes (v5 [MQTT-3.1.2-24]); who cannot be answered for that is closed, once the
  /// step under way is over.
  template <class P>
  void send(Connection& connection, const P& packet);
  /// The packet with `why` as its reason string; without, where that would make it too large for the client
  /// (v5 [MQTT-3.2.2-19], [MQTT-3.4.2-2], [MQTT-3.14.2-3]).
  template <class P>
  void send_reason(Connection& connection, P packet, std::string_view why);
  /// As send(), once the open batch is on disk.
  template <class P>
  void send_when_stored(Connection& connection, const P& packet);
  template <class P>
  static bool takes(const Connection& connection, const P& packet);
  void report(Incident::Level level, const char* event, std::string text);

  // ---- broker_connect.cpp: from bytes to a client
  std::size_t on_bytes(ConnectionId id, Bytes in, Now now);
  void on_frame(Connection& connection, const Frame& frame, Now now);
  /// False: handed over to another shard; the connection is forgotten here.
  bool on_connect(Connection& connection, const Frame& frame, Now now);
  void refuse_malformed(Connection& connection, const Frame& frame, ReasonCode reason, Now now);
  void note_wishes(Connection& connection, const Connect& connect) const;
  void on_authenticated(Connection& connection, AuthOutcome outcome, Now now);
  void accept_connect(Connection& connection, AuthOutcome& outcome, Now now);
  Properties welcome(const Connection& connection, const AuthOutcome& outcome, std::uint32_t expiry_s) const;

  // ---- broker_auth.cpp: enhanced authentication
  void on_frame_before_connack(Connection& connection, const Frame& frame, Now now);
  void on_auth(Connection& connection, const Frame& frame, Now now);
  void ask(Connection& connection, std::optional<Bytes> data);
  void continue_exchange(Connection& connection, AuthOutcome outcome);
  void send_auth(Connection& connection, ReasonCode reason, const std::string& data);
  void on_reauthenticated(Connection& connection, AuthOutcome outcome, Now now);

  // ---- broker_close.cpp: and its end
  void refuse_connect(Connection& connection, ReasonCode reason, const std::string& why);
  void on_disconnect(Connection& connection, const Disconnect& disconnect, Now now);
  /// The peer broke the protocol or must go: v5 hears the reason.
  void fail(Connection& connection, ReasonCode reason, std::string why, Now now);
  void close(Connection& connection, std::string why, bool fires_will, Now now);
  void close_soon(Connection& connection);
  void arm_connection(Connection& connection, SteadyTime due);
  void arm_end(Connection& connection, SteadyTime last_life);
  void on_connection_timer(ConnectionId id, Now now);
  void resume_input(Connection& connection);

  // ---- broker_access.cpp: what changed for a principal that is here
  void revoke_subscriptions(Session& session);
  /// As revoke_subscriptions(), of those only that name one of these devices.
  void revoke_devices(Session& session, const std::vector<std::string>& device_ids);
  /// What waits in memory under a permission that is over does not leave any more; what storage holds is
  /// judged as it is read.
  void revoke_messages(Session& session);
  static bool may_still_receive(const Session& session, std::string_view topic);
  void tell_revoked(const Session& session, std::size_t count);
  void end_login(Session& session, bool is_gone, Now now);

  // ---- broker_session.cpp: sessions beyond their connection
  void attach(Session& session, Connection& connection, Now now);
  void detach(Session& session, bool fires_will, Now now);
  void purge(Session& session, Now now);
  void remove(Session& session, Now now);
  void store_row(Session& session);
  /// Its row comes or goes: counted for its principal on every shard.
  void set_row(Session& session, bool has_row);
  void count_session(const std::string& principal, bool add);
  bool has_session_left(const Principal& principal) const;
  std::uint32_t granted_expiry(std::uint32_t asked_s) const;
  void on_session_end(Session& session, Now now);

  // ---- broker_will.cpp: wills, durable from CONNACK on
  /// The will's row is on its way, and the connection's output waits for it.
  void hold_for_will(Connection& connection, const Session& session);
  /// It is on disk: the CONNACK leaves, and what came behind it.
  void release_held(Connection& connection, bool is_failed, Now now);
  void refuse_held(Connection& connection, ReasonCode reason, const std::string& why);
  /// The connection ends: its will goes over to the session, or is forgotten.
  void end_will(Connection& connection, Session& session, bool fires_will);
  void drop_will(std::unique_ptr<KeptWill> will);
  /// The session waits for its client, and its will with it.
  void delay_will(Session& session, Now now);
  void fire_will(Session& session, Now now);
  void publish_will(const KeptWill& will, const Grants& grants, Now now);
  void keep_row_of_will(Routed& routed);
  void load_will(std::unique_ptr<KeptWill> will, Now now);
  void judge_later(std::unique_ptr<KeptWill> will);
  void ask_for_wills();
  /// The client is here again, and we know what it may do.
  void settle_restored_wills(const ClientId& client_id, const AuthOutcome& outcome, Now now);
  std::unique_ptr<KeptWill> take_due_will(const std::string& client_id, MessageId will);

  // ---- broker_subscribe.cpp
  void on_subscribe(Connection& connection, const Subscribe& subscribe, Now now);
  ReasonCode subscribe_one(Session& session, const SubscribeRequest& request, std::uint32_t subscription_id);
  void on_unsubscribe(Connection& connection, const Unsubscribe& unsubscribe, Now now);
  bool unsubscribe_one(Session& session, std::string_view filter);
  /// A phone's own SUBSCRIBE or UNSUBSCRIBE of a filter that has an entry says whether its user wants it
  /// (contract §7): on all phones of the user, and for good. False: no such entry, or it was so already.
  bool switch_entry(Session& session, std::string_view filter, bool is_subscribed, Now now);
  /// v5 [MQTT-3.3.4-4]: those of all subscriptions that match. A delivery and its row keep one; the others
  /// are found again among what is subscribed now.
  static std::vector<std::uint32_t> subscription_ids_of(const Session& session, const Delivery& delivery);
  void index(std::string_view filter, Subscriber subscriber, SubscriptionOptions options);
  void unindex(std::string_view filter, Subscriber subscriber);
  void announce(std::string_view filter, bool add);
  void on_interest(unsigned from, const InterestMail& mail);

  // ---- broker_retained.cpp
  /// False: [limits] do not allow it.
  bool retain(Routed& routed);
  bool may_retain(const Routed& routed);
  void on_retain_mail(const RetainedChange& change);
  void start_retained(Session& session, const SubscriptionRecord& subscription, Now now);
  void on_retained_timer(Session& session, Now now);
  void send_retained_slice(Session& session, Now now);
  // ---- broker_share.cpp: shared subscriptions
  /// Plain or shared: into the index, or into its group.
  void add_subscription(Session& session, const SubscriptionRecord& record);
  void drop_subscription(Session& session, std::string_view filter);
  void join(Session& session, const std::string& name);
  void leave(Session& session, std::string_view name);
  void on_share_mail(unsigned from, const ShareMail& change);
  void tell_others(const Mail& news);
  Readiness readiness_of(const Session& session);
  /// To be called whenever the session's queue or connection changed. Costs nothing outside of groups.
  void tell_readiness(Session& session);
  void take_turns();
  void take_turn(ShareGroups::Turn turn);
  void take_mailed_turns(const RouteMail& route_mail);
  void add_match(std::uint32_t slot, const SubscriptionRecord& subscription);
  /// Mail to the shards that are interested or have a member whose turn it is. False: there are none.
  bool send_on(Routed& routed, std::uint8_t hops);
  /// What the end of a session leaves to other members.
  /// The shared ones among its subscriptions.
  static std::vector<ShareName> groups_of(const Session& session);
  /// For which of them a message read from storage was; a row does not say. Null: for none.
  static ShareName group_for(const std::vector<ShareName>& groups, std::string_view topic);
  static std::vector<Delivery> take_all_shared(Session& session);
  /// What UNSUBSCRIBE leaves to them; of what it was sent, a session completes the delivery (v5
  /// [MQTT-3.10.4-3]).
  std::vector<Delivery> take_unsent(Session& session, std::string_view name);
  void forget_owed(Session& session, const MessageRecord& record);
  void remove_row(Session& session, MessageId id);
  void tell_when_final(MessageId id, unsigned shard);
  RecordPtr final_record(const RecordPtr& record) const;
  /// The leaver is no member any more.
  void hand_over(std::vector<Delivery> left, Now now);
  void give_turn(ShareGroups::Turn turn, Routed& routed, Now now);

  // ---- broker_leave.cpp: a leaver's stored messages
  static bool has_shared_backlog(const Session& session);
  void begin_leaving(Session& session);
  void load_leaving(Session& session);
  void on_leaving_page(Session& session, QueuePage page, Now now);
  /// Another member gets the message; the leaver's row stays until that has it. False: there is none.
  bool hand_durably(Session& session, const RecordPtr& record, std::string_view name, Now now);
  void on_handed_over(std::uint64_t session_key, MessageId id);
  void hand_on_unsubscribe(Session& session, const std::string& name, Now now);
  /// A row read back that was for a group it has left, and for nothing else.
  bool hand_left_over(Session& session, const QueuedMessage& row, const RecordPtr& record, Now now);
  void end_leaving(Session& session, Now now);
  bool waits_for_leaver(Connection& connection, AuthOutcome& outcome, Now now);

  // ---- broker_sys.cpp
  void publish_sys(const std::vector<SysValue>& values, Now now);

  // ---- broker_publish.cpp: what comes in, and its acknowledgement
  void on_publish(Connection& connection, const Frame& frame, Now now);
  bool resolve_alias(Connection& connection, Publish& publish, Now now);
  ReasonCode on_own_topic(Connection& connection, const Publish& publish, Now now);
  bool takes_one_more(Connection& connection, const Session& session, Qos qos, Now now);
  void on_repeated_publish(Connection& connection, Session& session, PacketId packet_id);
  bool has_publish_budget(Connection& connection, Now now);
  std::uint64_t expect_ack(Connection& connection, PacketId packet_id, Qos qos);
  void acknowledge(Connection& connection, std::uint64_t number, ReasonCode reason, bool is_partial = false);
  void refuse_receipt(const Waiter& waiter, MessageId id);
  void publish_backend(MessageRecord record, std::uint64_t ticket, Now now);
  UtcTime expiry_of(std::optional<std::uint32_t> expiry_s, Now now) const;
  /// The whole way of a message that starts on this shard: retained, local receivers, other shards,
  /// settlement.
  void publish(Routed& routed, Now now);
  /// The routing is done: what it found counts, and the settlement waits for the others only.
  void finish_routing(Routed& routed, bool has_receivers);
  /// One more receiver, row or shard must answer before the message is settled.
  void owe(Message& message);
  /// As owe(), answered by the commit of the open batch.
  void owe_commit(Message& message);
  void one_answered(MessageId id, bool is_refused);
  void answer_waiter(const Waiter& waiter, MessageId id, bool has_receivers);
  void on_route_mail(unsigned from, RouteMail mail, Now now);
  void on_settled_mail(const SettledMail& mail);

  // ---- broker_packet_ids.cpp: the packet id of a message, through reconnects and restarts
  /// False: the PUBLISH must wait for its packet id to be on disk, or for its message to be final.
  bool may_leave(Session& session, std::uint32_t position);
  bool has_lasting_id(Session& session, std::uint32_t position);
  void number(Session& session, std::uint32_t position);
  static bool take_id(Session& session, std::uint32_t position, PacketId wanted);
  void write_down_id(Session& session, std::uint32_t position);
  void number_ahead(Session& session);
  void on_started(Session& session, std::uint64_t number, Now now);
  void restore(Session& session, const QueuedMessage& row, Delivery delivery);

  // ---- broker_qos2.cpp: exactly once, through reconnects and restarts
  void on_pubrec(Connection& connection, const Ack& ack, Now now);
  void send_pubrel(Connection& connection, PacketId packet_id, ReasonCode reason);
  void on_pubrel(Connection& connection, const Ack& ack);
  void on_released(Session& session, PacketId packet_id);
  void store_receipt(Session& session, PacketId packet_id, Received& receipt);
  void drop_receipt(Session& session, PacketId packet_id);
  /// The publisher's packet id becomes durable with its message.
  void keep_receipt(Routed& routed);
  /// The receipt of the publish whose message this is; null when its session or the receipt is gone.
  Received* receipt_of(const Waiter& waiter, MessageId id);
  /// Every part is durable: true when that makes it final only now.
  bool begin_final(MessageId id, const Waiter& waiter);
  void release(MessageId id);

  // ---- broker_route.cpp: who gets it
  /// Who matches on this shard: fills `targets` and `interested`.
  void gather(const Routed& routed);
  /// Delivers to `targets`. Returns whether there were any.
  bool deliver_all(Routed& routed, Now now);
  void route_mailed(Routed& routed, const RouteMail& route_mail, Now now);
  Target* target_of(std::uint32_t session);
  void deliver(Routed& routed, const Target& target, EncodedCache& cache, Now now);
  void deliver_to_phone(Routed& routed, const Target& target, Session& session, Now now);
  void offer_to_phone(Routed& routed, Session& session, const std::shared_ptr<const EntryRecord>& entry,
                      Delivery owed, Now now);
  /// A message of the gateway to this session, whoever subscribed.
  void send_direct(Session& session, std::string topic, std::string payload, Now now);
  void send_alert(const ClientId& client_id, MessageRecord message, AlertId alert, std::uint64_t ticket,
                  Now now);

  // ---- broker_send.cpp: to one client, now
  void send_now(Routed& routed, const Target& target, Session& session, EncodedCache& cache, Now now);
  void send_own(Connection& connection, PublishParts& parts);
  /// False: it is over before it could leave, expired or too large for this client.
  bool send_delivery(Connection& connection, Session& session, std::size_t position, Now now);
  /// False, and counted as dropped: the client takes no such packet, or has too much to read already.
  bool may_send(Connection& connection, std::size_t bytes);
  void count_sent(std::size_t payload_bytes);
  /// Puts the client's alias for the topic in: beside it the first time, instead of it afterwards. The packet
  /// must then be sent.
  static void use_alias(Connection& connection, PublishParts& parts);

  // ---- broker_queue.cpp: what a session is owed
  /// Takes the message into the session's queue (memory, storage or both). False: the queue is full.
  bool enqueue(Session& session, const MessageRef& message, Delivery delivery, bool store_now, Now now);
  bool fits(const Session& session, std::size_t bytes) const;
  /// What the session is owed changes here only, and with it the sum of all sessions.
  void set_owed(Session& session, std::uint32_t messages, std::size_t bytes);
  /// By [limits] queue_full. False: the new message is refused.
  bool make_room(Session& session, std::size_t bytes, MessageId newest);
  void tell_full(Session& session);
  void trace_refusal(Session& session, const MessageRecord& record);
  void tell_room(Session& session);
  void store_delivery(Session& session, Delivery& delivery);
  /// What was offered goes to storage: the commit answers for it from now on.
  void store_offered(Session& session, std::size_t position);
  void pump(Session& session, Now now);
  void on_ack(Connection& connection, const Ack& ack, Now now);
  void finish(Session& session, Delivery& delivery, const char* why);
  void give_up(Session& session, Delivery& delivery);
  void drop_finished(Session& session);
  void resume(Session& session);
  void load_more(Session& session);
  void on_queue_page(Session& session, QueuePage page, Now now);
  void drop_fresh(const Session& session, QueuePage& page);
  void forget_unsent(Session& session);
  void recount(Session& session);
  void on_commit_window(Now now);
  void on_committed(Ledger::Waiting waiting, bool is_failed, Now now);

  // ---- broker_phone.cpp: topic entries, presence, notifications
  void apply_user(const UserRecordPtr& user, Now now);
  void apply_phone(const UserRecordPtr& user, const PhoneRecord& record, Now now);
  void index_entries(Session& session, const UserRecordPtr& user);
  void forget_phone(Session& session, Now now);
  void hold_notice(Session& session, const MessageRef& message,
                   const std::shared_ptr<const EntryRecord>& entry, const Decision& decision, Now now);
  void notice_committed(Session& session, MessageId message, Now now);
  void on_notice_timer(Session& session, MessageId message, Now now);
  void wake(Session& session, MessageId message, Now now);
  /// decide() again for a notification held here, and what follows from it.
  void reconsider(Session& session, MessageId message, Trigger trigger, Now now);
  void reconsider_all(Session& session, Trigger trigger, Now now);
  void cancel_notice(Session& session, MessageId message, const char* reason);
  void phone_went_offline(Session& session, Now now);
  void phone_returned(Session& session, Now now);
  void phone_shows_life(Session& session, Now now);
  void set_presence(Session& session, bool is_foreground, Now now);
  void on_claimed(std::vector<Notice> notices, Now now);
  Decision decide_for(Trigger trigger, Session& session, MessageId id, UtcTime expires_at,
                      const EntryRecord& entry, Now now);
};

}  // namespace wake::broker

#include "broker-core/broker_answer.hpp"
