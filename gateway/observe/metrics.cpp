#include "gateway/observe/metrics.hpp"

#include <fstream>

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>

#include "gateway/auth/authenticator.hpp"
#include "gateway/gathering.hpp"
#include "gateway/node.hpp"

namespace wake::gateway {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::chrono::seconds kPatience{1};

/// One row per figure of a shard, summed over the shards.
struct ShardFigure {
  const char* name;
  const char* help;
  MetricType type;
  std::uint64_t (*read)(const ShardSnapshot&);
};

constexpr MetricType kGauge = MetricType::Gauge;
constexpr MetricType kCounter = MetricType::Counter;

constexpr ShardFigure kShardFigures[] = {
    {"wakemq_connections", "MQTT connections now", kGauge,
     [](const ShardSnapshot& s) { return s.broker.connections; }},
    {"wakemq_sockets", "MQTT sockets now, handshaking and closing ones too", kGauge,
     [](const ShardSnapshot& s) { return s.socket_count; }},
    {"wakemq_sessions", "sessions now, connected or not", kGauge,
     [](const ShardSnapshot& s) { return s.broker.sessions; }},
    {"wakemq_subscriptions", "subscriptions now", kGauge,
     [](const ShardSnapshot& s) { return s.broker.subscriptions; }},
    {"wakemq_unsettled_publishes", "publishes whose acknowledgement waits", kGauge,
     [](const ShardSnapshot& s) { return s.broker.unsettled; }},
    {"wakemq_connects_accepted_total", "CONNECTs accepted", kCounter,
     [](const ShardSnapshot& s) { return s.broker.connects_accepted; }},
    {"wakemq_connects_refused_total", "CONNECTs refused", kCounter,
     [](const ShardSnapshot& s) { return s.broker.connects_refused; }},
    {"wakemq_packets_malformed_total", "packets that broke the protocol", kCounter,
     [](const ShardSnapshot& s) { return s.broker.packets_malformed; }},
    {"wakemq_publishes_received_total", "PUBLISH packets received", kCounter,
     [](const ShardSnapshot& s) { return s.broker.publishes_received; }},
    {"wakemq_publishes_sent_total", "PUBLISH packets sent", kCounter,
     [](const ShardSnapshot& s) { return s.broker.publishes_sent; }},
    {"wakemq_publishes_dropped_total", "deliveries dropped (QoS 0, receiver too slow)", kCounter,
     [](const ShardSnapshot& s) { return s.broker.publishes_dropped; }},
    {"wakemq_publishes_denied_total", "publishes without permission", kCounter,
     [](const ShardSnapshot& s) { return s.broker.publishes_denied; }},
    {"wakemq_received_bytes_total", "MQTT bytes received", kCounter,
     [](const ShardSnapshot& s) { return s.broker.bytes_received; }},
    {"wakemq_sent_bytes_total", "MQTT bytes sent", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.bytes_sent; }},
    {"wakemq_messages_stored_total", "messages given to storage", kCounter,
     [](const ShardSnapshot& s) { return s.broker.messages_stored; }},
    {"wakemq_messages_refused_total", "messages refused because a queue was full", kCounter,
     [](const ShardSnapshot& s) { return s.broker.messages_refused; }},
    {"wakemq_messages_evicted_total", "messages dropped from a full queue by the policy drop_oldest",
     kCounter, [](const ShardSnapshot& s) { return s.broker.messages_evicted; }},
    {"wakemq_notices_sent_total", "notifications handed to the push dispatcher", kCounter,
     [](const ShardSnapshot& s) { return s.broker.notices_sent; }},
    {"wakemq_notices_cancelled_total", "notifications acknowledged before they left", kCounter,
     [](const ShardSnapshot& s) { return s.broker.notices_cancelled; }},
    {"wakemq_notices_held", "notifications waiting for an acknowledgement or a deadline", kGauge,
     [](const ShardSnapshot& s) { return s.broker.notices_held; }},
    {"wakemq_tls_handshakes_failed_total", "TLS handshakes that failed", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.handshakes_failed; }},
    {"wakemq_tls_handshakes_timed_out_total", "TLS handshakes not finished within connect_timeout", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.handshakes_timed_out; }},
    {"wakemq_proxy_headers_refused_total", "PROXY headers missing or malformed", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.proxy_headers_refused; }},
    {"wakemq_proxy_headers_timed_out_total", "PROXY headers not whole within connect_timeout", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.proxy_headers_timed_out; }},
    {"wakemq_websocket_refused_total", "HTTP requests that opened no WebSocket", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.upgrades_refused; }},
    {"wakemq_websocket_timed_out_total", "WebSockets not opened within connect_timeout", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.upgrades_timed_out; }},
    {"wakemq_websocket_malformed_total", "WebSocket frames that broke the protocol", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.frames_malformed; }},
    {"wakemq_wrong_listener_total", "TLS clients on a plain listener", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.wrong_listener; }},
    {"wakemq_flush_timeouts_total", "clients that did not take their last bytes", kCounter,
     [](const ShardSnapshot& s) { return s.sockets.flush_timeouts; }},
};

