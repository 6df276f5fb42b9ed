// The HTTP request that opens a WebSocket (RFC 6455 §4.2): read by Beast's parser, judged here. Exists only
// while a connection shakes hands. Pure: bytes in, the answer to send out.
//
// Who asks for something else is answered in HTTP, in a sentence: 400, 403 (Origin), 405, 426 (no upgrade
// asked for, or a version that is not 13), 431 (header over kMaxHeaderBytes).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace wake::gateway::websocket {

inline constexpr std::size_t kMaxHeaderBytes = 8 * 1024;

struct UpgradeRules {
  /// "https://app.example.com"; a browser's page from elsewhere is refused. Empty: any. Who sends no Origin
  /// is no browser, and is let in (§10.2).
  std::vector<std::string> allowed_origins;
};

class Upgrade {
 public:
  enum class State {
    NeedMore,
    Accepted,  // answer() is the 101
    Refused,   // answer() says why to the client, refusal() to the log
  };

  explicit Upgrade(UpgradeRules rules);
  ~Upgrade();

  /// Any split. What came behind the request is in rest() afterwards.
  State on_bytes(std::span<const std::byte> in);
  const std::string& answer() const { return answer_; }
  const std::string& refusal() const { return refusal_; }
  /// Bytes that already belong to the WebSocket.
  std::span<const std::byte> rest() const;

 private:
  struct Parser;
  State judge();
  State refuse(int status, const std::string& why);

  UpgradeRules rules_;
  std::unique_ptr<Parser> parser_;
  std::string answer_;
  std::string refusal_;
};

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (§4.2.2).
std::string accept_value(const std::string& key);

}  // namespace wake::gateway::websocket
