//   0xF1: FIN | RSV1..3 | opcode     0xF2: MASK | length 0..125, or 126: 2 bytes follow, or 127: 8 bytes
//   follow masking key, 4 bytes             payload, masked.        Numbers are big-endian.
#include "gateway/websocket/frames.hpp"

#include <algorithm>
#include <cstring>

#include "broker-core/packet/utf8.hpp"

namespace wake::gateway::websocket {

namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kOpcode = 0x0F;
constexpr std::uint8_t kControl = 0x08;
constexpr std::uint8_t kMask = 0x80;
constexpr std::uint8_t kLength = 0x7F;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::size_t kMaskBytes = 4;

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

/// Moves `from` to `to`, which is the same place or in front of it, and takes the mask off, beginning with
/// key byte `at`.
void unmask(std::byte* to, const std::byte* from, std::size_t size, const std::uint8_t* key, std::size_t at) {
  std::array<std::uint8_t, 8> turned{};
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(at + i) % kMaskBytes];
  std::uint64_t wide_key = 0;
  std::memcpy(&wide_key, turned.data(), sizeof wide_key);
  std::size_t i = 0;
  for (; i + sizeof wide_key <= size; i += sizeof wide_key) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + i, sizeof word);
    word ^= wide_key;
    std::memcpy(to + i, &word, sizeof word);
  }
  for (; i < size; ++i) to[i] = from[i] ^ static_cast<std::byte>(turned[i % kMaskBytes]);
}

/// §7.4: what may stand in a Close frame.
bool is_close_code(std::uint64_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

std::size_t FrameReader::read(std::span<std::byte> wire) {
  std::size_t taken = 0;
  std::size_t kept = 0;
  while (taken < wire.size() && !end_) {
    if (!is_in_payload_) {
      take_header(wire[taken++]);
      continue;
    }
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, wire.size() - taken));
    std::byte* const from = wire.data() + taken;
    const std::uint8_t* const key = header_.data() + header_size() - kMaskBytes;
    if ((header_[0] & kControl) != 0) {
      unmask(from, from, part, key, mask_at_);
      control_.append(reinterpret_cast<const char*>(from), part);
    } else {
      unmask(wire.data() + kept, from, part, key, mask_at_);
      kept += part;
    }
    mask_at_ = static_cast<std::uint8_t>((mask_at_ + part) % kMaskBytes);
    taken += part;
    left_bytes_ -= part;
    if (left_bytes_ == 0) end_frame();
  }
  return kept;
}

std::optional<std::string> FrameReader::take_ping() {
  std::optional<std::string> ping;
  ping.swap(ping_);
  return ping;
}

void FrameReader::take_header(std::byte next) {
  header_[header_bytes_++] = static_cast<std::uint8_t>(next);
  if (header_bytes_ < 2) return;
  if (header_bytes_ == 2) judge_start();
  if (end_ || header_bytes_ < header_size()) return;
  judge_length();
  if (end_) return;
  is_in_payload_ = true;
  mask_at_ = 0;
  if (left_bytes_ == 0) end_frame();
}

std::size_t FrameReader::header_size() const {
  const std::uint8_t length = header_[1] & kLength;
  if (length == kLength16) return 2 + 2 + kMaskBytes;
  return length == kLength64 ? 2 + 8 + kMaskBytes : 2 + kMaskBytes;
}

void FrameReader::judge_start() {
  const bool is_final = (header_[0] & kFin) != 0;
  if ((header_[0] & kReserved) != 0) return fail(CloseCode::ProtocolError, "reserved bits are set");
  if ((header_[1] & kMask) == 0) return fail(CloseCode::ProtocolError, "a frame without a mask");
  switch (static_cast<Opcode>(header_[0] & kOpcode)) {
    case Opcode::Continuation:
      if (!is_in_message_) fail(CloseCode::ProtocolError, "a continuation of nothing");
      return;
    case Opcode::Text:
      return fail(CloseCode::UnsupportedData, "a text frame; MQTT travels in binary ones");
    case Opcode::Binary:
      if (is_in_message_) fail(CloseCode::ProtocolError, "a new message inside a fragmented one");
      return;
    case Opcode::Close:
    case Opcode::Ping:
    case Opcode::Pong:
      if (!is_final) return fail(CloseCode::ProtocolError, "a fragmented control frame");
      if ((header_[1] & kLength) > kMaxControlBytes)
        fail(CloseCode::ProtocolError, "a control frame over 125 bytes");
      return;
  }
  fail(CloseCode::ProtocolError, "an unknown kind of frame");
}

void FrameReader::judge_length() {
  const std::uint8_t length = header_[1] & kLength;
  const std::span<const std::uint8_t> header(header_);
  left_bytes_ = length;
  if (length == kLength16) left_bytes_ = big_endian(header.subspan(2, 2));
  if (length == kLength64) left_bytes_ = big_endian(header.subspan(2, 8));
  const bool is_longer_than_needed =
      (length == kLength16 && left_bytes_ < kLength16) || (length == kLength64 && left_bytes_ <= 0xFFFF);
  if (is_longer_than_needed) return fail(CloseCode::ProtocolError, "a length written too long");
  if (left_bytes_ >> 63 != 0) return fail(CloseCode::ProtocolError, "a length beyond 63 bits");
  if (left_bytes_ > max_frame_bytes_) fail(CloseCode::TooBig, "a frame far over limits.max_packet");
}

void FrameReader::end_frame() {
  is_in_payload_ = false;
  const auto opcode = static_cast<Opcode>(header_[0] & kOpcode);
  if ((header_[0] & kControl) == 0) is_in_message_ = (header_[0] & kFin) == 0;
  if (opcode == Opcode::Ping) ping_ = control_;
  if (opcode == Opcode::Close) judge_close();
  header_bytes_ = 0;
  control_.clear();
}

void FrameReader::judge_close() {
  if (control_.empty()) {
    end_ = CloseCode::Normal;
    return;
  }
  if (control_.size() < 2) return fail(CloseCode::ProtocolError, "a Close with half a code");
  const std::uint64_t code =
      big_endian({reinterpret_cast<const std::uint8_t*>(control_.data()), std::size_t{2}});
  if (!is_close_code(code)) return fail(CloseCode::ProtocolError, "a Close with a code nobody may send");
  if (!broker::is_valid_utf8(std::string_view(control_).substr(2)))
    return fail(CloseCode::InvalidPayload, "a Close whose reason is not UTF-8");
  end_ = static_cast<CloseCode>(code);
}

void FrameReader::fail(CloseCode code, const char* violation) {
  end_ = code;
  violation_ = violation;
}

std::string frame_header(Opcode opcode, std::uint64_t payload_bytes) {
  std::string header(1, static_cast<char>(kFin | static_cast<std::uint8_t>(opcode)));
  int length_bytes = 0;
  if (payload_bytes <= kMaxControlBytes) {
    header += static_cast<char>(payload_bytes);
  } else {
    length_bytes = payload_bytes <= 0xFFFF ? 2 : 8;
    header += static_cast<char>(length_bytes == 2 ? kLength16 : kLength64);
  }
  for (int i = length_bytes - 1; i >= 0; --i) header += static_cast<char>(payload_bytes >> (8 * i) & 0xFF);
  return header;
}

std::string control_frame(Opcode opcode, std::string_view payload) {
  return frame_header(opcode, payload.size()).append(payload);
}

std::string close_frame(CloseCode code) {
  const auto number = static_cast<std::uint16_t>(code);
  return control_frame(Opcode::Close,
                       std::string{static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)});
}

}  // namespace wake::gateway::websocket