using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  void add(const std::string& name, const std::string& help, MetricType type, double value,
           Labels labels = {}) {
    if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
    ClientMetric metric;
    metric.label = std::move(labels);
    if (type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }
  void add_family(MetricFamily family) { families_.push_back(std::move(family)); }
  std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void add_shards(Families& out, const std::vector<ShardSnapshot>& shards) {
  for (const ShardFigure& figure : kShardFigures) {
    std::uint64_t sum = 0;
    for (const ShardSnapshot& shard : shards) sum += figure.read(shard);
    out.add(figure.name, figure.help, figure.type, static_cast<double>(sum));
  }
  // Every shard has all of them.
  std::uint64_t retained = 0;
  std::map<std::string_view, std::uint64_t> incidents;
  for (const ShardSnapshot& shard : shards) {
    retained = std::max(retained, shard.broker.retained);
    for (const auto& [event, count] : shard.incidents) incidents[event] += count;
  }
  out.add("wakemq_retained_messages", "retained messages now", kGauge, static_cast<double>(retained));
  for (const auto& [event, count] : incidents) {
    out.add("wakemq_incidents_total", "what the log tells under this event name", kCounter,
            static_cast<double>(count), {{"event", std::string(event)}});
  }
}

/// `bounds` in microseconds; one count more than there are bounds.
template <class Bounds, class Counts>
MetricFamily histogram(const char* name, const char* help, const Bounds& bounds, const Counts& counts,
                       std::uint64_t sum_us) {
  ClientMetric metric;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += counts[i];
    const bool is_last = i == bounds.size();
    const double bound =
        is_last ? std::numeric_limits<double>::infinity() : static_cast<double>(bounds[i]) / 1e6;
    metric.histogram.bucket.push_back({sum, bound});
  }
  metric.histogram.sample_count = sum;
  metric.histogram.sample_sum = static_cast<double>(sum_us) / 1e6;
  return {name, help, MetricType::Histogram, {metric}};
}

void add_webhook(Families& out, const WebhookStatus& webhook) {
  out.add("wakemq_webhook_up", "0 while the back end behind webhook_url does not answer", kGauge,
          webhook.trouble.empty() ? 1 : 0);
  out.add("wakemq_webhook_waiting", "log-ins that wait for the back end", kGauge, double(webhook.waiting));
  for (const auto& [outcome, count] :
       {std::pair("allowed", webhook.allowed), std::pair("denied", webhook.denied),
        std::pair("failed", webhook.failed), std::pair("turned_away", webhook.turned_away)}) {
    out.add("wakemq_webhook_questions_total", "log-ins that needed the back end, by what became of them",
            kCounter, double(count), {{"outcome", outcome}});
  }
  out.add_family(histogram("wakemq_webhook_seconds",
                           "questions to the back end, asked to answered or given up",
                           WebhookStatus::kLatencyBounds, webhook.latency_counts, webhook.latency_sum_us));
}

void add_storage(Families& out, const db::CommitStatus& commits, const db::OutboxStore::Status& outbox) {
  out.add("wakemq_postgresql_up", "1 while the commit queue is connected", kGauge,
          commits.is_connected ? 1 : 0);
  out.add("wakemq_commit_pending_batches", "batches not yet committed", kGauge,
          double(commits.pending_batches));
  out.add("wakemq_commit_pending_bytes", "bytes not yet committed", kGauge, double(commits.pending_bytes));
  out.add("wakemq_commits_total", "transactions committed", kCounter, double(commits.commits));
  out.add("wakemq_committed_batches_total", "batches committed", kCounter, double(commits.committed_batches));
  out.add("wakemq_committed_messages_total", "messages committed", kCounter,
          double(commits.committed_messages));
  out.add("wakemq_commit_refused_batches_total", "batches PostgreSQL refused for good", kCounter,
          double(commits.failed_batches));
  out.add_family(histogram("wakemq_commit_seconds", "transactions of the commit queue, sent to answered",
                           db::CommitStatus::kLatencyBounds, commits.latency_counts, commits.latency_sum_us));
  out.add("wakemq_outbox_pending_outcomes", "outcomes of notifications not yet durable", kGauge,
          double(outbox.pending));
  out.add("wakemq_outbox_outcomes_total", "outcomes of notifications made durable", kCounter,
          double(outbox.resolved));
  out.add("wakemq_outbox_refused_outcomes_total", "outcomes PostgreSQL refused for good", kCounter,
          double(outbox.refused));
}

