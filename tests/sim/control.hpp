// The control port: plain HTTP/1.1 on loopback, for tests and people. What it offers is listed in README.md.
//   ?wait_ms=N on a GET   answer when what was asked for is there, at the latest after N ms (60 s at most)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/sim/engine.hpp"

namespace wake::sim {

struct Ask {
  std::string method, path;  // path without the query
  std::map<std::string, std::string> query;
  std::string body;
};

/// The reply, or nullopt when a GET asks for something that is not there yet and may be waited for.
std::optional<Reply> serve(Engine&, const Ask&);
/// What the same GET answers once it has waited long enough.
Reply serve_now(Engine&, const Ask&);

class Control {
 public:
  /// Throws boost::system::system_error when it cannot listen.
  Control(boost::asio::io_context&, const std::string& address, std::uint16_t port, Engine&);
  ~Control();
  std::uint16_t port() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace wake::sim
