#include "push/channel_advice.hpp"

namespace wake::push {
namespace {

struct Advice {
  std::string_view reason;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {"BadTopic", "set topic to the app's bundle id"},
    {"TopicDisallowed", "the key may not push to this topic: check topic, team_id and the key's scope"},
    {"MissingTopic", "set topic to the app's bundle id"},
    {"ExpiredProviderToken", "APNs finds a fresh token too old: check this machine's clock"},
    {"InvalidProviderToken", "check key_file, key_id and team_id; the key may have been revoked"},
    {"MissingProviderToken", "set key_file, key_id and team_id, or cert_file"},
    {"BadEnvironmentKeyIdInToken",
     "the key was made for the other environment: check key_file and environment"},
    {"BadEnvironmentKeyInToken",
     "the key was made for the other environment: check key_file and environment"},
    {"BadCertificate", "check cert_file"},
    {"BadCertificateEnvironment",
     "the certificate is for the other environment: check cert_file and environment"},
    {"UNAUTHENTICATED", "check service_account_file and this machine's clock"},
    {"PERMISSION_DENIED", "enable the Cloud Messaging API and give the service account its role"},
    {"NOT_FOUND", "the project does not exist: check project_id in service_account_file"},
    {"HTTP 404", "not FCM's own answer: check endpoint and project_id in service_account_file"},
    {"THIRD_PARTY_AUTH_ERROR", "repair the APNs key or web push key in the Firebase project"},
    {"APNS_AUTH_ERROR", "repair the APNs key or web push key in the Firebase project"},
    {"storm",
     "nearly every token looks dead: check topic, environment and project before phones are forgotten"},
};

// Words of http2_connection.cpp and of curl (fcm/token_exchange.cpp); the first that is in there counts.
constexpr Advice kTroubles[] = {
    {"proxy", "the way through the proxy fails: check proxy, and that it lets this host be reached"},
    {"certificate", "whoever answers there is not trusted: check endpoint, ca_file and this machine's clock"},
    {"HTTP/2", "whoever answers there is not APNs or FCM: check endpoint"},
    {"resolve", "the name is not found: check this machine's DNS, and endpoint"},
};

}  // namespace

std::string_view advice_for(broker::Platform platform, std::string_view reason) {
  if (reason.starts_with("no [[push.app]]")) {  // dispatch_machine.cpp: nobody serves such a phone
    return "add a [[push.app]] for it to the configuration and send SIGHUP, or let the app register with an "
           "app_id and environment that are configured";
  }
  for (const Advice& advice : kAdvice) {
    if (advice.reason == reason) return advice.text;
  }
  return platform == broker::Platform::Apns ? "check key_file, key_id, team_id, topic and environment"
                                            : "check service_account_file";
}

std::string_view advice_for_trouble(std::string_view why) {
  for (const Advice& advice : kTroubles) {
    if (why.find(advice.reason) != std::string_view::npos) return advice.text;
  }
  return "check that this machine may connect out to that host and port (network, firewall), and endpoint "
         "and "
         "proxy";
}

}  // namespace wake::push
