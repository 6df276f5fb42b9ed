#include "gateway/will_heir.hpp"

#include <string>

#include "db/will_store.hpp"
#include "gateway/clock.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
constexpr int kWillsPerLook = 1'000;  // payloads come along, of up to 64 KiB
}

milliseconds WillHeir::look(int number) {
  if (number < 0) {
    vacancies_.forget();
    return seconds(1);
  }
  try {
    milliseconds wait = seconds(1);
    pool_.with([&](db::Connection& connection) {
      const broker::Now now = read_clocks();
      for (const int from : vacancies_.gone(db::vacant_numbers(connection), now.steady)) {
        auto wills =
            db::inherit_wills(connection, from, static_cast<unsigned>(number), now.utc, kWillsPerLook);
        if (wills.empty()) continue;
        log(LogLevel::Info, "wills.inherited",
            std::to_string(wills.size()) + " of node " + std::to_string(from) + ", which is gone");
        if (wills.size() == kWillsPerLook) wait = milliseconds(50);
        for (broker::WillRecord& will : wills) give_(std::move(will));
      }
    });
    return wait;
  } catch (const std::exception& error) {
    vacancies_.forget();
    log(LogLevel::Debug, "wills.not_inherited",
        error.what());  // the commit queue tells of an away PostgreSQL
    return seconds(2);
  }
}

}  // namespace wake::gateway
