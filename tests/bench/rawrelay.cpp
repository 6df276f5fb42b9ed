// rawrelay - the physical-limit reference: the least work a single-threaded epoll process can do
// while still looking like an MQTT 3.1.1 broker to mqttload.  NOT a broker: no sessions, no topic
// tree, no QoS state, no checks.  It gives "broker CPU us per delivered message" a floor that is
// measured in the same run, on the same kernel, under the same load.
//
//   build:  g++ -std=c++20 -O2 -Wall -Wextra -o rawrelay rawrelay.cpp
//   run:    rawrelay [--host 127.0.0.1] [--port 1883] [--route all|exact]
//
// CONNECT -> CONNACK, SUBSCRIBE -> SUBACK, PINGREQ -> PINGRESP, QoS 1 PUBLISH -> PUBACK.
// A PUBLISH is forwarded byte for byte (no copy, no new packet id), so a subscriber must ask for
// the QoS that is published:
//   --route all    to every subscribed connection, whatever the topic (fanout on one topic, fanin)
//   --route exact  by one hash lookup of the topic; a filter with + or # receives everything (p2p)
// One round = everything epoll reports. All reads of a round land in one arena, then each touched
// connection gets one writev for the whole round; what the socket does not take is copied and kept.
#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

using u8 = uint8_t;
struct Conn {
  int fd;
  bool out_armed = false, touched = false, in_all = false, dead = false;
  std::string part;        // incomplete packet
  std::string own;         // our answers of this round (CONNACK, SUBACK, PUBACK, PINGRESP)
  std::string pend;        // what the socket did not take
  std::vector<iovec> iov;  // forwarded bytes of this round (--route exact)
  std::vector<std::string> subs;
};
static int ep;
static bool exact = false;
static std::vector<Conn*> all_subs, touched, graveyard;
static std::vector<iovec> shared_iov;  // forwarded bytes of this round (to all_subs)
struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};
static std::unordered_map<std::string, std::vector<Conn*>, Hash, std::equal_to<>> by_topic;
static const size_t ARENA = 4 << 20, CHUNK = 256 << 10, PEND_MAX = 256 << 20;
static std::vector<u8> arena(ARENA);
static size_t arena_used = 0;

