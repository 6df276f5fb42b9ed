// [[bridge]], as keys.cpp does the others.
#include "config/bridge_keys.hpp"

namespace wake::config {
namespace {

using std::chrono::seconds;

const Choice<Protocol> kBridgeProtocols{{{"mqtt", Protocol::Mqtt}, {"mqtts", Protocol::Mqtts}}};
const Choice<broker::Version> kBridgeVersions{
    {{"5.0", broker::Version::V5}, {"3.1.1", broker::Version::V311}}};

}  // namespace

std::vector<Key> bridge_keys() {
  using B = BridgeOptions;
  return {
      {.section = "bridge",
       .name = "name",
       .field = field(&B::name, Text{"1 to 64 of A-Z a-z 0-9 . _ -"}),
       .prose = "Names it in logs, metrics and /readyz. The session of a name that is gone is dropped at the "
                "start.",
       .example = "\"head-office\""},
      {.section = "bridge",
       .name = "protocol",
       .field = field(&B::protocol, kBridgeProtocols),
       .prose = "Plain, or over TLS.",
       .example = "\"mqtts\""},
      {.section = "bridge",
       .name = "address",
       .field = field(&B::address, Text{"\"host:port\", \"[v6]:port\" or \"unix:/path\""}),
       .prose = "The other broker.",
       .example = "\"broker.example.com:8883\""},
      {.section = "bridge",
       .name = "version",
       .field = field(&B::version, kBridgeVersions),
       .prose = "5.0 wherever the other broker knows it: loops over several bridges are cut with it only."},
      {.section = "bridge",
       .name = "client_id",
       .field = field(&B::client_id, Text{"a client id"}),
       .prose = "Its own at the other broker, which keeps its session by it. Empty: \"wakemq.<name>\".",
       .example = "\"wakemq.head-office\""},
      {.section = "bridge",
       .name = "username",
       .field = field(&B::username, Text{"a user name"}),
       .prose = "For the next connection. Empty: none.",
       .example = "\"wakemq\"",
       .needs_restart = false},
      {.section = "bridge",
       .name = "password",
       .field = field(&B::password, Text{"a password"}),
       .prose = "For the next connection.",
       .needs_restart = false,
       .is_secret = true},
      {.section = "bridge",
       .name = "ca_file",
       .field = field(&B::ca_file, kFile),
       .prose = "mqtts: certificates in PEM trusted instead of the system's. Read at each connection, as the "
                "next two.",
       .example = "\"/etc/wakemq/tls/head-office-ca.crt\"",
       .needs_restart = false},
      {.section = "bridge",
       .name = "cert_file",
       .field = field(&B::cert_file, kFile),
       .prose = "mqtts: our own certificate chain in PEM, when the other broker asks for one.",
       .example = "\"/etc/wakemq/tls/bridge.crt\"",
       .needs_restart = false},
      {.section = "bridge",
       .name = "key_file",
       .field = field(&B::key_file, kFile),
       .prose = "mqtts: its private key in PEM.",
       .example = "\"/etc/wakemq/tls/bridge.key\"",
       .needs_restart = false},
      {.section = "bridge",
       .name = "topics",
       .field = field(&B::topics,
                      List{"a list of lines \"pattern [out|in|both [qos [local-prefix [remote-prefix]]]]\""}),
       .prose = "What is carried, as Mosquitto's topic lines: pattern, out|in|both (out), QoS (0), local "
                "prefix, remote "
                "prefix; two quotes are an empty one. The first line that matches names a message. It is "
                "also all that "
                "the bridge may publish and read here.",
       .example = "[\"alarm/# out 1 \\\"\\\" site/7/\", \"command/# in 1 \\\"\\\" site/7/\"]"},
      {.section = "bridge",
       .name = "keep_alive",
       .field = field(&B::keep_alive, Span<seconds>{seconds(5), seconds(65'535)}),
       .prose = "How often the other broker is asked for life; silent for as long again, it is given up."},
      {.section = "bridge",
       .name = "clean_start",
       .field = field(&B::clean_start, kFlag),
       .prose = "true: the other broker keeps nothing for us while we are away."},
      {.section = "bridge",
       .name = "try_private",
       .field = field(&B::try_private, kFlag),
       .prose = "3.1.1: tell the other broker that a bridge comes, so that it sends nothing back. Mosquitto "
                "and WakeMQ "
                "know that; false for one that closes the connection over it."},
  };
}

}  // namespace wake::config
