#include "push/provider.hpp"

#include <map>
#include <stdexcept>
#include <tuple>

#include "push/apns/client.hpp"
#include "push/fcm/client.hpp"

namespace wake::push {
namespace {

using apns::ProviderTokenMint;

// Two channels that share a key share its mint: Apple counts tokens per key. The file's content is part of
// the name, so that a replaced key mints at once.
class MintRegistry {
 public:
  std::shared_ptr<ProviderTokenMint> find(const AppOptions& options) {
    const std::string pem = read_secret_file(options.key_file);
    const Name name{options.team_id, options.key_id, options.environment, pem};
    std::shared_ptr<ProviderTokenMint> mint = mints_[name].lock();
    if (!mint) {
      mint = std::make_shared<ProviderTokenMint>(pem, options.key_id, options.team_id);
      mints_[name] = mint;
    }
    return mint;
  }

 private:
  using Name = std::tuple<std::string, std::string, broker::Environment, std::string>;
  std::map<Name, std::weak_ptr<ProviderTokenMint>> mints_;
};

std::unique_ptr<Provider> make_apns(EventLoop& loop, const AppOptions& options, MintRegistry& mints,
                                    ProviderEvents& events) {
  std::shared_ptr<ProviderTokenMint> mint;
  if (options.cert_file.empty()) {
    if (options.key_file.empty()) throw std::runtime_error("neither key_file nor cert_file is set");
    if (options.key_id.empty() || options.team_id.empty()) {
      throw std::runtime_error("key_file needs key_id and team_id beside it");
    }
    mint = mints.find(options);
  }
  return std::make_unique<apns::Client>(loop, options, std::move(mint), events);
}

}  // namespace

ProviderFactory make_provider_factory() {
  return [mints = std::make_shared<MintRegistry>()](EventLoop& loop, const AppOptions& options,
                                                    ProviderEvents& events) -> std::unique_ptr<Provider> {
    if (options.platform == broker::Platform::Apns) return make_apns(loop, options, *mints, events);
    if (options.service_account_file.empty()) throw std::runtime_error("service_account_file is not set");
    return std::make_unique<fcm::Client>(loop, options, events);
  };
}

}  // namespace wake::push