static void touch(Conn* c) {
  if (!c->touched) c->touched = true, touched.push_back(c);
}
static void drop(Conn* c) {
  if (c->dead) return;
  c->dead = true;
  close(c->fd);
  std::erase(all_subs, c);
  for (auto& s : c->subs) {
    auto it = by_topic.find(s);
    if (it != by_topic.end()) {
      std::erase(it->second, c);
      if (it->second.empty()) by_topic.erase(it);
    }
  }
  graveyard.push_back(c);
}
static void arm(Conn* c, bool out) {
  if (c->out_armed == out) return;
  c->out_armed = out;
  epoll_event e{};
  e.events = EPOLLIN | (out ? unsigned(EPOLLOUT) : 0u);
  e.data.ptr = c;
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void add_iov(std::vector<iovec>& v, const u8* p, size_t n) {
  if (!v.empty() && static_cast<u8*>(v.back().iov_base) + v.back().iov_len == p)
    v.back().iov_len += n;
  else
    v.push_back({const_cast<u8*>(p), n});
}
// Writes `v` (not kept); copies the rest to pend.
static void send_iov(Conn* c, const std::vector<iovec>& v) {
  size_t i = 0, off = 0;
  if (c->pend.empty())
    while (i < v.size()) {
      iovec tmp[64];
      size_t k = 0;
      for (size_t j = i; j < v.size() && k < 64; j++, k++) tmp[k] = v[j];
      tmp[0].iov_base = static_cast<u8*>(tmp[0].iov_base) + off, tmp[0].iov_len -= off;
      ssize_t n =
          k == 1 ? send(c->fd, tmp[0].iov_base, tmp[0].iov_len, MSG_NOSIGNAL) : writev(c->fd, tmp, int(k));
      if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) break;
        return drop(c);
      }
      size_t left = size_t(n) + off;
      off = 0;
      bool full = true;
      for (size_t j = 0; j < k; j++) {
        if (left >= v[i].iov_len)
          left -= v[i].iov_len, i++;
        else {
          off = left, full = false;
          break;
        }
      }
      if (!full) break;
    }
  for (; i < v.size(); i++, off = 0)
    c->pend.append(static_cast<char*>(v[i].iov_base) + off, v[i].iov_len - off);
  if (!c->pend.empty()) arm(c, true);
  if (c->pend.size() > PEND_MAX) fprintf(stderr, "rawrelay: slow subscriber dropped\n"), drop(c);
}
static void end_round() {
  if (!shared_iov.empty()) {
    auto list = all_subs;  // drop() edits all_subs
    for (Conn* c : list)
      if (!c->dead) send_iov(c, shared_iov);
    shared_iov.clear();
  }
  for (Conn* c : touched) {
    c->touched = false;
    if (!c->dead && !c->own.empty()) c->iov.push_back({c->own.data(), c->own.size()});
    if (!c->dead && !c->iov.empty()) send_iov(c, c->iov);
    c->iov.clear(), c->own.clear();
  }
  touched.clear();
  arena_used = 0;
  for (Conn* c : graveyard) delete c;
  graveyard.clear();
}
static void packet(Conn* c, const u8* frame, size_t total, const u8* body, size_t n) {
  switch (frame[0] >> 4) {
    case 1:
      c->own.append("\x20\x02\x00\x00", 4);
      touch(c);
      break;
    case 12:
      c->own.append("\xd0\x00", 2);
      touch(c);
      break;
    case 14:
      drop(c);
      break;
    case 8: {  // SUBSCRIBE: grant what is asked
      std::string codes;
      for (size_t p = 2; p + 3 <= n;) {
        size_t l = size_t(body[p] << 8 | body[p + 1]);
        if (p + 3 + l > n) return drop(c);
        std::string f(reinterpret_cast<const char*>(body + p + 2), l);
        codes.push_back(char(std::min<u8>(body[p + 2 + l] & 3, 1)));
        p += 3 + l;
        if (!exact || f.find_first_of("+#") != f.npos) {
          if (!c->in_all) c->in_all = true, all_subs.push_back(c);
        } else {
          by_topic[f].push_back(c);
          c->subs.push_back(f);
        }
      }
      c->own.push_back(char(0x90));
      size_t l = 2 + codes.size();
      do {
        u8 b = l & 127;
        l >>= 7;
        c->own.push_back(char(l ? b | 128 : b));
      } while (l);
      c->own.append(reinterpret_cast<const char*>(body), 2);
      c->own += codes;
      touch(c);
      break;
    }
    case 3: {
      if (n < 2) return drop(c);
      size_t tl = size_t(body[0] << 8 | body[1]);
      int qos = frame[0] >> 1 & 3;
      if (2 + tl + (qos ? 2u : 0u) > n) return drop(c);
      if (qos == 1) {
        c->own.append("\x40\x02", 2).append(reinterpret_cast<const char*>(body + 2 + tl), 2);
        touch(c);
      }
      if (!all_subs.empty()) add_iov(shared_iov, frame, total);
      if (exact) {
        auto it = by_topic.find(std::string_view(reinterpret_cast<const char*>(body + 2), tl));
        if (it != by_topic.end())
          for (Conn* s : it->second) add_iov(s->iov, frame, total), touch(s);
      }
      break;
    }
    default:
      break;  // PUBACK and the rest
  }
}
static void readable(Conn* c) {
  size_t have = c->part.size(), want = have + CHUNK;
  if (arena_used + want > arena.size()) {
    end_round();
    if (want > arena.size()) arena.resize(want * 2);  // a very big packet
  }
  u8* base = arena.data() + arena_used;
  if (have) memcpy(base, c->part.data(), have);
  ssize_t n = recv(c->fd, base + have, CHUNK, 0);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) drop(c);
    return;
  }
  size_t tot = have + size_t(n), pos = 0;
  arena_used += tot;
  while (tot - pos >= 2 && !c->dead) {
    size_t len = 0, h = 1;
    bool whole = false;
    for (int sh = 0; h <= 4 && pos + h < tot; sh += 7) {
      u8 b = base[pos + h++];
      len |= size_t(b & 127) << sh;
      if (!(b & 128)) {
        whole = true;
        break;
      }
    }
    if (!whole && h > 4) return drop(c);
    if (!whole || tot - pos < h + len) break;
    packet(c, base + pos, h + len, base + pos + h, len);
    pos += h + len;
  }
  if (tot - pos)
    c->part.assign(reinterpret_cast<char*>(base + pos), tot - pos);
  else if (have)
    std::string().swap(c->part);
}
int main(int argc, char** argv) {
  const char* host = "127.0.0.1";
  int port = 1883;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string k = argv[i];
    if (k == "--host")
      host = argv[i + 1];
    else if (k == "--port")
      port = atoi(argv[i + 1]);
    else if (k == "--route")
      exact = !strcmp(argv[i + 1], "exact");
    else
      return fprintf(stderr, "rawrelay: unknown option %s\n", argv[i]), 2;
  }
  signal(SIGPIPE, SIG_IGN);
  rlimit rl;
  if (!getrlimit(RLIMIT_NOFILE, &rl)) rl.rlim_cur = rl.rlim_max, setrlimit(RLIMIT_NOFILE, &rl);
  int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in a{};
  a.sin_family = AF_INET, a.sin_port = htons(uint16_t(port));
  if (inet_pton(AF_INET, host, &a.sin_addr) != 1 || bind(ls, reinterpret_cast<sockaddr*>(&a), sizeof a) ||
      listen(ls, 4096))
    return perror("rawrelay: listen"), 2;
  ep = epoll_create1(0);
  epoll_event e{};
  e.events = EPOLLIN;
  epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
  static epoll_event ev[1024];
  for (;;) {
    int n = epoll_wait(ep, ev, 1024, -1);
    for (int i = 0; i < n; i++) {
      auto* c = static_cast<Conn*>(ev[i].data.ptr);
      if (!c) {
        for (int fd; (fd = accept4(ls, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          e.data.ptr = new Conn{fd, false, false, false, false, {}, {}, {}, {}, {}};
          e.events = EPOLLIN;
          epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        }
        continue;
      }
      if (c->dead) continue;
      if ((ev[i].events & EPOLLOUT) && !c->pend.empty()) {
        ssize_t w = send(c->fd, c->pend.data(), c->pend.size(), MSG_NOSIGNAL);
        if (w > 0)
          c->pend.erase(0, size_t(w));
        else if (w < 0 && errno != EAGAIN && errno != EINTR)
          drop(c);
        if (!c->dead && c->pend.empty()) std::string().swap(c->pend), arm(c, false);
      }
      if (!c->dead && (ev[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) readable(c);
    }
    end_round();
  }
}
