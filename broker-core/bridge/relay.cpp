#include "broker-core/bridge/relay.hpp"

#include <algorithm>

#include "broker-core/bridge/via.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {

constexpr std::string_view kIdProperty =
    "wake-id";  // of one gateway's inbox: means nothing on the other side
constexpr PacketId kSubscribeId{Flow::kFirstFreeId};
constexpr PacketId kUnsubscribeId{Flow::kFirstFreeId + 1};
// Retain handling, v5 §3.8.3.1.
constexpr std::uint8_t kSend = 0, kSendIfNew = 1, kDoNotSend = 2;

bool has_qos2(const std::vector<BridgeTopic>& topics, bool (BridgeTopic::*goes)() const) {
  return std::ranges::any_of(
      topics, [&](const BridgeTopic& topic) { return (topic.*goes)() && topic.qos == Qos::ExactlyOnce; });
}

/// Of a DISCONNECT: may the broker mean what it was sent? Else it goes away, or means the client.
bool is_about_a_message(ReasonCode reason) {
  switch (reason) {
    case ReasonCode::UnspecifiedError:
    case ReasonCode::MalformedPacket:
    case ReasonCode::ProtocolError:
    case ReasonCode::ImplementationSpecificError:
    case ReasonCode::NotAuthorized:
    case ReasonCode::TopicNameInvalid:
    case ReasonCode::PacketTooLarge:
    case ReasonCode::PayloadFormatInvalid:
    case ReasonCode::RetainNotSupported:
    case ReasonCode::QosNotSupported:
      return true;
    default:
      return false;
  }
}

const char* name_of(BridgeSide side) {
  return side == BridgeSide::Local ? "this broker" : "the remote broker";
}

}  // namespace

std::vector<std::byte> take_all(Outbound& output) {
  std::vector<std::byte> bytes;
  while (!output.is_empty()) {
    std::array<Bytes, 16> pieces;
    const std::size_t count = output.gather(pieces.data(), pieces.size());
    const std::size_t before = bytes.size();
    for (const Bytes piece : std::span(pieces).first(count))
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    output.consume(bytes.size() - before);
  }
  return bytes;
}

Relay::Relay(RelayOptions options)
    : options_(std::move(options)),
      links_{Link(options_.local, options_.seed), Link(options_.remote, ~options_.seed)},
      flows_{Flow(links_[0], links_[1], has_qos2(options_.topics, &BridgeTopic::goes_out)),
             Flow(links_[1], links_[0], has_qos2(options_.topics, &BridgeTopic::comes_in))} {}

// ---- connections

void Relay::opened(BridgeSide side, Now now) {
  if (link(side).phase() == Link::Phase::Opening) link(side).opened(now);
}

void Relay::closed(BridgeSide side, const std::string& why, Now now) {
  lost(side, why, link(side).is_up(), now);
}

void Relay::lost(BridgeSide side, const std::string& why, bool may_be_over_a_message, Now now) {
  if (link(side).phase() == Link::Phase::Ended || link(side).phase() == Link::Phase::Waiting) return;
  const bool was_up = link(side).is_up();
  link(side).lost(now);
  if (flow_from(other(side)).on_receiver_lost(may_be_over_a_message)) link(side).excuse_losses(now);
  report_refusals(other(side));
  const std::string text = std::string(name_of(side)) + ": " + why;
  if (side == BridgeSide::Remote) trouble_ = text;
  report(Incident::Level::Warn, was_up ? "bridge.lost" : "bridge.not_connected", text);
}

void Relay::give_up(BridgeSide side, ReasonCode reason, const std::string& why, Now now) {
  if (link(side).is_up()) {
    Disconnect disconnect;
    disconnect.reason = reason;
    link(side).send(disconnect);
  }
  effects_.emplace_back(CloseLink{side, take_all(link(side).output())});
  lost(side, why, false, now);
}

void Relay::on_deadline(Now now) {
  for (const BridgeSide side : {BridgeSide::Local, BridgeSide::Remote}) {
    switch (link(side).on_deadline(now)) {
      case Link::Due::Nothing:
        break;
      case Link::Due::Open:
        effects_.emplace_back(OpenLink{side});
        break;
      case Link::Due::GiveUp:
        give_up(side, ReasonCode::KeepAliveTimeout, "no answer in time", now);
        break;
    }
  }
}

void Relay::set_credentials(std::optional<std::string> username, std::optional<std::string> password) {
  link(BridgeSide::Remote).set_credentials(std::move(username), std::move(password));
}

void Relay::end(Now) {
  for (const BridgeSide side : {BridgeSide::Local, BridgeSide::Remote}) {
    if (link(side).is_up()) link(side).send(Disconnect{});
    effects_.emplace_back(CloseLink{side, take_all(link(side).output())});
    link(side).end();
  }
  trouble_ = "ended";
}

void Relay::begin() {
  for (Link& one : links_) one.begin();
  for (Flow& one : flows_) one.begin();
  trouble_ = "not connected yet";
}