void add_push(Families& out, const push::DispatcherStatus& status) {
  const auto each = [&](const char* name, const char* help, auto read) {
    for (const push::ChannelStatus& channel : status.channels) {
      out.add(name, help, kGauge, read(channel), {{"channel", push::to_string(channel.key)}});
    }
  };
  each("wakemq_push_channel_up", "1 while the app's channel sends",
       [](const auto& c) { return c.is_ready ? 1.0 : 0.0; });
  each("wakemq_push_queued", "notifications waiting to be sent",
       [](const auto& c) { return double(c.queued); });
  each("wakemq_push_delayed", "notifications waiting for a retry",
       [](const auto& c) { return double(c.delayed); });
  each("wakemq_push_in_flight", "notifications sent and not answered",
       [](const auto& c) { return double(c.in_flight); });
  for (const push::ChannelStatus& channel : status.channels) {
    for (const auto& [answer, count] : channel.answers) {
      out.add("wakemq_push_answers_total", "answers of the providers", kCounter, double(count),
              {{"channel", push::to_string(channel.key)},
               {"verdict", std::string(push::to_string(answer.first))},
               {"reason", answer.second}});
    }
  }
}

void add_bridges(Families& out, const std::vector<BridgeStatus>& bridges) {
  using Status = broker::Relay::Status;
  const auto each = [&](const char* name, const char* help, MetricType type, auto read) {
    for (const BridgeStatus& bridge : bridges) {
      out.add(name, help, type, double(read(bridge.relay)), {{"bridge", bridge.name}});
    }
  };
  each("wakemq_bridge_up", "1 while connected to the other broker", kGauge,
       [](const Status& s) { return s.is_connected ? 1 : 0; });
  each("wakemq_bridge_connects_total", "connections to the other broker that were accepted", kCounter,
       [](const Status& s) { return s.connects; });
  each("wakemq_bridge_unwanted_total", "messages of the other broker that no `in` topic names", kCounter,
       [](const Status& s) { return s.unwanted; });
  each("wakemq_bridge_looped_total", "messages of the other broker that had been here before", kCounter,
       [](const Status& s) { return s.looped; });
  for (const BridgeStatus& bridge : bridges) {
    const auto count = [&](const char* direction, const char* outcome, std::uint64_t value) {
      out.add("wakemq_bridge_messages_total", "messages by direction and what became of them", kCounter,
              double(value), {{"bridge", bridge.name}, {"direction", direction}, {"outcome", outcome}});
    };
    for (const auto& [direction, counters] :
         {std::pair("out", bridge.relay.out), std::pair("in", bridge.relay.in)}) {
      count(direction, "carried", counters.carried);
      count(direction, "dropped", counters.dropped);
      count(direction, "refused", counters.refused);
    }
  }
}

void add_process(Families& out) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
  out.add("process_cpu_seconds_total", "user and system CPU time", kCounter,
          seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::ifstream memory("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (memory >> size >> resident) {
    out.add("process_resident_memory_bytes", "resident memory", kGauge,
            double(resident) * double(sysconf(_SC_PAGESIZE)));
  }
}

/// One reading, as the serializer takes it.
class Reading : public prometheus::Collectable {
 public:
  explicit Reading(const Measurements& measurements) : measurements_(measurements) {}
  std::vector<MetricFamily> Collect() const override {
    Families out;
    if (measurements_.node) {
      add_shards(out, measurements_.node->shards);
      add_storage(out, measurements_.node->commits, measurements_.node->outbox);
      add_push(out, measurements_.node->push);
      add_bridges(out, measurements_.node->bridges);
      if (measurements_.node->webhook) add_webhook(out, *measurements_.node->webhook);
      out.add("wakemq_connections_over_address_limit_total",
              "connections closed because of max_connections_per_address", kCounter,
              double(measurements_.node->over_address_limit));
      out.add("wakemq_logins_waiting", "CONNECTs waiting for a worker to check them", kGauge,
              double(measurements_.node->waiting_logins));
    }
    out.add("wakemq_up", "1 once MQTT is served", kGauge, measurements_.node ? 1 : 0);
    add_process(out);
    return out.take();
  }

 private:
  const Measurements& measurements_;
};

}  // namespace

std::vector<ShardSnapshot> take_snapshots(const std::vector<Shard*>& shards) {
  const auto gathering = std::make_shared<Gathering<ShardSnapshot>>();
  for (Shard* const shard : shards) {
    shard->ask_snapshot([gathering](ShardSnapshot snapshot) { gathering->add(std::move(snapshot)); });
  }
  return gathering->wait(shards.size(), kPatience);
}

Measurements measure(Node& node) {
  Measurements measurements;
  measurements.node =
      Measurements::Node{take_snapshots(node.shards()), node.commit_status(),
                         node.outbox_status(),          node.dispatcher().status(),
                         node.waiting_logins(),         node.bridges().status(),
                         node.addresses().refused(),    node.authenticator().webhook_status()};
  return measurements;
}

std::string to_prometheus(const Measurements& measurements) {
  return prometheus::TextSerializer().Serialize(Reading(measurements).Collect());
}

}  // namespace wake::gateway
