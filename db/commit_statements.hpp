// From batches of several shards to the few statements of one transaction (db/sql/commit.sql). Pure: no
// connection, no clock.
#pragma once

#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "broker-core/persist.hpp"
#include "db/pq/session.hpp"

namespace wake::db {

/// The queries that make_commit_statements() uses, to be prepared once per connection.
std::span<const Query* const> commit_queries();

struct CommitContext {
  int node = -1;          // our node number, which claims outbox rows and sessions; -1: none
  broker::UtcTime now{};  // the lease of a claim counts from here
};

/// Batches that may share a transaction, in order of submission. Holds pointers: the batches must outlive it.
class CommitGroup {
 public:
  /// Adds the batch, or answers false: it purges a session that an earlier batch of the group touches, and a
  /// transaction purges first and stores later, so this batch must wait for the next one. The first batch is
  /// always taken.
  bool try_add(const broker::Persist& batch);
  std::span<const broker::Persist* const> batches() const { return batches_; }

 private:
  bool purges_what_is_touched(const broker::Persist& batch);
  void index_new_batches();

  std::vector<const broker::Persist*> batches_;
  std::unordered_set<std::string_view>
      touched_;  // client ids of the first indexed_ batches; filled when a purge asks
  std::size_t indexed_ = 0;
};

/// One transaction's statements for the group, in order: purged sessions, stored sessions, subscriptions,
/// messages, who is owed them, what QoS 2 must remember, removals, retained, wills. Where two batches change
/// the same row, the later one wins.
std::vector<pq::Statement> make_commit_statements(const CommitGroup& group, const CommitContext& context);

}  // namespace wake::db
