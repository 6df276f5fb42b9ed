// Takes over the wills of another gateway on the same database that is gone, while this one runs. Every
// living gateway looks each second; PostgreSQL gives each will to one of them (db/will_store.hpp). A gateway
// that is cut off from PostgreSQL for longer than Vacancies::kGrace, while others are not, is gone as far as
// they know: the wills of its clients are published though these may be connected to it still. Threads: one
// at a time, may block.
#pragma once

#include <chrono>
#include <functional>

#include "broker-core/persist.hpp"
#include "db/pool.hpp"
#include "gateway/vacancies.hpp"

namespace wake::gateway {

class WillHeir {
 public:
  /// `give` hands a will to its home shard (Broker::load_will). `pool` outlives it.
  WillHeir(db::Pool& pool, std::function<void(broker::WillRecord&&)> give)
      : pool_(pool), give_(std::move(give)) {}

  /// One look. `number`: ours, or negative while we have none. When to look again.
  std::chrono::milliseconds look(int number);

 private:
  db::Pool& pool_;
  const std::function<void(broker::WillRecord&&)> give_;
  Vacancies vacancies_;
};

}  // namespace wake::gateway
