// WebSocket frames (RFC 6455 §5), the server's side, as a pure machine: bytes in, MQTT bytes and a verdict
// out. Nothing is gathered: a frame's length decides nothing but where the next one begins, so a declared
// length costs no memory, and frames and MQTT packets need not meet (v5 and v3.1.1 [MQTT-6.0.0-2]). Text
// frames are refused ([MQTT-6.0.0-1]). No extension is ever agreed on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wake::gateway::websocket {

enum class Opcode : std::uint8_t {
  Continuation = 0x0,
  Text = 0x1,
  Binary = 0x2,
  Close = 0x8,
  Ping = 0x9,
  Pong = 0xA,
};

/// RFC 6455 §7.4.1.
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  ProtocolError = 1002,
  UnsupportedData = 1003,
  InvalidPayload = 1007,
  TooBig = 1009,
};

inline constexpr std::size_t kMaxControlBytes = 125;

/// What a client sends. Not thread-safe; a hundred bytes.
class FrameReader {
 public:
  /// `max_frame_bytes`: a data frame that declares more is refused on its header.
  explicit FrameReader(std::uint64_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

  /// Takes all of `wire`, any split, and leaves the MQTT bytes found in it at its front; returns how many.
  /// After the end (see has_ended) everything is dropped.
  std::size_t read(std::span<std::byte> wire);

  /// The client sent Close, or broke the rules: what to answer in our Close. Empty: it goes on.
  std::optional<CloseCode> end() const { return end_; }
  /// What was broken, for the log; empty after an orderly Close.
  const char* violation() const { return violation_; }
  /// The payload of the last Ping since asked, to be sent back (§5.5.3: only the last need be).
  std::optional<std::string> take_ping();

 private:
  void take_header(std::byte next);
  std::size_t header_size() const;
  /// After two bytes: what can be judged without the length.
  void judge_start();
  void judge_length();
  void end_frame();
  void judge_close();
  void fail(CloseCode code, const char* violation);

  std::uint64_t max_frame_bytes_;
  std::array<std::uint8_t, 14> header_{};  // 2, then 0, 2 or 8 of length, then 4 of mask
  std::uint8_t header_bytes_ = 0;          // so many are here
  bool is_in_payload_ = false;
  bool is_in_message_ = false;  // a fragmented message has begun
  std::uint64_t left_bytes_ = 0;
  std::uint8_t mask_at_ = 0;
  std::string control_;
  std::optional<std::string> ping_;
  std::optional<CloseCode> end_;
  const char* violation_ = "";
};

/// The header of a frame from us: whole, unmasked (§5.1).
std::string frame_header(Opcode opcode, std::uint64_t payload_bytes);
/// `payload`: at most kMaxControlBytes.
std::string control_frame(Opcode opcode, std::string_view payload);
std::string close_frame(CloseCode code);

}  // namespace wake::gateway::websocket