void Relay::on_connack(BridgeSide side, const Connack& connack, Now now) {
  if (const auto why = link(side).on_connack(connack, now)) {
    return give_up(side, ReasonCode::NormalDisconnection, *why, now);
  }
  greet(side);
  flow_from(side).on_sender_up();
  flow_from(other(side)).on_receiver_up(now);
  report_refusals(other(side));
}

/// What is said first on a connection that is up.
void Relay::greet(BridgeSide side) {
  if (side == BridgeSide::Remote) {
    ++connects_;
    unsubscribe_former();
    subscribe(side, kSend, kSendIfNew);
    trouble_.clear();
    report(Incident::Level::Info, "bridge.connected",
           "as " + options_.remote.client_id + (link(side).has_session() ? ", the session was kept" : ""));
    if (!link(side).has_no_local()) {
      report(Incident::Level::Warn, "bridge.echoes",
             "the remote broker sends back what it got from here: topics that go both ways arrive twice");
    }
  }
  if (side == BridgeSide::Local) subscribe(side, kDoNotSend, kSendIfNew);
  if (link(BridgeSide::Local).is_up() && link(BridgeSide::Remote).is_up()) offer_retained();
}

/// The session over there outlives the lines that made its subscriptions.
void Relay::unsubscribe_former() {
  if (!link(BridgeSide::Remote).has_session()) return;
  Unsubscribe unsubscribe;
  unsubscribe.packet_id = kUnsubscribeId;
  for (const std::string& filter : options_.former_filters) {
    unsubscribe.filters.emplace_back(filter);
    if (unsubscribe.filters.size() < kMaxFiltersPerPacket) continue;
    ask(BridgeSide::Remote, unsubscribe);
    unsubscribe.filters.clear();
  }
  if (!unsubscribe.filters.empty()) ask(BridgeSide::Remote, unsubscribe);
}

template <class P>
void Relay::ask(BridgeSide side, const P& request) {
  link(side).send(request);
  link(side).asked();
}

/// What is retained under QoS 0 topics may have changed while nobody listened. The rest waited in the
/// session, unless the remote broker has lost everything since it was last connected.
void Relay::offer_retained() {
  const bool is_first = connects_ == 1 && !link(BridgeSide::Local).has_session();
  const bool has_lost = !link(BridgeSide::Remote).has_session() && !is_first;
  subscribe(BridgeSide::Local, kSend, has_lost ? kSend : kSendIfNew);
}

void Relay::subscribe(BridgeSide side, std::uint8_t retained_of_qos0, std::uint8_t retained_of_others) {
  Subscribe subscribe;
  subscribe.packet_id = kSubscribeId;
  std::vector<std::string> filters;
  for (const BridgeTopic& topic : options_.topics) {
    if (!(side == BridgeSide::Local ? topic.goes_out() : topic.comes_in())) continue;
    filters.push_back(side == BridgeSide::Local ? topic.local_filter() : topic.remote_filter());
    SubscribeRequest request;
    request.qos = topic.qos;
    request.no_local = true;
    request.retain_as_published = true;
    request.retain_handling = topic.qos == Qos::AtMostOnce ? retained_of_qos0 : retained_of_others;
    subscribe.requests.push_back(request);
  }
  if (filters.empty()) return;
  for (std::size_t i = 0; i < filters.size(); ++i) subscribe.requests[i].filter = filters[i];
  ask(side, subscribe);
  asked_[at(side)] = std::move(filters);
}

void Relay::answered(BridgeSide side, Now now) {
  link(side).answered();
  flow_from(other(side)).on_receiver_answered(now);
}

void Relay::on_suback(BridgeSide side, const Suback& suback, Now now) {
  answered(side, now);
  const auto& filters = asked_[at(side)];
  for (std::size_t i = 0; i < std::min(filters.size(), suback.reasons.size()); ++i) {
    if (!is_failure(suback.reasons[i])) continue;
    report(Incident::Level::Warn, "bridge.not_subscribed",
           std::string(name_of(side)) + " refuses " + filters[i] + ": " +
               std::string(to_string(suback.reasons[i])));
  }
}

// ---- packets

std::size_t Relay::on_bytes(BridgeSide side, Bytes in, Now now) {
  Link& from = link(side);
  Bytes rest = in;
  if (!rest.empty()) from.heard(now);
  while (from.is_open() && !rest.empty() && is_wanted(side)) {
    const FrameResult result = take_frame(rest, from.options().max_packet_bytes);
    if (std::holds_alternative<NeedMore>(result)) break;
    if (const auto* error = std::get_if<ParseError>(&result)) {
      give_up(side, error->reason, std::string(to_string(error->reason)), now);
    } else {
      on_frame(side, std::get<Frame>(result), now);
    }
  }
  return from.is_open() ? in.size() - rest.size() : in.size();
}

