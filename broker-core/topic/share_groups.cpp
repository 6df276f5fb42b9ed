#include "broker-core/topic/share_groups.hpp"

#include <algorithm>

namespace wake::broker {

std::optional<std::uint32_t> ShareGroups::join(std::string_view name, Member member, Readiness readiness) {
  std::optional<std::uint32_t> made;
  auto found = numbers_.find(name);
  if (found == numbers_.end()) {
    if (free_groups_.empty()) {
      made = static_cast<std::uint32_t>(groups_.size());
      groups_.emplace_back();
    } else {
      made = free_groups_.back();
      free_groups_.pop_back();
    }
    groups_[*made].name = std::make_shared<const std::string>(name);
    found = numbers_.emplace(*groups_[*made].name, *made).first;
  }
  std::unique_ptr<Peer>& peer = peers_[member];
  if (!peer) peer = std::make_unique<Peer>(Peer{member, readiness, 0});
  peer->readiness = readiness;
  Group& group = groups_[found->second];
  if (std::ranges::find(group.members, peer.get()) == group.members.end()) {
    group.members.push_back(peer.get());
    ++peer->group_count;
  }
  return made;
}

std::optional<std::uint32_t> ShareGroups::leave(std::string_view name, Member member) {
  const auto found = numbers_.find(name);
  const auto peer = peers_.find(member);
  if (found == numbers_.end() || peer == peers_.end()) return std::nullopt;
  const std::uint32_t number = found->second;
  Group& group = groups_[number];
  const auto place = std::ranges::find(group.members, peer->second.get());
  if (place == group.members.end()) return std::nullopt;
  const auto position = static_cast<std::size_t>(place - group.members.begin());
  group.members.erase(place);
  if (group.next > position) --group.next;
  if (--peer->second->group_count == 0) peers_.erase(peer);
  if (!group.members.empty()) return std::nullopt;
  numbers_.erase(found);
  group = Group{};
  free_groups_.push_back(number);
  return number;
}

void ShareGroups::set_readiness(Member member, Readiness readiness) {
  const auto peer = peers_.find(member);
  if (peer != peers_.end()) peer->second->readiness = readiness;
}

std::size_t ShareGroups::member_count(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? 0 : groups_[found->second].members.size();
}

ShareGroups::Turn ShareGroups::pick(std::uint32_t number) {
  Group& group = groups_[number];
  const std::size_t count = group.members.size();
  std::size_t best = group.next % count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t position = (group.next + i) % count;
    if (group.members[position]->readiness < group.members[best]->readiness) best = position;
    if (group.members[best]->readiness == Readiness::Free) break;
  }
  group.next = best + 1;
  return {group.members[best]->member, group.name};
}

std::optional<ShareGroups::Turn> ShareGroups::pick(std::string_view name) {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return std::nullopt;
  return pick(found->second);
}

}  // namespace wake::broker
