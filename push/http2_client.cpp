#include "push/http2_client.hpp"

#include <algorithm>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "push/event_loop_impl.hpp"
#include "push/http2_connection.hpp"
#include "push/tls_context.hpp"

namespace wake::push {

struct Http2Client::Impl final : Http2ConnectionEvents {
  Impl(EventLoop& loop_in, Http2ClientOptions options_in, Http2ClientEvents& events_in)
      : loop(loop_in),
        options(std::move(options_in)),
        events(events_in),
        tls(make_tls_context({options.ca_file, options.cert_file, options.cert_key_file})),
        back_off_timer(loop_in),
        back_off(options.first_back_off) {}

  void on_connection_answer(RequestTag tag, Http2Answer answer) override;
  void on_connection_room() override;
  void on_connection_down(Http2Connection& connection, const std::string& why) override;
  void connect();
  void move_to_draining();
  void start_back_off();
  std::string where() const;

  EventLoop& loop;
  Http2ClientOptions options;
  Http2ClientEvents& events;
  boost::asio::ssl::context tls;
  std::shared_ptr<Http2Connection> current;
  std::vector<std::shared_ptr<Http2Connection>> draining;
  LoopTimer back_off_timer;
  broker::Duration back_off;
  bool is_backing_off = false;
  bool is_wanted = false;
  bool is_proven = false;  // answered since the last trouble
  std::uint64_t last_id = 0;
};

Http2Client::Http2Client(EventLoop& loop, Http2ClientOptions options, Http2ClientEvents& events)
    : impl_(std::make_unique<Impl>(loop, std::move(options), events)) {}

Http2Client::~Http2Client() {
  if (impl_->current) impl_->current->abandon();
  for (const auto& connection : impl_->draining) connection->abandon();
}

void Http2Client::want() {
  impl_->is_wanted = true;
  if (!impl_->current && !impl_->is_backing_off) impl_->connect();
}

std::size_t Http2Client::room() const { return impl_->current ? impl_->current->room() : 0; }

std::uint64_t Http2Client::connection_id() const { return impl_->current ? impl_->current->id() : 0; }

void Http2Client::submit(RequestTag tag, const Http2Request& request) {
  impl_->is_wanted = false;
  impl_->current->submit(tag, request);
  if (impl_->current->is_draining()) impl_->move_to_draining();
}

void Http2Client::retire(std::uint64_t connection_id) {
  if (!impl_->current || impl_->current->id() != connection_id) return;
  const auto connection = impl_->current;
  impl_->move_to_draining();
  connection->drain();
}

std::size_t Http2Client::in_flight() const {
  std::size_t count = impl_->current ? impl_->current->in_flight() : 0;
  for (const auto& connection : impl_->draining) count += connection->in_flight();
  return count;
}

void Http2Client::Impl::connect() {
  Http2ConnectionOptions of_connection;
  of_connection.id = ++last_id;
  of_connection.endpoint = options.endpoint;
  of_connection.proxy = options.proxy;
  of_connection.connect_timeout = options.connect_timeout;
  of_connection.session.authority = authority_of(options.endpoint, true);
  of_connection.session.max_in_flight = options.max_in_flight;
  of_connection.session.is_first_alone = options.is_first_alone;
  of_connection.session.request_timeout = options.request_timeout;
  of_connection.session.ping_after = options.ping_after;
  current = std::make_shared<Http2Connection>(loop.impl().io, tls, std::move(of_connection), *this);
  current->start();
}

void Http2Client::Impl::move_to_draining() { draining.push_back(std::exchange(current, nullptr)); }

void Http2Client::Impl::on_connection_answer(RequestTag tag, Http2Answer answer) {
  if (answer.outcome == Http2Answer::Outcome::Answered && !is_proven) {
    is_proven = true;
    back_off = options.first_back_off;
    events.on_http2_connected();
  }
  events.on_http2_answer(tag, std::move(answer));
}

void Http2Client::Impl::on_connection_room() {
  if (current && current->is_draining()) {
    const bool has_answered = current->has_answered();
    move_to_draining();
    // Whoever has something to send asks again below, and so opens anew before the old one is empty; an idle
    // connection is let go. A peer that only ever says GOAWAY gets the back-off.
    if (!has_answered) start_back_off();
  }
  events.on_http2_room();
}

void Http2Client::Impl::on_connection_down(Http2Connection& connection, const std::string& why) {
  if (current.get() != &connection) {
    std::erase_if(draining, [&](const auto& other) { return other.get() == &connection; });
    return;
  }
  const bool was_useful = connection.has_answered();
  current.reset();
  if (!was_useful) {
    is_proven = false;
    start_back_off();
    events.on_http2_trouble(where() + ": " + why);
  }
  events.on_http2_room();
}

std::string Http2Client::Impl::where() const {
  const std::string host = authority_of(options.endpoint, false);
  return options.proxy ? host + " by way of " + authority_of(*options.proxy, false) : host;
}

void Http2Client::Impl::start_back_off() {
  is_backing_off = true;
  back_off_timer.start_at(std::chrono::steady_clock::now() + back_off, [this] {
    is_backing_off = false;
    if (is_wanted && !current) connect();
  });
  back_off = std::min(back_off * 2, options.longest_back_off);
}

}  // namespace wake::push
