// What a principal may do with topics (contract §6), as a value: made off the shard by whoever authenticated,
// held by the session, replaced when the registry changes. Pure: no lookup, no cache.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::broker {

/// A rule of acl_rules with %u and %c already put in.
struct AclRule {
  bool may_publish = false;
  bool may_subscribe = false;
  std::string filter;
};

struct Grants {
  bool is_superuser = false;                   // anonymous development clients: everything
  bool may_see_sys = false;                    // $SYS/#: services and anonymous development clients
  std::vector<std::string> device_ids;         // sorted; each is a level the topic must hold
  std::vector<std::string> publish_filters;    // a service's key with scope publish
  std::vector<std::string> subscribe_filters;  // a service's key with scope subscribe
  std::vector<AclRule> rules;

  /// `topic` is a valid topic name. $SYS and $wake are never publishable here (the gateway handles $wake
  /// itself).
  bool may_publish(std::string_view topic) const;
  /// `filter` is a valid filter, without its $share prefix: granted only if every topic it can match is
  /// granted, by one device id, filter or rule alone. "+/+/ID/#" is, with that id; "#" is not. Never
  /// $wake/..., and $SYS/... with may_see_sys only.
  bool may_subscribe(std::string_view filter) const;
  /// May this topic be delivered to the principal (a change of grants reaches queued and retained messages)?
  /// $wake/events always: only the gateway writes it, and only to the one it is about.
  bool may_receive(std::string_view topic) const;
};

}  // namespace wake::broker