void Relay::on_frame(BridgeSide side, const Frame& frame, Now now) {
  const auto parsed = parse_frame(frame, link(side).version());
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    return give_up(side, error->reason,
                   std::string(to_string(frame.type())) + ": " + std::string(to_string(error->reason)), now);
  }
  const bool is_in_order = (frame.type() == PacketType::Connack) != link(side).is_up();
  if (is_in_order) return on_packet(side, std::get<Packet>(parsed), now);
  give_up(side, ReasonCode::ProtocolError, "unexpected " + std::string(to_string(frame.type())), now);
}

void Relay::on_packet(BridgeSide side, const Packet& packet, Now now) {
  if (const auto* publish = std::get_if<Publish>(&packet)) return on_publish(side, *publish, now);
  if (const auto* ack = std::get_if<Ack>(&packet)) return on_ack(side, *ack, now);
  if (const auto* connack = std::get_if<Connack>(&packet)) return on_connack(side, *connack, now);
  if (const auto* suback = std::get_if<Suback>(&packet)) return on_suback(side, *suback, now);
  if (std::holds_alternative<Unsuback>(packet)) return answered(side, now);
  if (std::holds_alternative<Pingresp>(packet)) return flow_from(other(side)).on_receiver_alive(now);
  if (const auto* disconnect = std::get_if<Disconnect>(&packet)) {
    effects_.emplace_back(CloseLink{side, {}});
    return lost(side, "DISCONNECT: " + std::string(to_string(disconnect->reason)),
                is_about_a_message(disconnect->reason), now);
  }
  give_up(side, ReasonCode::ProtocolError, "a packet that only clients send", now);
}

void Relay::on_ack(BridgeSide side, const Ack& ack, Now now) {
  if (ack.type == PacketType::Pubrel) return flow_from(side).on_pubrel(ack.packet_id);
  Flow& flow = flow_from(other(side));
  const auto why = flow.on_ack(ack, now);
  report_refusals(other(side));
  if (why) give_up(side, ReasonCode::NormalDisconnection, "cannot take it now: " + *why, now);
}

void Relay::on_publish(BridgeSide side, const Publish& publish, Now now) {
  if (publish.properties.topic_alias) {
    return give_up(side, ReasonCode::TopicAliasInvalid, "a topic alias, and none was offered", now);
  }
  Flow& flow = flow_from(side);
  if (side == BridgeSide::Remote && has_passed(publish.properties, options_.mark)) {
    ++looped_;
    return flow.pass_over(publish.packet_id, publish.qos);
  }
  const auto topic = side == BridgeSide::Local ? to_remote(options_.topics, publish.topic)
                                               : to_local(options_.topics, publish.topic);
  if (!topic) {
    if (side == BridgeSide::Remote) ++unwanted_;
    return flow.pass_over(publish.packet_id, publish.qos);
  }
  const std::size_t levels = side == BridgeSide::Local ? kMaxTopicBytes : options_.max_topic_levels;
  if (!is_valid_topic_name(*topic, levels)) {
    flow.turn_away(*topic, "no topic name, or more than " + std::to_string(levels) + " levels",
                   publish.packet_id, publish.qos);
    return report_refusals(side);
  }
  CarriedMessage message;
  message.topic = *topic;
  message.payload = as_text(publish.payload);
  message.qos = publish.qos;
  message.retain = publish.retain;
  if (link(other(side)).version() == Version::V5) message.properties = properties_of(publish);
  if (publish.properties.message_expiry_s) {
    message.expires_at = now.steady + std::chrono::seconds(*publish.properties.message_expiry_s);
  }
  flow.carry(std::move(message), publish.packet_id, publish.dup, now);
  report_refusals(side);
}

std::string Relay::properties_of(const Publish& publish) const {
  PublishProperties properties = publish.properties;
  std::erase_if(properties.user_properties,
                [](const UserProperty& property) { return property.first == kIdProperty; });
  const bool has_room = properties.user_properties.size() < kMaxUserProperties;
  if (has_room && !has_passed(publish.properties, options_.mark))
    properties.user_properties.emplace_back(kViaProperty, options_.mark);
  return forwardable_properties(properties);
}

// ---- for the shell

bool Relay::is_wanted(BridgeSide side) const {
  if (side == BridgeSide::Local) return true;
  return !flow_from(side).is_full() && link(BridgeSide::Local).output().size() <= Flow::kHighWater;
}

SteadyTime Relay::next_deadline() const { return std::min(links_[0].deadline(), links_[1].deadline()); }

Relay::Status Relay::status() const {
  return {
      link(BridgeSide::Remote).is_up(),         trouble_,  connects_, flow_from(BridgeSide::Local).counters(),
      flow_from(BridgeSide::Remote).counters(), unwanted_, looped_};
}

void Relay::report_refusals(BridgeSide sender) {
  for (const std::string& refusal : flow_from(sender).take_refusals()) {
    report(Incident::Level::Warn, "bridge.refused",
           std::string(name_of(other(sender))) + " refuses " + refusal);
  }
}

void Relay::report(Incident::Level level, const char* event, const std::string& text) {
  effects_.emplace_back(Incident{level, event, options_.name + ": " + text});
}

}  // namespace wake::broker
