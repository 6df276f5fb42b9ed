// Any bytes, any split into packets, any version: no crash, no read outside, and whatever is accepted
// survives being written:
//   parse(write(packet)) is a packet again, and writes the same bytes.
// The first byte of the input chooses the version, the rest is the stream.
#include <cstdint>
#include <cstdlib>
#include <variant>
#include <vector>

#include "broker-core/packet/packet.hpp"
#include "broker-core/packet/publish_template.hpp"

namespace {

using namespace wake::broker;

constexpr std::size_t kMaxPacketBytes = 1 << 20;

void require(bool is_true) {
  if (!is_true) std::abort();
}

std::vector<std::byte> bytes_of(const Packet& packet, Version version) {
  std::vector<std::byte> out;
  write(packet, version, out);
  return out;
}

/// The fan-out's encoding of a received PUBLISH must be one that we accept ourselves, with the same content.
void check_template(const Publish& publish, Version version) {
  const std::string forwarded = forwardable_properties(publish.properties);
  require(parse_forwardable(forwarded).has_value());
  const PublishParts parts{.version = version,
                           .dup = publish.dup,
                           .qos = publish.qos,
                           .retain = publish.retain,
                           .topic = publish.topic,
                           .payload = publish.payload,
                           .forwardable_properties = forwarded,
                           .message_expiry_s = publish.properties.message_expiry_s,
                           .subscription_ids = publish.properties.subscription_ids};
  const PublishTemplate made = make_publish_template(parts);
  require(made.bytes.size() == publish_packet_bytes(parts));
  std::vector<std::byte> out;
  append_publish(made, publish.packet_id, publish.dup, out);
  if (publish.topic.empty()) return;  // stood for by an alias, which is not forwarded
  Publish direct = publish;
  direct.properties.topic_alias.reset();
  require(out == bytes_of(Packet(std::move(direct)), version));
}

void check_packet(const Packet& packet, Version version) {
  if (const auto* connect = std::get_if<Connect>(&packet)) version = connect->version;
  if (const auto* publish = std::get_if<Publish>(&packet)) check_template(*publish, version);
  const std::vector<std::byte> first = bytes_of(packet, version);
  Bytes in(first);
  const ParseResult again = parse(in, version, kMaxPacketBytes * 2);
  require(std::holds_alternative<Packet>(again) && in.empty());
  require(std::get<Packet>(again).index() == packet.index());
  require(bytes_of(std::get<Packet>(again), version) == first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto version = static_cast<Version>(3 + data[0] % 3);
  Bytes in(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  while (true) {
    const std::size_t before = in.size();
    const ParseResult result = parse(in, version, kMaxPacketBytes);
    if (const auto* more = std::get_if<NeedMore>(&result)) require(more->bytes >= 1);
    if (const auto* error = std::get_if<ParseError>(&result)) require(is_failure(error->reason));
    if (!std::holds_alternative<Packet>(result)) {
      require(in.size() == before);
      return 0;
    }
    require(in.size() < before);
    check_packet(std::get<Packet>(result), version);
  }
}
