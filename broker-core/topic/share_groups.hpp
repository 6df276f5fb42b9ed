// Shared subscriptions (v5 §4.8.2): who is in which group, and whose turn it is.
//
// Every shard keeps the members of all groups, told by mail as interest is. So the shard on which a message
// starts picks its receiver alone, and nobody else does: one member gets it over all shards. What it knows of
// members elsewhere may be late by one mail; a member that is gone meanwhile has its turn passed on by its
// own shard, which is never late about its own. Threads: none; one shard owns one.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wake::broker {

/// How well a member can take a message, best first.
enum class Readiness : std::uint8_t {
  Free,  // connected, and the next message leaves at once
  Busy,  // connected, others wait before it
  Away,  // kept for its return
  Full,  // its queue takes no more
};

/// "$share/NAME/FILTER" as subscribed; shared by deliveries and mail.
using ShareName = std::shared_ptr<const std::string>;

class ShareGroups {
 public:
  struct Member {
    unsigned shard = 0;
    std::uint64_t session = 0;  // Session::key() on that shard
    friend auto operator<=>(const Member&, const Member&) = default;
  };
  struct Turn {
    Member member;
    ShareName name;
  };

  /// The group's number, when it is new: put it into the index of filters. Joining twice changes nothing.
  std::optional<std::uint32_t> join(std::string_view name, Member member, Readiness readiness);
  /// The group's number, when it was its last member: take it out of the index of filters.
  std::optional<std::uint32_t> leave(std::string_view name, Member member);
  void set_readiness(Member member, Readiness readiness);
  std::size_t member_count(std::string_view name) const;

  /// The next in turn among those who can take it best. O(1), whoever is free or not.
  Turn pick(std::uint32_t group);
  /// By name; nullopt when nobody is in it.
  std::optional<Turn> pick(std::string_view name);

 private:
  struct Peer;
  /// Members of one readiness: the next in turn first, whoever was picked or has just joined it last.
  using Line = std::list<Peer*>;
  static constexpr std::size_t kReadinesses = static_cast<std::size_t>(Readiness::Full) + 1;
  struct Peer {
    Member member;
    Readiness readiness = Readiness::Free;
    std::unordered_map<std::uint32_t, Line::iterator> places;  // by group, in the line of its readiness
  };
  struct Group {
    ShareName name;
    std::array<Line, kReadinesses> lines;
    std::size_t member_count = 0;
    Line& line(Readiness readiness) { return lines[static_cast<std::size_t>(readiness)]; }
  };
  void move_to(Peer& peer, Readiness readiness);

  std::map<Member, std::unique_ptr<Peer>> peers_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> free_groups_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;  // keys live in Group::name
};

}  // namespace wake::broker
