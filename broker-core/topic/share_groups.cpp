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
  if (!peer) peer = std::make_unique<Peer>(Peer{member, readiness, {}});
  move_to(*peer, readiness);
  if (peer->places.contains(found->second)) return made;
  Group& group = groups_[found->second];
  Line& line = group.line(readiness);
  peer->places.emplace(found->second, line.insert(line.end(), peer.get()));
  ++group.member_count;
  return made;
}

std::optional<std::uint32_t> ShareGroups::leave(std::string_view name, Member member) {
  const auto found = numbers_.find(name);
  const auto known = peers_.find(member);
  if (found == numbers_.end() || known == peers_.end()) return std::nullopt;
  const std::uint32_t number = found->second;
  Peer& peer = *known->second;
  const auto place = peer.places.find(number);
  if (place == peer.places.end()) return std::nullopt;
  Group& group = groups_[number];
  group.line(peer.readiness).erase(place->second);
  peer.places.erase(place);
  if (peer.places.empty()) peers_.erase(known);
  if (--group.member_count > 0) return std::nullopt;
  numbers_.erase(found);
  group = Group{};
  free_groups_.push_back(number);
  return number;
}

void ShareGroups::set_readiness(Member member, Readiness readiness) {
  const auto peer = peers_.find(member);
  if (peer != peers_.end()) move_to(*peer->second, readiness);
}

void ShareGroups::move_to(Peer& peer, Readiness readiness) {
  if (peer.readiness == readiness) return;
  for (const auto& [number, place] : peer.places) {
    Line& line = groups_[number].line(readiness);
    line.splice(line.end(), groups_[number].line(peer.readiness), place);
  }
  peer.readiness = readiness;
}

std::size_t ShareGroups::member_count(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? 0 : groups_[found->second].member_count;
}

ShareGroups::Turn ShareGroups::pick(std::uint32_t number) {
  Group& group = groups_[number];
  Line& best = *std::ranges::find_if(group.lines, [](const Line& line) { return !line.empty(); });
  best.splice(best.end(), best, best.begin());
  return {best.back()->member, group.name};
}

std::optional<ShareGroups::Turn> ShareGroups::pick(std::string_view name) {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return std::nullopt;
  return pick(found->second);
}

}  // namespace wake::broker
