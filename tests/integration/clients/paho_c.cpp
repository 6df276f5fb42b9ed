// The paho C library does what an embedded program does: paho_c URI 3|4|5 USER PASSWORD CA_FILE NAME. Ends
// with 0 when all of it worked; else says at what it stopped.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <MQTTClient.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int kPatienceMs = 20'000;
const std::string kPayload = "二十三度，晴";

struct Given {
  std::string uri, user, password, ca_file, name;
  int version = 4;
} given;

void check(bool is_true, const std::string& what) {
  if (is_true) return;
  std::fprintf(stderr, "failed: %s\n", what.c_str());
  std::exit(1);
}

struct Options {
  bool clean = true;
  std::string password = given.password;
  std::string will_topic;
};

class Client {
 public:
  explicit Client(const std::string& id, const Options& options = {}) {
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    create.MQTTVersion = given.version;
    check(MQTTClient_createWithOptions(&client_, given.uri.c_str(), (given.name + "-" + id).c_str(),
                                       MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create) == MQTTCLIENT_SUCCESS,
          "create");
    connect(options);
  }
  ~Client() { MQTTClient_destroy(&client_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int code = -1;
  bool session_present = false;

  void subscribe(const std::string& filter, int qos) {
    if (given.version == 5) {
      MQTTResponse response = MQTTClient_subscribe5(client_, filter.c_str(), qos, nullptr, nullptr);
      check(response.reasonCode == qos, "subscribe");
      MQTTResponse_free(response);
    } else {
      check(MQTTClient_subscribe(client_, filter.c_str(), qos) == MQTTCLIENT_SUCCESS, "subscribe");
    }
  }
  void publish(const std::string& topic, const std::string& payload, int qos, bool is_retained = false) {
    MQTTClient_deliveryToken token = 0;
    int result = 0;
    const int size = static_cast<int>(payload.size());
    if (given.version == 5) {
      MQTTResponse response = MQTTClient_publish5(client_, topic.c_str(), size, payload.data(), qos,
                                                  is_retained, nullptr, &token);
      result = response.reasonCode;
      MQTTResponse_free(response);
    } else {
      result = MQTTClient_publish(client_, topic.c_str(), size, payload.data(), qos, is_retained, &token);
    }
    check(result == MQTTCLIENT_SUCCESS, "publish");
    check(qos == 0 || MQTTClient_waitForCompletion(client_, token, kPatienceMs) == MQTTCLIENT_SUCCESS,
          "the handshake of a publish");
  }
  /// The next message, as "QoS|retained|topic|payload".
  std::string receive() {
    char* topic = nullptr;
    int size = 0;
    MQTTClient_message* message = nullptr;
    const int result = MQTTClient_receive(client_, &topic, &size, &message, kPatienceMs);
    check(result == MQTTCLIENT_SUCCESS && message, "a message in time");
    std::string text = std::to_string(message->qos) + (message->retained ? "|true|" : "|false|") + topic +
                       "|" + std::string(static_cast<char*>(message->payload), message->payloadlen);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return text;
  }
  void expect(const std::string& text) {
    const std::string got = receive();
    check(got == text, "expected " + text + ", got " + got);
  }
  void disconnect() { MQTTClient_disconnect(client_, 1000); }

 private:
  void connect(const Options& options) {
    MQTTClient_connectOptions connect = MQTTClient_connectOptions_initializer;
    MQTTClient_connectOptions connect5 = MQTTClient_connectOptions_initializer5;
    if (given.version == 5) connect = connect5;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
    connect.MQTTVersion = given.version;
    connect.username = given.user.c_str();
    connect.password = options.password.c_str();
    if (given.version == 5) {
      connect.cleanstart = options.clean;
    } else {
      connect.cleansession = options.clean;
    }
    if (!options.will_topic.empty()) {
      will.topicName = options.will_topic.c_str();
      will.message = kPayload.c_str();
      will.qos = 1;
      connect.will = &will;
    }
    if (!given.ca_file.empty()) {
      tls.trustStore = given.ca_file.c_str();
      tls.verify = 1;
      connect.ssl = &tls;
    }
    if (given.version != 5) {
      code = MQTTClient_connect(client_, &connect);
      session_present = code == 0 && connect.returned.sessionPresent;
      return;
    }
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty expiry{};
    expiry.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL;
    expiry.value.integer4 = 3600;
    if (!options.clean) MQTTProperties_add(&properties, &expiry);
    MQTTResponse response = MQTTClient_connect5(client_, &connect, &properties, nullptr);
    code = response.reasonCode;
    session_present = code == 0 && connect.returned.sessionPresent;
    MQTTResponse_free(response);
    MQTTProperties_free(&properties);
  }

  MQTTClient client_ = nullptr;
};

std::string topic(const std::string& last = "") { return given.name + "/家/客厅/温度" + last; }

void refuses_wrong_password() {
  Options options;
  options.password = "wrong";
  Client client("x", options);
  // v5: 0x86; 3.1.1: 4 or 5.
  check(client.code != 0, "a wrong password was accepted");
}

void round_trip() {
  Client client("rt");
  check(client.code == 0, "connect with the password");
  client.subscribe(topic(), 2);
  for (int qos = 0; qos <= 2; ++qos) {
    const std::string payload = kPayload + " " + std::to_string(qos);
    client.publish(topic(), payload, qos);
    client.expect(std::to_string(qos) + "|false|" + topic() + "|" + payload);
  }
  client.disconnect();
}

void retained() {
  Client client("rn");
  client.publish(topic("/kept"), kPayload, 1, true);
  client.subscribe(topic("/kept"), 1);
  client.expect("1|true|" + topic("/kept") + "|" + kPayload);
  client.disconnect();
}

/// The mortal is a process of its own, which ends without a word.
void will() {
  Client mourner("m");
  mourner.subscribe(topic("/will"), 1);
  const pid_t child = fork();
  check(child >= 0, "fork");
  if (child == 0) {
    const std::string version = std::to_string(given.version);
    execl("/proc/self/exe", "paho_c", given.uri.c_str(), version.c_str(), given.user.c_str(),
          given.password.c_str(), given.ca_file.c_str(), given.name.c_str(), "die", nullptr);
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the mortal connects");
  mourner.expect("1|false|" + topic("/will") + "|" + kPayload);
  mourner.disconnect();
}

void die() {
  Options options;
  options.will_topic = topic("/will");
  const Client mortal("w", options);
  _exit(mortal.code == 0 ? 0 : 1);
}

void offline_queue() {
  Options keep;
  keep.clean = false;
  {
    Client first("off", keep);
    check(first.code == 0, "connect with a session that is kept");
    first.subscribe(topic("/off"), 1);
    first.disconnect();
  }
  Client sender("s");
  for (int n = 1; n <= 3; ++n) sender.publish(topic("/off"), kPayload + " " + std::to_string(n), 1);
  sender.disconnect();
  Client again("off", keep);
  check(again.session_present || given.version != 4,
        "the session is present");  // the library says it for 3.1.1 only
  for (int n = 1; n <= 3; ++n)
    again.expect("1|false|" + topic("/off") + "|" + kPayload + " " + std::to_string(n));
  again.disconnect();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 6) {
    std::fprintf(stderr, "usage: paho_c URI 3|4|5 USER PASSWORD CA_FILE NAME\n");
    return 2;
  }
  given = {words[0], words[2], words[3], words[4], words[5], std::stoi(words[1])};
  MQTTClient_init_options init = MQTTClient_init_options_initializer;
  init.do_openssl_init = 1;
  MQTTClient_global_init(&init);
  if (words.size() == 7) die();
  const std::pair<const char*, std::function<void()>> steps[] = {
      {"refuses a wrong password", refuses_wrong_password},
      {"round trip", round_trip},
      {"retained", retained},
      {"will", will},
      {"offline queue", offline_queue}};
  for (const auto& [name, step] : steps) {
    step();
    std::printf("ok %s\n", name);
  }
  return 0;
}
