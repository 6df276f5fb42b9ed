// mqttload - MQTT 3.1.1 load generator: one file, one thread, Linux epoll, no dependencies.
//
//   build:           g++ -std=c++20 -O2 -Wall -Wextra -o mqttload mqttload.cpp
//   build with TLS:  g++ -std=c++20 -O2 -DWITH_TLS -o mqttload mqttload.cpp -lssl -lcrypto
//   help:            mqttload --help
//
// How it measures
//  * Every payload starts with a 24-byte header (magic, stream, sequence, CLOCK_MONOTONIC ns), so
//    loss, duplicates and disorder are counted per (subscriber, stream) with exact bitmaps, and
//    latency is publish-to-receive within this one process.
//  * "broker CPU us per message" = CPU time of --broker-pid (all its threads, ns resolution through
//    clock_getcpuclockid) over the messages delivered in the same window, drain included. CPU time
//    barely moves when other work shares the machine; msgs/s and latency do move.
//  * Max-rate runs are closed loop: at most --inflight deliveries are outstanding, so a broker is
//    never forced to drop or to queue without bound. Their latency is only that queue's length.
//  * Fixed-rate runs (--rate) stamp the *scheduled* send time, so a stall is not hidden
//    (no coordinated omission).
#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i64 = int64_t;
using std::string;
using std::vector;

static u64 now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return u64(t.tv_sec) * 1000000000ull + u64(t.tv_nsec);
}
[[noreturn]] static void die(const char* fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fputs("mqttload: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputc('\n', stderr);
  va_end(ap);
  exit(2);
}
static volatile sig_atomic_t g_stop = 0;

// ---------------------------------------------------------------- options
static const char* HELP = R"(usage: mqttload SCENARIO [--key value ...]

scenarios
  fanout   --pubs P --subs N --topics T      every publisher to every topic, subscriber i on topic i%T
  fanin    --pubs N --subs F [--share grp]   N publishers, F wildcard (or $share) subscribers
  p2p      --pairs N                         publisher i -> topic i -> subscriber i
  idle     --conns C --hold S [--sub 1]      open, keep alive, report memory per connection
  connect  --conc N                          connect / CONNACK / DISCONNECT cycles
  offline  --subs N --topics T --pubs P      N persistent sessions go away, P publishers send
           --phase all|publish|drain         QoS 1 messages, subscribers return and drain
  subs     --sessions M --filters K          M*K filters (--mix exact,plus,hash percent), then publish

common   --host 127.0.0.1 --port 1883 --username U --password P --client-prefix X --tls 1
         --qos 0|1 --size BYTES(>=24) --keepalive S --clean 0|1
         --messages M  and/or  --duration S  (default 5 s)   --warmup S   --max-time S (hard stop)
         --rate R msgs/s over all publishers (0 = max, closed loop)
         --window W   unacknowledged QoS 1 publishes per publisher (default 64)
         --inflight D outstanding deliveries in max-rate runs (default 20000; 0 = open loop)
         --batch B    publishes appended per publisher per turn in max-rate runs (default 16)
         --conc N     connects in progress (default 50)   --connect-rate R/s (0 = as fast as possible)
         --bind-count B  use source addresses 127.0.0.2 .. 127.0.0.(B+1): about 28k connections each
                         (the open-file limit of both processes still applies; connection tracking
                         may keep every closed connection for 2 minutes, so bound connect runs)
         --drain-timeout S  give up on missing messages after S seconds without progress (default 5)
         --broker-pid PID[,PID..]
         --count-pid PID[,PID..]  CPU counted along with the broker's, never killed: its database
offline  --acklog FILE (written by publish, read by drain: which messages the broker acknowledged)
         --kill 1 (SIGKILL --broker-pid right after the last PUBACK) --kill-after N (after N PUBACKs)
         --keep 1 (leave the sessions on the broker)
subs     --subs-per-packet N (default 50) --nomatch PERCENT of publishes that match nothing

The last line on stdout is one JSON object. Exit status: 0 ran, 1 ran but lost/duplicated QoS 1
messages or could not connect everything, 2 usage or fatal error.
)";

struct Opts {
  std::map<string, string> m;
  std::map<string, bool> used;
  string s(const char* k, const char* def) {
    used[k] = true;
    auto i = m.find(k);
    return i == m.end() ? def : i->second;
  }
  i64 i(const char* k, i64 def) {
    used[k] = true;
    auto it = m.find(k);
    if (it == m.end()) return def;
    char* e = nullptr;
    i64 v = strtoll(it->second.c_str(), &e, 10);
    if (*e) die("--%s: not a number: %s", k, it->second.c_str());
    return v;
  }
  double d(const char* k, double def) {
    used[k] = true;
    auto it = m.find(k);
    return it == m.end() ? def : atof(it->second.c_str());
  }
};

struct Cfg {
  string host, user, pass, prefix, share, phase, acklog;
  int port, qos, keepalive, clean;
  size_t size;
  u64 messages;
  double duration, warmup, max_time, rate, connect_rate, drain_timeout, hold;
  u32 window, batch, conc, bind_count;
  i64 inflight;
  vector<pid_t> pids, counted;
  u32 pubs, subs, topics, pairs, conns, sessions, filters, spp;
  int mix[3], nomatch;
  bool tls, kill, keep, sub;
  u64 kill_after;
  bool has_pass = false;
};
static Cfg C;

// ---------------------------------------------------------------- latency histogram (<1.6% error)
struct Hist {
  vector<u64> b = vector<u64>(64 * 60, 0);
  u64 n = 0, mx = 0;
  void add(u64 v) {
    u32 idx;
    if (v < 64) {
      idx = u32(v);
    } else {
      int sh = 63 - __builtin_clzll(v) - 6;
      idx = 64 + u32(sh) * 64 + u32((v >> sh) - 64);
    }
    b[idx]++, n++;
    if (v > mx) mx = v;
  }
  double q(double p) const {  // ns
    if (!n) return 0;
    u64 want = u64(std::ceil(p * double(n))), acc = 0;
    for (u32 i = 0; i < b.size(); i++) {
      acc += b[i];
      if (acc >= want && acc) {
        if (i < 64) return i;
        u32 sh = (i - 64) / 64;
        u64 v = (u64(64 + (i - 64) % 64) << sh) + ((1ull << sh) >> 1);
        return double(std::min(v, mx));
      }
    }
    return double(mx);
  }
  void reset() { std::fill(b.begin(), b.end(), 0), n = mx = 0; }
};

// ---------------------------------------------------------------- exact loss / duplicate tracking
struct Track {
  vector<u64> bits;
  u64 next = 0, uniq = 0;
  // 0 = first time and in order, 1 = first time but late (out of order), 2 = duplicate
  int add(u64 seq) {
    size_t w = seq >> 6;
    if (w >= bits.size()) bits.resize(std::max<size_t>(w + 1, bits.size() * 2));
    u64 m = 1ull << (seq & 63);
    if (bits[w] & m) return 2;
    bits[w] |= m;
    uniq++;
    if (seq < next) return 1;
    next = seq + 1;
    return 0;
  }
};

// ---------------------------------------------------------------- what the broker process uses
struct Sample {
  u64 t = 0, cpu_ns = 0, counted_ns = 0, utime = 0, stime = 0;  // utime/stime in clock ticks
  u64 rss_kb = 0, pss_kb = 0, hwm_kb = 0, vol = 0, invol = 0, threads = 0;
  u64 self_cpu_ns = 0;
};
static u64 file_kb(const string& path, const char* key) {
  FILE* f = fopen(path.c_str(), "r");
  if (!f) return 0;
  char line[256];
  u64 v = 0;
  while (fgets(line, sizeof line, f))
    if (!strncmp(line, key, strlen(key))) {
      v = strtoull(line + strlen(key), nullptr, 10);
      break;
    }
  fclose(f);
  return v;
}
static u64 cpu_ns_of(pid_t p) {
  clockid_t clk;
  timespec ts;
  if (clock_getcpuclockid(p, &clk) || clock_gettime(clk, &ts)) return 0;
  return u64(ts.tv_sec) * 1000000000ull + u64(ts.tv_nsec);
}
static Sample sample(bool memory) {
  Sample s;
  for (pid_t p : C.counted) s.counted_ns += cpu_ns_of(p);
  s.cpu_ns = s.counted_ns;
  for (pid_t p : C.pids) {
    string d = "/proc/" + std::to_string(p);
    s.cpu_ns += cpu_ns_of(p);
    if (FILE* f = fopen((d + "/stat").c_str(), "r")) {
      char buf[1024];
      buf[fread(buf, 1, sizeof buf - 1, f)] = 0;
      fclose(f);
      unsigned long ut = 0, st = 0, thr = 0;
      if (char* q = strrchr(buf, ')'))
        sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %lu", &ut, &st,
               &thr);
      s.utime += ut, s.stime += st, s.threads += thr;
    }
    if (DIR* dir = opendir((d + "/task").c_str())) {  // context switches are counted per thread
      while (dirent* e = readdir(dir))
        if (e->d_name[0] != '.') {
          string t = d + "/task/" + e->d_name + "/status";
          s.vol += file_kb(t, "voluntary_ctxt_switches:");
          s.invol += file_kb(t, "nonvoluntary_ctxt_switches:");
        }
      closedir(dir);
    }
    s.rss_kb += file_kb(d + "/status", "VmRSS:");
    s.hwm_kb += file_kb(d + "/status", "VmHWM:");
    if (memory) s.pss_kb += file_kb(d + "/smaps_rollup", "Pss:");
  }
  timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  s.self_cpu_ns = u64(ts.tv_sec) * 1000000000ull + u64(ts.tv_nsec);
  s.t = now_ns();
  return s;
}

// ---------------------------------------------------------------- connections
enum : u8 { CLOSED, TCP, TLSHS, WAIT, UP };
struct Conn {
  int fd = -1;
  u32 idx = 0;  // index within its role (subscriber i, publisher p, ...)
  u8 st = CLOSED;
  bool pub = false, want_out = false, clean = true, session_present = false, leaving = false;
  string cid;
  vector<u8> in, out;  // in: an incomplete packet; out: bytes the socket did not take yet
  size_t in_len = 0, need = 0, out_off = 0;
  u64 t0 = 0, ping_at = 0;
#ifdef WITH_TLS
  SSL* ssl = nullptr;
#endif
  size_t pending() const { return out.size() - out_off; }
};
static int g_ep;
static vector<Conn*> g_all;
static u64 g_deadline, g_rx_now, g_ping_scan, g_next_src;
static u32 g_connecting;
static vector<u8> g_rbuf(256 * 1024);
static struct {
  u64 up = 0, refused = 0, conn_fail = 0, down = 0;                        // connections
  u64 sent = 0, acked = 0, expected = 0, delivered = 0, dup = 0, ooo = 0;  // messages
  u64 bad = 0, misrouted = 0, late_credit = 0, stalls = 0, subs_failed = 0;
  u64 last_delivery = 0;
  Hist lat, acklat, connlat;
} W;
// what the running scenario does with packets
static std::function<void(Conn&)> h_up, h_down;
static std::function<void(Conn&, u16)> h_puback;
static std::function<void(Conn&, const u8*, size_t)> h_suback;
static std::function<void(Conn&, const u8* payload, size_t n)> h_publish;
#ifdef WITH_TLS
static SSL_CTX* g_ctx;
#endif

static ssize_t io_read(Conn& c, void* p, size_t n) {
#ifdef WITH_TLS
  if (c.ssl) {
    ERR_clear_error();
    int r = SSL_read(c.ssl, p, int(std::min<size_t>(n, 1 << 30)));
    if (r > 0) return r;
    int e = SSL_get_error(c.ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
      errno = EAGAIN;
      return -1;
    }
    errno = ECONNRESET;
    return e == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }
#endif
  return recv(c.fd, p, n, 0);
}
static ssize_t io_write(Conn& c, const void* p, size_t n) {
#ifdef WITH_TLS
  if (c.ssl) {
    ERR_clear_error();
    int r = SSL_write(c.ssl, p, int(std::min<size_t>(n, 1 << 20)));
    if (r > 0) return r;
    int e = SSL_get_error(c.ssl, r);
    errno = e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
  }
#endif
  return send(c.fd, p, n, MSG_NOSIGNAL);
}
static void arm(Conn& c, bool out) {
  if (c.want_out == out) return;
  c.want_out = out;
  epoll_event e{};
  e.events = EPOLLIN | (out ? u32(EPOLLOUT) : 0u);
  e.data.ptr = &c;
  epoll_ctl(g_ep, EPOLL_CTL_MOD, c.fd, &e);
}
static void shut(Conn& c) {  // close and tell the scenario
  if (c.fd < 0) return;
  u8 was = c.st;
#ifdef WITH_TLS
  if (c.ssl) SSL_free(c.ssl), c.ssl = nullptr;
#endif
  close(c.fd);
  c.fd = -1, c.st = CLOSED, c.in_len = c.need = c.out_off = 0;
  vector<u8>().swap(c.in);
  vector<u8>().swap(c.out);
  if (was != UP)
    g_connecting--, W.conn_fail++;
  else if (W.up--; !c.leaving)
    W.down++;
  if (h_down) h_down(c);
}
static bool flush(Conn& c) {
  while (c.pending()) {
    ssize_t n = io_write(c, c.out.data() + c.out_off, c.pending());
    if (n > 0) {
      c.out_off += size_t(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (c.out_off > 65536) c.out.erase(c.out.begin(), c.out.begin() + i64(c.out_off)), c.out_off = 0;
      arm(c, true);
      return true;
    } else {
      shut(c);
      return false;
    }
  }
  c.out.clear(), c.out_off = 0;
  arm(c, false);
  return true;
}

// ---------------------------------------------------------------- MQTT encoding
static void put_len(vector<u8>& o, size_t n) {
  do {
    u8 b = n & 127;
    n >>= 7;
    o.push_back(n ? b | 128 : b);
  } while (n);
}
static void put_u16(vector<u8>& o, size_t v) { o.push_back(u8(v >> 8)), o.push_back(u8(v)); }
static void put_str(vector<u8>& o, const string& s) {
  put_u16(o, s.size());
  o.insert(o.end(), s.begin(), s.end());
}
static void send_connect(Conn& c) {
  size_t n =
      10 + 2 + c.cid.size() + (C.user.empty() ? 0 : 2 + C.user.size()) + (C.has_pass ? 2 + C.pass.size() : 0);
  c.out.push_back(0x10);
  put_len(c.out, n);
  put_str(c.out, "MQTT");
  c.out.push_back(4);
  c.out.push_back(u8((c.clean ? 2 : 0) | (C.user.empty() ? 0 : 0x80) | (C.has_pass ? 0x40 : 0)));
  put_u16(c.out, size_t(C.keepalive));
  put_str(c.out, c.cid);
  if (!C.user.empty()) put_str(c.out, C.user);
  if (C.has_pass) put_str(c.out, C.pass);
  c.st = WAIT;
  flush(c);
}
static void send_subscribe(Conn& c, u16 pid, const vector<string>& f, int qos) {
  size_t n = 2;
  for (auto& s : f) n += 3 + s.size();
  c.out.push_back(0x82);
  put_len(c.out, n);
  put_u16(c.out, pid);
  for (auto& s : f) put_str(c.out, s), c.out.push_back(u8(qos));
  flush(c);
}
static void send_disconnect(Conn& c) {  // polite end; the peer's EOF is not counted as a failure
  if (c.st != UP) return;
  c.leaving = true;
  c.out.push_back(0xe0), c.out.push_back(0);
  flush(c);
}
static const u32 MAGIC = 0x4d51444c;
static const size_t HDR = 24;
static vector<u8> g_fill;  // payload filler
static void put_publish(Conn& c, const string& topic, int qos, u16 pid, u32 stream, u64 seq, u64 ts) {
  size_t n = 2 + topic.size() + (qos ? 2 : 0) + C.size;
  c.out.push_back(u8(0x30 | qos << 1));
  put_len(c.out, n);
  put_str(c.out, topic);
  if (qos) put_u16(c.out, pid);
  u8 h[HDR];
  memcpy(h, &MAGIC, 4), memcpy(h + 4, &stream, 4), memcpy(h + 8, &seq, 8), memcpy(h + 16, &ts, 8);
  c.out.insert(c.out.end(), h, h + HDR);
  c.out.insert(c.out.end(), g_fill.begin(), g_fill.begin() + i64(C.size - HDR));
}

// ---------------------------------------------------------------- MQTT decoding
static void on_packet(Conn& c, u8 type, const u8* p, size_t n) {
  switch (type >> 4) {
    case 2:  // CONNACK
      if (n < 2 || p[1] != 0) {
        W.refused++;
        shut(c);
        return;
      }
      c.session_present = p[0] & 1;
      g_connecting--, W.up++, c.st = UP;
      W.connlat.add(now_ns() - c.t0);
      if (C.keepalive)
        c.ping_at = now_ns() + u64(double(C.keepalive) * 1e9 * (0.4 + 0.35 * double(c.idx % 97) / 97));
      if (h_up) h_up(c);
      return;
    case 3: {  // PUBLISH
      int qos = type >> 1 & 3;
      size_t tl = n >= 2 ? size_t(p[0] << 8 | p[1]) : n, off = 2 + tl + (qos ? 2u : 0u);
      if (off > n) {
        W.bad++;
        return;
      }
      if (qos == 1)
        c.out.push_back(0x40), c.out.push_back(2), c.out.push_back(p[2 + tl]), c.out.push_back(p[3 + tl]);
      if (h_publish) h_publish(c, p + off, n - off);
      return;
    }
    case 4:  // PUBACK
      if (n >= 2 && h_puback) h_puback(c, u16(p[0] << 8 | p[1]));
      return;
    case 9:  // SUBACK
      for (size_t i = 2; i < n; i++) W.subs_failed += p[i] > 2;
      if (h_suback) h_suback(c, p, n);
      return;
    default:
      return;  // PINGRESP, UNSUBACK
  }
}
// Handles every complete packet in [p, p+n); returns the bytes used and sets c.need for the rest.
static size_t parse(Conn& c, const u8* p, size_t n) {
  size_t pos = 0;
  c.need = 0;
  while (n - pos >= 2) {
    size_t len = 0, h = 1;
    bool whole = false;
    for (int sh = 0; h <= 4 && pos + h < n; sh += 7) {
      u8 b = p[pos + h++];
      len |= size_t(b & 127) << sh;
      if (!(b & 128)) {
        whole = true;
        break;
      }
    }
    if (!whole) {
      if (h > 4) W.bad++, shut(c);
      break;
    }
    if (n - pos < h + len) {
      c.need = h + len;
      break;
    }
    on_packet(c, p[pos], p + pos + h, len);
    if (c.fd < 0) return n;
    pos += h + len;
  }
  return pos;
}
static void do_read(Conn& c) {
  for (bool more = true; more && c.fd >= 0;) {
    more = false;
    ssize_t n;
    if (c.in_len && c.need > g_rbuf.size() / 2) {  // a big packet: read straight into its own buffer
      if (c.in.size() < c.need) c.in.resize(c.need);
      n = io_read(c, c.in.data() + c.in_len, c.need - c.in_len);
      if (n > 0) {
        g_rx_now = now_ns();
        c.in_len += size_t(n);
        if (c.in_len == c.need) {
          size_t len = c.in_len;
          vector<u8> whole = std::move(c.in);
          c.in.clear(), c.in_len = 0;
          parse(c, whole.data(), len);
        }
        more = true;
      }
    } else {
      size_t have = c.in_len;
      if (have) memcpy(g_rbuf.data(), c.in.data(), have);
      n = io_read(c, g_rbuf.data() + have, g_rbuf.size() - have);
      if (n > 0) {
        g_rx_now = now_ns();
        size_t tot = have + size_t(n), used = parse(c, g_rbuf.data(), tot);
        if (c.fd < 0) return;
        c.in_len = tot - used;
        if (c.in_len)
          c.in.assign(g_rbuf.begin() + i64(used), g_rbuf.begin() + i64(tot));
        else if (c.in.capacity())
          vector<u8>().swap(c.in);
        more = tot == g_rbuf.size();
      }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
      shut(c);
      return;
    }
#ifdef WITH_TLS
    if (n > 0 && c.ssl && SSL_pending(c.ssl)) more = true;
#endif
  }
  if (c.fd >= 0 && c.pending() && !c.want_out) flush(c);  // the PUBACKs of this batch
}

// ---------------------------------------------------------------- event loop
static void tcp_up(Conn& c) {
#ifdef WITH_TLS
  if (C.tls) {
    if (!c.ssl) {
      c.ssl = SSL_new(g_ctx);
      SSL_set_fd(c.ssl, c.fd);
      SSL_set_connect_state(c.ssl);
      c.st = TLSHS;
    }
    ERR_clear_error();
    int r = SSL_do_handshake(c.ssl);
    if (r != 1) {
      int e = SSL_get_error(c.ssl, r);
      if (e == SSL_ERROR_WANT_READ)
        arm(c, false);
      else if (e == SSL_ERROR_WANT_WRITE)
        arm(c, true);
      else
        shut(c);
      return;
    }
  }
#endif
  send_connect(c);
}
static sockaddr_in g_dst;
static void start(Conn& c) {
  c.in_len = c.need = c.out_off = 0, c.out.clear();
  c.want_out = c.leaving = c.session_present = false;
  c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  c.t0 = now_ns();
  if (c.fd < 0) {
    W.conn_fail++;
    if (h_down) h_down(c);
    return;
  }
  int one = 1;
  setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (C.bind_count) {  // several loopback source addresses, port chosen at connect time
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(0x7f000002u + u32(g_next_src++ % C.bind_count));
    setsockopt(c.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(c.fd, reinterpret_cast<sockaddr*>(&a), sizeof a)) die("bind: %s", strerror(errno));
  }
  c.st = TCP;
  g_connecting++;
  int r = connect(c.fd, reinterpret_cast<sockaddr*>(&g_dst), sizeof g_dst);
  if (r && errno != EINPROGRESS) {
    shut(c);
    return;
  }
  epoll_event e{};
  e.events = EPOLLIN | EPOLLOUT;
  e.data.ptr = &c;
  c.want_out = true;
  epoll_ctl(g_ep, EPOLL_CTL_ADD, c.fd, &e);
  if (!r) tcp_up(c);
}
static void handle(Conn& c, u32 ev) {
  if (c.fd < 0) return;
  if (c.st == TCP) {
    if (!(ev & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
    int err = 0;
    socklen_t l = sizeof err;
    getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &err, &l);
    if (err)
      shut(c);
    else
      tcp_up(c);
    return;
  }
  if (c.st == TLSHS) return tcp_up(c);
  if (ev & (EPOLLIN | EPOLLERR | EPOLLHUP)) do_read(c);
  if (c.fd >= 0 && (ev & EPOLLOUT)) flush(c);
}
static bool expired() { return g_stop || now_ns() > g_deadline; }
static void poll_once(i64 timeout_ns) {
  static epoll_event ev[1024];
  timeout_ns = std::clamp<i64>(timeout_ns, 0, 100'000'000);
  timespec ts{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  static bool have2 = true;
  int n = -1;
  if (have2) {
    n = epoll_pwait2(g_ep, ev, 1024, &ts, nullptr);
    if (n < 0 && errno == ENOSYS) have2 = false;
  }
  if (!have2) n = epoll_wait(g_ep, ev, 1024, int((timeout_ns + 999'999) / 1'000'000));
  for (int i = 0; i < n; i++) handle(*static_cast<Conn*>(ev[i].data.ptr), ev[i].events);
  u64 t = now_ns();
  if (C.keepalive && t - g_ping_scan > 500'000'000) {
    g_ping_scan = t;
    for (Conn* c : g_all)
      if (c->st == UP && t > c->ping_at) {
        c->ping_at = t + u64(C.keepalive) * 750'000'000ull;
        c->out.push_back(0xc0), c->out.push_back(0);
        flush(*c);
      }
  }
}
static vector<Conn*> make_conns(u32 n, const char* role, bool pub, bool clean) {
  vector<Conn*> v;
  for (u32 i = 0; i < n; i++) {
    Conn* c = new Conn;  // lives until exit: events may still name it
    c->idx = i, c->pub = pub, c->clean = clean;
    c->cid = C.prefix + role + std::to_string(i);
    v.push_back(c);
    g_all.push_back(c);
  }
  return v;
}
// Connects all of v, --conc at a time; returns how many are up.
static u32 connect_all(vector<Conn*>& v) {
  size_t next = 0;
  u64 t0 = now_ns(), progress = t0, last = ~0ull;
  auto up = [&] {
    u32 n = 0;
    for (Conn* c : v) n += c->st == UP;
    return n;
  };
  while (!expired()) {
    u64 t = now_ns();
    while (next < v.size() && g_connecting < C.conc) {
      if (C.connect_rate > 0 && double(next) > C.connect_rate * double(t - t0) / 1e9) break;
      start(*v[next++]);
    }
    if (next == v.size() && !g_connecting) break;
    poll_once(C.connect_rate > 0 ? 1'000'000 : 20'000'000);
    u64 key = next * 1000003 + g_connecting;
    if (key != last) last = key, progress = now_ns();
    if (now_ns() - progress > 15'000'000'000ull) break;  // 15 s without any progress
  }
  return up();
}
static void disconnect_all(vector<Conn*>& v) {  // DISCONNECT, then wait for the broker's close
  for (Conn* c : v) send_disconnect(*c);
  u64 t = now_ns();
  auto left = [&] {
    for (Conn* c : v)
      if (c->fd >= 0) return true;
    return false;
  };
  while (left() && now_ns() - t < 3'000'000'000ull && !expired()) poll_once(5'000'000);
  for (Conn* c : v) {
    c->leaving = true;
    if (c->fd >= 0) shut(*c);
  }
}
// Subscribes connection i to filters(i), --subs-per-packet a packet, at most `conc` packets in flight.
static bool subscribe_all(vector<Conn*>& v, const std::function<vector<string>(u32)>& filters) {
  struct Cur {
    vector<string> f;
    size_t done = 0;
    u16 pid = 0;
  };
  size_t next = 0, flying = 0;
  std::map<Conn*, Cur> cur;
  auto push = [&](Conn& c, Cur& k) {
    size_t n = std::min<size_t>(C.spp, k.f.size() - k.done);
    vector<string> part(k.f.begin() + i64(k.done), k.f.begin() + i64(k.done + n));
    k.done += n;
    send_subscribe(c, ++k.pid, part, C.qos);
  };
  h_suback = [&](Conn& c, const u8*, size_t) {
    auto it = cur.find(&c);
    if (it == cur.end()) return;
    if (it->second.done < it->second.f.size()) return push(c, it->second);
    cur.erase(it), flying--;
  };
  u64 progress = now_ns(), last = ~0ull;
  while ((next < v.size() || flying) && !expired()) {
    while (next < v.size() && flying < C.conc) {
      Conn* c = v[next++];
      if (c->st != UP) continue;
      Cur& k = cur[c];
      k.f = filters(c->idx);
      if (k.f.empty()) {
        cur.erase(c);
        continue;
      }
      flying++;
      push(*c, k);
    }
    if (flying) poll_once(20'000'000);
    u64 key = next * 7919 + flying + (cur.empty() ? 0 : cur.begin()->second.done * 31);
    if (key != last) last = key, progress = now_ns();
    if (now_ns() - progress > 30'000'000'000ull) break;
  }
  h_suback = nullptr;
  return next == v.size() && !flying;
}

// ---------------------------------------------------------------- output
static string g_json;
static void js(const char* k, const string& raw) {
  g_json += (g_json.empty() ? "\"" : ",\"") + string(k) + "\":" + raw;
}
static void js(const char* k, const char* v) { js(k, "\"" + string(v) + "\""); }
static void js(const char* k, double v) {
  char b[64];
  if (!std::isfinite(v)) v = 0;
  snprintf(b, sizeof b, std::fabs(v - std::round(v)) < 1e-9 && std::fabs(v) < 1e15 ? "%.0f" : "%.4g", v);
  if (std::fabs(v) >= 10000) snprintf(b, sizeof b, "%.0f", v);
  js(k, string(b));
}
static void js_lat(const char* name, const Hist& h) {
  char b[200];
  snprintf(b, sizeof b, "{\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"n\":%llu}", h.q(.5) / 1e3,
           h.q(.99) / 1e3, h.q(.999) / 1e3, double(h.mx) / 1e3, static_cast<unsigned long long>(h.n));
  js(name, string(b));
  if (h.n)
    printf("%-22s p50 %.1f  p99 %.1f  p99.9 %.1f  max %.1f us  (n=%llu)\n", name, h.q(.5) / 1e3,
           h.q(.99) / 1e3, h.q(.999) / 1e3, double(h.mx) / 1e3, static_cast<unsigned long long>(h.n));
}
// CPU, context switches and memory between two samples; `per` is what one unit of work is.
static void js_broker(const Sample& a, const Sample& b, double units, const char* per) {
  double us = double(b.cpu_ns - a.cpu_ns) / 1e3, wall = double(b.t - a.t) / 1e3,
         tick = 1e6 / double(sysconf(_SC_CLK_TCK));
  double self = double(b.self_cpu_ns - a.self_cpu_ns) / 1e3;
  if (!C.pids.empty() && units > 0) {
    js((string("cpu_us_per_") + per).c_str(), us / units);
    js("ctx_per_k", double(b.vol + b.invol - a.vol - a.invol) * 1000 / units);
    printf(
        "broker CPU             %.3f us per %s (user %.0f%%), %.0f%% of one core, %.1f context switches per "
        "1000\n",
        us / units, per,
        100 * double(b.utime - a.utime) / std::max(1.0, double(b.utime + b.stime - a.utime - a.stime)),
        100 * us / wall, double(b.vol + b.invol - a.vol - a.invol) * 1000 / units);
  }
  js("counted_cpu_s", double(b.counted_ns - a.counted_ns) / 1e9);
  js("broker_cpu_s", us / 1e6), js("broker_user_s", double(b.utime - a.utime) * tick / 1e6);
  js("broker_sys_s", double(b.stime - a.stime) * tick / 1e6), js("broker_util", us / wall),
      js("load_util", self / wall);
  js("vol_ctx", double(b.vol - a.vol)), js("invol_ctx", double(b.invol - a.invol)), js("wall_s", wall / 1e6);
  js("rss_kb", double(b.rss_kb)), js("hwm_kb", double(b.hwm_kb)), js("threads", double(b.threads));
  printf("load generator         %.0f%% of one core;  broker RSS %.1f MB, peak %.1f MB\n", 100 * self / wall,
         double(b.rss_kb) / 1024, double(b.hwm_kb) / 1024);
}
static void js_counts() {
  i64 lost = i64(W.expected) - i64(W.delivered);
  js("sent", double(W.sent)), js("acked", double(W.acked)), js("expected", double(W.expected)),
      js("received", double(W.delivered));
  js("lost", double(lost)), js("duplicated", double(W.dup)), js("out_of_order", double(W.ooo)),
      js("misrouted", double(W.misrouted));
  js("bad", double(W.bad)), js("disconnects", double(W.down)),
      js("conn_failed", double(W.conn_fail + W.refused));
  js("stalls", double(W.stalls));
  printf(
      "sent %llu  expected %llu  received %llu  lost %lld  duplicated %llu  out of order %llu  misrouted "
      "%llu  disconnects %llu\n",
      (unsigned long long)W.sent, (unsigned long long)W.expected, (unsigned long long)W.delivered,
      (long long)lost, (unsigned long long)W.dup, (unsigned long long)W.ooo, (unsigned long long)W.misrouted,
      (unsigned long long)W.down);
}

// ---------------------------------------------------------------- publishers
struct Msg {
  const string* topic;
  u32 stream;
  u64 seq;
  u32 fan;  // how many deliveries it must cause
};
struct Pub {
  Conn* c;
  u64 n = 0, limit = ~0ull;
  bool dirty = false;
  struct Slot {
    u64 ts = 0, seq = 0;
    u32 stream = 0;
    bool busy = false;
  };
  vector<Slot> slot;  // one per packet id in use; id = index + 1
  vector<u16> ring;   // free ids, first in first out
  u32 head = 0, free = 0;
  void init(u32 w) {
    slot.assign(w, {}), ring.resize(w), head = 0, free = w;
    for (u32 i = 0; i < w; i++) ring[i] = u16(i);
  }
};
static vector<Pub> g_pubs;
static vector<Track> g_acked;  // per stream: what the broker acknowledged (only where asked for)
static bool g_log_acks = false;
static u64 g_unacked;
static void make_pubs(vector<Conn*>& v) {
  g_pubs.clear();
  g_pubs.resize(v.size());
  for (size_t i = 0; i < v.size(); i++) {
    g_pubs[i].c = v[i];
    if (C.qos) g_pubs[i].init(C.window);
  }
  h_puback = [](Conn& c, u16 pid) {
    if (!c.pub || !pid || pid > C.window) return;
    Pub& p = g_pubs[c.idx];
    auto& s = p.slot[pid - 1];
    if (!s.busy) return;
    s.busy = false;
    p.ring[(p.head + p.free++) % C.window] = u16(pid - 1);
    W.acklat.add(g_rx_now > s.ts ? g_rx_now - s.ts : 0);
    W.acked++, g_unacked--;
    if (g_log_acks) g_acked[s.stream].add(s.seq);
  };
}
// Appends one publish; false when this publisher must wait (window, socket, limit).
static bool publish(Pub& p, const Msg& m, u64 ts) {
  u16 pid = 0;
  if (C.qos) {
    u16 k = p.ring[p.head];
    p.head = (p.head + 1) % C.window, p.free--;
    p.slot[k] = {ts, m.seq, m.stream, true};
    pid = u16(k + 1);
    g_unacked++;
  }
  put_publish(*p.c, *m.topic, C.qos, pid, m.stream, m.seq, ts);
  p.dirty = true, p.n++;
  W.sent++, W.expected += m.fan;
  return true;
}
static bool can_publish(const Pub& p) {
  return p.c->st == UP && p.n < p.limit && p.c->pending() < 256 * 1024 && (!C.qos || p.free);
}
static void flush_pubs() {
  for (Pub& p : g_pubs)
    if (p.dirty) {
      p.dirty = false;
      if (p.c->fd >= 0 && !p.c->want_out) flush(*p.c);
    }
}
// The publish loop of every scenario: paced or closed loop, then drained.
struct PumpResult {
  Sample a, b;
  u64 delivered = 0, sent = 0, t0 = 0;
};
static PumpResult pump(const std::function<Msg(u32, u64)>& pick, bool closed_loop,
                       const std::function<void()>& tick = nullptr) {
  PumpResult r;
  double dur = C.duration;
  u64 begin = now_ns(), warm_end = begin + u64(C.warmup * 1e9),
      stop_at = dur > 0 ? warm_end + u64(dur * 1e9) : ~0ull;
  bool warm = C.warmup > 0, stopping = false;
  u64 issued = 0, seen = 0, seen_at = begin, stall_at = begin, stall_seen = 0;
  size_t turn = 0;
  r.a = sample(false), r.t0 = begin;
  auto outstanding = [&] { return i64(W.expected) - i64(W.delivered) - i64(W.late_credit); };
  while (!expired()) {
    u64 t = now_ns();
    if (warm && t >= warm_end) {  // measurement starts here
      warm = false;
      W.lat.reset(), W.acklat.reset();
      r.a = sample(false), r.t0 = r.a.t, r.delivered = W.delivered, r.sent = W.sent;
    }
    if (!stopping && ((C.messages && issued >= C.messages) || t >= stop_at)) stopping = true;
    i64 wait = 100'000'000;
    if (!stopping) {
      u64 budget = ~0ull;
      if (C.rate > 0) {
        u64 due = u64(double(t - begin) * C.rate / 1e9) + 1;
        budget = due > issued ? due - issued : 0;
      }
      if (C.messages) budget = std::min(budget, C.messages - issued);
      size_t blocked = 0;
      while (budget && blocked < g_pubs.size()) {
        if (closed_loop && C.rate <= 0 && C.inflight > 0 && outstanding() >= C.inflight) break;
        Pub& p = g_pubs[turn];
        u32 k = C.rate > 0 ? 1 : C.batch;
        bool any = false;
        for (; k && budget && can_publish(p); k--, budget--) {
          u64 ts = C.rate > 0 ? begin + u64(double(issued) * 1e9 / C.rate) : t;
          publish(p, pick(u32(turn), p.n), ts);
          issued++, any = true;
        }
        if (!any || p.c->pending() > 64 * 1024) {
          p.dirty = false;
          if (p.c->fd >= 0 && p.c->pending() && !p.c->want_out) flush(*p.c);
        }
        blocked = any ? 0 : blocked + 1;
        if (++turn == g_pubs.size()) turn = 0;
        if (C.rate <= 0 && turn == 0) break;  // one round, then look at the sockets
      }
      flush_pubs();
      if (C.rate > 0)
        wait =
            blocked < g_pubs.size() ? i64(double(issued) * 1e9 / C.rate) - i64(now_ns() - begin) : 1'000'000;
      if (C.rate <= 0 && blocked < g_pubs.size() &&
          !(closed_loop && C.inflight > 0 && outstanding() >= C.inflight))
        wait = 0;
    } else if (outstanding() <= 0 && !g_unacked) {
      break;
    }
    poll_once(wait);
    if (tick) tick();
    t = now_ns();
    u64 mark = W.delivered + W.acked;
    if (mark != seen) seen = mark, seen_at = t;
    if (stopping && t - seen_at > u64(C.drain_timeout * 1e9)) break;
    bool any_up = false;
    for (Pub& p : g_pubs) any_up |= p.c->st == UP;
    if (!any_up) break;  // the broker is gone
    // messages the broker dropped (QoS 0) must not stop a closed loop for ever
    if (W.delivered != stall_seen) stall_seen = W.delivered, stall_at = t;
    if (!stopping && closed_loop && outstanding() > 0 && t - stall_at > 1'000'000'000ull && C.rate <= 0)
      W.late_credit += u64(outstanding()), W.stalls++, stall_at = t;
  }
  r.b = sample(false);
  r.delivered = W.delivered - r.delivered, r.sent = W.sent - r.sent;
  return r;
}
// Bookkeeping of one received message; track(sub, stream, seq) names its bitmap (or ~0 = not ours).
static vector<Track> g_tracks;
static void count_deliveries(std::function<u64(u32, u32, u64)> track) {
  h_publish = [track](Conn& c, const u8* p, size_t n) {
    u32 magic, stream;
    u64 seq, ts;
    if (n < HDR || n != C.size || (memcpy(&magic, p, 4), magic != MAGIC)) {
      W.bad++;
      return;
    }
    memcpy(&stream, p + 4, 4), memcpy(&seq, p + 8, 8), memcpy(&ts, p + 16, 8);
    u64 k = track(c.idx, stream, seq);
    if (k >= g_tracks.size()) {
      W.misrouted++;
      return;
    }
    int r = g_tracks[k].add(seq);
    if (r == 2) {
      W.dup++;
      return;
    }
    W.ooo += r == 1;
    W.delivered++;
    W.last_delivery = g_rx_now;
    W.lat.add(g_rx_now > ts ? g_rx_now - ts : 0);
  };
}

// ---------------------------------------------------------------- scenarios
static void need_up(vector<Conn*>& v, const char* what) {
  u32 n = connect_all(v);
  if (n != v.size()) {
    printf("only %u of %zu %s connected\n", n, v.size(), what);
    if (!n) die("no connection to %s:%d", C.host.c_str(), C.port);
  }
}
static void report_live(const PumpResult& r) {
  double s = double(std::max(W.last_delivery, r.t0 + 1) - r.t0) / 1e9;
  js_counts();
  js("msgs_per_s", double(r.delivered) / s), js("publishes_per_s", double(r.sent) / s);
  printf("delivered              %.0f msgs/s (%.0f publishes/s) over %.2f s\n", double(r.delivered) / s,
         double(r.sent) / s, s);
  js_lat("latency_us", W.lat);
  if (C.qos) js_lat("ack_latency_us", W.acklat);
  js_broker(r.a, r.b, double(r.delivered), "msg");
}
static int live(const string& kind) {
  vector<string> topics;
  u32 P = C.pubs, N = C.subs, T = C.topics;
  if (kind == "p2p") P = N = T = C.pairs;
  if (kind == "fanin") T = P;
  for (u32 t = 0; t < T; t++) topics.push_back(C.prefix + "/" + kind + "/" + std::to_string(t));
  vector<u32> fan(T, 0);
  std::function<vector<string>(u32)> filters;
  std::function<Msg(u32, u64)> pick;
  std::function<u64(u32, u32, u64)> track;
  if (kind == "fanin") {
    bool shared = !C.share.empty();
    string f = (shared ? "$share/" + C.share + "/" : "") + C.prefix + "/fanin/#";
    fan.assign(T, shared ? 1 : N);
    filters = [f](u32) { return vector<string>{f}; };
    pick = [&](u32 p, u64 n) { return Msg{&topics[p], p, n, fan[p]}; };
    track = [P, shared](u32 sub, u32 stream, u64) { return u64(shared ? 0 : sub) * P + stream; };
    g_tracks.resize(u64(shared ? 1 : N) * P);
  } else if (kind == "p2p") {
    fan.assign(T, 1);
    filters = [&](u32 i) { return vector<string>{topics[i]}; };
    pick = [&](u32 p, u64 n) { return Msg{&topics[p], p, n, 1}; };
    track = [](u32 sub, u32 stream, u64) { return stream == sub ? u64(sub) : ~0ull; };
    g_tracks.resize(N);
  } else {  // fanout: stream = publisher * T + topic
    for (u32 i = 0; i < N; i++) fan[i % T]++;
    filters = [&, T](u32 i) { return vector<string>{topics[i % T]}; };
    pick = [&, T](u32 p, u64 n) {
      u32 t = u32((n + p) % T);
      return Msg{&topics[t], p * T + t, n / T, fan[t]};
    };
    track = [P, T](u32 sub, u32 stream, u64) {
      return stream % T == sub % T ? u64(sub) * P + stream / T : ~0ull;
    };
    g_tracks.resize(u64(N) * P);
  }
  js("pubs", P), js("subs", N), js("topics", T), js("qos", C.qos), js("size", double(C.size)),
      js("rate", C.rate);
  auto subs = make_conns(N, "-s", false, C.clean);
  auto pubs = make_conns(P, "-p", true, true);
  need_up(subs, "subscribers");
  if (!subscribe_all(subs, filters)) die("not every SUBSCRIBE was answered");
  need_up(pubs, "publishers");
  make_pubs(pubs);
  count_deliveries(track);
  auto r = pump(pick, true);
  report_live(r);
  disconnect_all(pubs), disconnect_all(subs);
  return (C.qos && W.expected != W.delivered) || W.down || W.conn_fail ? 1 : 0;
}
static int idle() {
  auto a = sample(true);
  auto v = make_conns(C.conns, "-i", false, C.clean);
  u64 t0 = now_ns();
  u32 up = connect_all(v);
  double ramp = double(now_ns() - t0) / 1e9;
  auto b = sample(false);
  if (C.sub) {
    bool ok = subscribe_all(v, [](u32 i) { return vector<string>{C.prefix + "/idle/" + std::to_string(i)}; });
    if (!ok) printf("not every SUBSCRIBE was answered\n");
  }
  u64 settle = now_ns() + 1'000'000'000ull;
  while (now_ns() < settle && !expired()) poll_once(50'000'000);
  auto h0 = sample(false);
  u64 end = now_ns() + u64(C.hold * 1e9);
  while (now_ns() < end && !expired()) poll_once(50'000'000);
  auto h1 = sample(true);
  double n = std::max(1u, up);
  js("conns", double(up)), js("wanted", double(C.conns)), js("connects_per_s", double(up) / ramp);
  js("rss_bytes_per_conn", (double(h1.rss_kb) - double(a.rss_kb)) * 1024 / n);
  js("pss_bytes_per_conn", (double(h1.pss_kb) - double(a.pss_kb)) * 1024 / n);
  js("cpu_us_per_connect", double(b.cpu_ns - a.cpu_ns) / 1e3 / n);
  js("idle_cpu_percent", double(h1.cpu_ns - h0.cpu_ns) * 100 / double(h1.t - h0.t));
  js("rss_before_kb", double(a.rss_kb)), js("disconnects", double(W.down)),
      js("conn_failed", double(W.conn_fail + W.refused));
  printf("%u of %u connected in %.2f s (%.0f/s), %llu lost during hold\n", up, C.conns, ramp,
         double(up) / ramp, (unsigned long long)W.down);
  printf("memory                 RSS %.0f, PSS %.0f bytes per connection (broker %.1f -> %.1f MB)\n",
         (double(h1.rss_kb) - double(a.rss_kb)) * 1024 / n, (double(h1.pss_kb) - double(a.pss_kb)) * 1024 / n,
         double(a.rss_kb) / 1024, double(h1.rss_kb) / 1024);
  js_lat("connect_latency_us", W.connlat);
  js_broker(h0, h1, n * C.hold, "conn_s");
  disconnect_all(v);
  return up == C.conns && !W.down ? 0 : 1;
}
static int connect_rate() {
  auto v = make_conns(C.conc, "-c", false, C.clean);
  u64 done = 0;
  h_up = [&](Conn& c) {
    done++;
    send_disconnect(c);
    if (c.fd >= 0) shut(c);
  };
  auto a = sample(false);
  u64 t0 = now_ns(), stop = C.duration > 0 ? t0 + u64(C.duration * 1e9) : ~0ull, fails = 0;
  while (!expired() && now_ns() < stop && (!C.messages || done < C.messages)) {
    for (Conn* c : v)
      if (c->fd < 0 && (C.connect_rate <= 0 || double(done) < C.connect_rate * double(now_ns() - t0) / 1e9))
        start(*c);
    poll_once(1'000'000);
    if (W.conn_fail + W.refused > fails + 1000 && !done) break;
  }
  double s = double(now_ns() - t0) / 1e9;
  auto b = sample(false);
  js("conc", C.conc), js("connects", double(done)), js("connects_per_s", double(done) / s),
      js("conn_failed", double(W.conn_fail));
  printf("%llu connects in %.2f s = %.0f/s, %llu failed\n", (unsigned long long)done, s, double(done) / s,
         (unsigned long long)W.conn_fail);
  js_lat("connect_latency_us", W.connlat);
  js_broker(a, b, double(done), "connect");
  h_up = nullptr;
  return W.conn_fail ? 1 : 0;
}
static int offline() {
  C.qos = 1;
  u32 N = C.subs, P = C.pubs, T = C.topics ? C.topics : N;
  u64 M = C.messages ? C.messages : 10000;
  bool all = C.phase == "all", pubphase = all || C.phase == "publish", drain = all || C.phase == "drain";
  vector<string> topics;
  vector<u32> fan(T, 0);
  for (u32 t = 0; t < T; t++) topics.push_back(C.prefix + "/offline/" + std::to_string(t));
  for (u32 i = 0; i < N; i++) fan[i % T]++;
  g_acked.resize(u64(P) * T);
  g_log_acks = true;
  js("phase", C.phase.c_str()), js("subs", N), js("topics", T), js("pubs", P), js("messages", double(M)),
      js("window", C.window);
  js("size", double(C.size));
  auto subs = make_conns(N, "-s", false, false);
  int rc = 0;
  auto limit = [&](u32 p) { return M / P + (p < M % P); };
  bool killed = false;
  if (pubphase) {
    for (Conn* c : subs) c->clean = true;  // start from an empty session ...
    need_up(subs, "subscribers");
    disconnect_all(subs);
    for (Conn* c : subs) c->clean = false;  // ... then make the persistent one
    need_up(subs, "subscribers");
    if (!subscribe_all(subs, [&](u32 i) { return vector<string>{topics[i % T]}; }))
      die("not every SUBSCRIBE was answered");
    disconnect_all(subs);
    auto pubs = make_conns(P, "-p", true, true);
    need_up(pubs, "publishers");
    make_pubs(pubs);
    for (u32 p = 0; p < P; p++) g_pubs[p].limit = limit(p);
    C.messages = M, C.duration = 0, C.warmup = 0;
    Sample at_end;
    auto mem0 = sample(true);
    auto tick = [&] {
      if (!killed && ((C.kill && W.acked >= M) || (C.kill_after && W.acked >= C.kill_after))) {
        at_end = sample(false);
        for (pid_t p : C.pids) ::kill(p, SIGKILL);
        killed = true;
      }
    };
    // deliveries happen later, so only acknowledgements are awaited here
    auto r = pump(
        [&](u32 p, u64 n) {
          u32 t = u32((n + p) % T);
          return Msg{&topics[t], p * T + t, n / T, 0};
        },
        false, tick);
    if (killed) r.b = at_end;
    double s = double(r.b.t - r.a.t) / 1e9;
    js("sent", double(W.sent)), js("acked", double(W.acked)), js("puback_per_s", double(W.acked) / s),
        js("killed", killed ? 1.0 : 0.0);
    printf("published %llu, acknowledged %llu in %.2f s = %.0f PUBACK/s%s\n", (unsigned long long)W.sent,
           (unsigned long long)W.acked, s, double(W.acked) / s, killed ? ", broker killed" : "");
    js_lat("ack_latency_us", W.acklat);
    double us = double(r.b.cpu_ns - r.a.cpu_ns) / 1e3 / std::max(1.0, double(W.acked));
    js("cpu_us_per_puback", us);
    js("counted_cpu_us_per_puback",
       double(r.b.counted_ns - r.a.counted_ns) / 1e3 / std::max(1.0, double(W.acked)));
    js("queue_rss_bytes_per_msg",
       (double(r.b.rss_kb) - double(mem0.rss_kb)) * 1024 / double(std::max<u64>(1, W.acked)));
    printf("broker CPU             %.3f us per acknowledged publish, RSS %.1f -> %.1f MB\n", us,
           double(mem0.rss_kb) / 1024, double(r.b.rss_kb) / 1024);
    if (W.acked < M && !C.kill_after) rc = 1;
    disconnect_all(pubs);
    if (!C.acklog.empty()) {
      FILE* f = fopen(C.acklog.c_str(), "wb");
      if (!f) die("cannot write %s", C.acklog.c_str());
      for (auto& a : g_acked) {
        u64 n = a.bits.size();
        fwrite(&n, 8, 1, f), fwrite(a.bits.data(), 8, n, f);
      }
      fclose(f);
    }
  } else if (!C.acklog.empty()) {
    FILE* f = fopen(C.acklog.c_str(), "rb");
    if (!f) die("cannot read %s", C.acklog.c_str());
    for (auto& a : g_acked) {
      u64 n = 0;
      if (fread(&n, 8, 1, f) != 1 || n > (1ull << 34)) die("bad ack log");
      a.bits.resize(n);
      if (fread(a.bits.data(), 8, n, f) != n) die("bad ack log");
    }
    fclose(f);
  } else {  // no log: every message counts as acknowledged
    for (u32 p = 0; p < P; p++)
      for (u64 n = 0; n < limit(p); n++) g_acked[p * T + (n + p) % T].add(n / T);
  }
  if (!drain) return rc;
  u64 want = 0;
  for (u64 k = 0; k < g_acked.size(); k++) {
    u64 n = 0;
    for (u64 w : g_acked[k].bits) n += u64(__builtin_popcountll(w));
    want += n * fan[k % T];
  }
  g_tracks.resize(u64(N) * P);
  count_deliveries(
      [P, T](u32 sub, u32 stream, u64) { return stream % T == sub % T ? u64(sub) * P + stream / T : ~0ull; });
  u64 present = 0;
  h_up = [&](Conn& c) { present += c.session_present; };
  W.last_delivery = 0;
  auto a = sample(false);
  u64 t0 = now_ns();
  u32 up = connect_all(subs);
  u64 seen = ~0ull, seen_at = now_ns();
  while (!expired() && W.delivered < want) {
    poll_once(20'000'000);
    if (W.delivered != seen) seen = W.delivered, seen_at = now_ns();
    if (now_ns() - seen_at > u64(C.drain_timeout * 1e9)) break;
  }
  auto b = sample(false);
  u64 late = now_ns() + 300'000'000ull;  // time for late duplicates
  while (now_ns() < late) poll_once(20'000'000);
  double s = W.last_delivery > t0 ? double(W.last_delivery - t0) / 1e9 : 0;
  u64 lost = 0, extra = 0;
  for (u32 i = 0; i < N; i++)
    for (u32 p = 0; p < P; p++) {
      auto& ack = g_acked[u64(p) * T + i % T];
      auto& got = g_tracks[u64(i) * P + p];
      for (size_t w = 0; w < std::max(ack.bits.size(), got.bits.size()); w++) {
        u64 x = w < ack.bits.size() ? ack.bits[w] : 0, y = w < got.bits.size() ? got.bits[w] : 0;
        lost += u64(__builtin_popcountll(x & ~y)), extra += u64(__builtin_popcountll(y & ~x));
      }
    }
  js("drain_expected", double(want)), js("received", double(W.delivered)), js("lost", double(lost)),
      js("received_unacked", double(extra));
  js("duplicated", double(W.dup)), js("out_of_order", double(W.ooo)), js("misrouted", double(W.misrouted)),
      js("bad", double(W.bad));
  js("sessions_present", double(present)), js("reconnected", double(up)),
      js("drain_per_s", s > 0 ? double(W.delivered) / s : 0);
  js("cpu_us_per_drained", double(b.cpu_ns - a.cpu_ns) / 1e3 / double(std::max<u64>(1, W.delivered)));
  printf(
      "drained %llu of %llu in %.2f s = %.0f/s: LOST %llu  duplicated %llu  out of order %llu  (%llu of %u "
      "sessions present, %llu unacked)\n",
      (unsigned long long)W.delivered, (unsigned long long)want, s, s > 0 ? double(W.delivered) / s : 0,
      (unsigned long long)lost, (unsigned long long)W.dup, (unsigned long long)W.ooo,
      (unsigned long long)present, N, (unsigned long long)extra);
  printf("broker CPU             %.3f us per drained message\n",
         double(b.cpu_ns - a.cpu_ns) / 1e3 / double(std::max<u64>(1, W.delivered)));
  h_up = nullptr;
  disconnect_all(subs);
  if (!C.keep) {
    for (Conn* c : subs) c->clean = true;
    connect_all(subs);
    disconnect_all(subs);
  }
  return rc || lost ? 1 : 0;
}
// M*K filters over a tree prefix/A/B/..., A = j/1000, B = j%1000. Filter j is one of
//   exact prefix/A/B/t      plus prefix/A/+/pB      hash prefix/A/B/#
// and the topic made for it matches that filter only, so delivery cost stays constant (one copy)
// while the set that must be searched grows.
static int subs() {
  u64 total = u64(C.sessions) * C.filters;
  auto kind = [](u64 j) {
    u32 x = u32(j * 2654435761u >> 8) % 100;
    return x < u32(C.mix[0]) ? 0 : x < u32(C.mix[0] + C.mix[1]) ? 1 : 2;
  };
  auto base = [](u64 j) { return C.prefix + "/" + std::to_string(j / 1000) + "/"; };
  auto filter = [&](u64 j) {
    string b = std::to_string(j % 1000);
    return kind(j) == 0 ? base(j) + b + "/t" : kind(j) == 1 ? base(j) + "+/p" + b : base(j) + b + "/#";
  };
  auto topic = [&](u64 j) {
    string b = std::to_string(j % 1000);
    return kind(j) == 0 ? base(j) + b + "/t" : kind(j) == 1 ? base(j) + "x/p" + b : base(j) + b + "/q/r";
  };
  auto mix = [](u64 x) {  // splitmix64: message n -> filter j, recomputed on receipt
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull, x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
  };
  auto which = [&](u32 stream, u64 seq) { return mix(seq * 64 + stream) % total; };
  auto misses = [&](u32 stream, u64 seq) { return int(mix(~(seq * 64 + stream)) % 100) < C.nomatch; };
  auto sess = make_conns(C.sessions, "-s", false, C.clean);
  auto pubs = make_conns(C.pubs, "-p", true, true);
  need_up(sess, "sessions");
  auto m0 = sample(true);
  bool ok = subscribe_all(sess, [&](u32 i) {
    vector<string> f;
    for (u32 k = 0; k < C.filters; k++) f.push_back(filter(u64(i) * C.filters + k));
    return f;
  });
  auto m1 = sample(true);
  if (!ok) printf("not every SUBSCRIBE was answered\n");
  double ss = double(m1.t - m0.t) / 1e9;
  js("sessions", C.sessions), js("filters", double(total)), js("qos", C.qos), js("size", double(C.size)),
      js("rate", C.rate);
  js("subscribe_per_s", double(total) / ss), js("subscribe_failed", double(W.subs_failed));
  js("cpu_us_per_subscribe", double(m1.cpu_ns - m0.cpu_ns) / 1e3 / double(total));
  js("rss_bytes_per_filter", (double(m1.rss_kb) - double(m0.rss_kb)) * 1024 / double(total));
  printf("%llu filters in %.2f s = %.0f/s, broker CPU %.3f us and %.0f bytes RSS per filter\n",
         (unsigned long long)total, ss, double(total) / ss,
         double(m1.cpu_ns - m0.cpu_ns) / 1e3 / double(total),
         (double(m1.rss_kb) - double(m0.rss_kb)) * 1024 / double(total));
  need_up(pubs, "publishers");
  make_pubs(pubs);
  g_tracks.resize(C.pubs);
  count_deliveries([&](u32 sub, u32 stream, u64 seq) {
    return !misses(stream, seq) && which(stream, seq) / C.filters == sub ? u64(stream) : ~0ull;
  });
  string scratch;
  auto r = pump(
      [&](u32 p, u64 n) {
        bool miss = misses(p, n);
        scratch = miss ? C.prefix + "/none/" + std::to_string(which(p, n)) : topic(which(p, n));
        return Msg{&scratch, p, n, miss ? 0u : 1u};
      },
      true);
  W.ooo = 0;  // one publisher feeds many sessions: order is defined per session only
  report_live(r);
  disconnect_all(pubs);
  u64 t0 = now_ns();
  auto d0 = sample(false);
  disconnect_all(sess);
  auto d1 = sample(false);
  js("teardown_cpu_us_per_filter", double(d1.cpu_ns - d0.cpu_ns) / 1e3 / double(total)),
      js("teardown_s", double(now_ns() - t0) / 1e9);
  return (C.qos && W.expected != W.delivered) || W.down || !ok ? 1 : 0;
}

// ---------------------------------------------------------------- main
int main(int argc, char** argv) {
  if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
    fputs(HELP, argc < 2 ? stderr : stdout);
    return argc < 2 ? 2 : 0;
  }
  string scenario = argv[1];
  Opts o;
  for (int i = 2; i < argc; i++) {
    if (strncmp(argv[i], "--", 2)) die("unexpected argument %s", argv[i]);
    string k = argv[i] + 2;
    if (auto e = k.find('='); e != string::npos)
      o.m[k.substr(0, e)] = k.substr(e + 1);
    else if (i + 1 < argc)
      o.m[k] = argv[++i];
    else
      die("--%s needs a value", k.c_str());
  }
  bool conn_scn = scenario == "connect";
  C.host = o.s("host", "127.0.0.1"), C.port = int(o.i("port", 1883));
  C.user = o.s("username", ""), C.pass = o.s("password", ""), C.has_pass = !C.pass.empty();
  C.prefix = o.s("client-prefix", "ml");
  C.tls = o.i("tls", 0), C.qos = int(o.i("qos", scenario == "offline")), C.size = size_t(o.i("size", 64));
  C.keepalive = int(o.i("keepalive", 60)), C.clean = int(o.i("clean", 1));
  C.messages = u64(o.i("messages", 0)), C.duration = o.d("duration", C.messages ? 0 : 5),
  C.max_time = o.d("max-time", 300);
  C.warmup = o.d("warmup", C.messages || conn_scn ? 0 : 0.5), C.rate = o.d("rate", 0),
  C.window = u32(o.i("window", 64));
  C.inflight = o.i("inflight", 20000), C.batch = u32(o.i("batch", 16)), C.conc = u32(o.i("conc", 50));
  C.connect_rate = o.d("connect-rate", 0), C.bind_count = u32(o.i("bind-count", conn_scn ? 8 : 0));
  C.drain_timeout = o.d("drain-timeout", 5), C.hold = o.d("hold", 5), C.sub = o.i("sub", 0);
  C.pubs = u32(o.i("pubs", scenario == "fanin" ? 100 : 1)),
  C.subs = u32(o.i("subs", scenario == "fanin" || scenario == "offline" ? 1 : 100));
  C.topics = u32(o.i("topics", scenario == "offline" ? 0 : 1)), C.pairs = u32(o.i("pairs", 100)),
  C.conns = u32(o.i("conns", 1000));
  C.share = o.s("share", ""), C.phase = o.s("phase", "all"), C.acklog = o.s("acklog", "");
  C.kill = o.i("kill", 0), C.kill_after = u64(o.i("kill-after", 0)), C.keep = o.i("keep", 0);
  C.sessions = u32(o.i("sessions", 100)), C.filters = u32(o.i("filters", 100)),
  C.spp = u32(o.i("subs-per-packet", 50));
  C.nomatch = int(o.i("nomatch", 0));
  if (sscanf(o.s("mix", "80,10,10").c_str(), "%d,%d,%d", &C.mix[0], &C.mix[1], &C.mix[2]) != 3)
    die("--mix wants three percentages");
  auto pid_list = [](string text) {
    vector<pid_t> list;
    for (char* p = strtok(text.data(), ","); p; p = strtok(nullptr, ",")) list.push_back(atoi(p));
    return list;
  };
  C.pids = pid_list(o.s("broker-pid", "")), C.counted = pid_list(o.s("count-pid", ""));
  for (auto& [k, v] : o.m)
    if (!o.used[k]) die("unknown option --%s", k.c_str());
  if (C.size < HDR) C.size = HDR;
  if (C.size > 200'000'000) die("--size too large");
  if (C.qos < 0 || C.qos > 1) die("--qos is 0 or 1");
  if (!C.window || C.window > 65535 || !C.batch || !C.conc || !C.spp || !C.pubs || !C.subs)
    die("a count is zero or too large");
  if (C.messages == 0 && C.duration <= 0) die("give --messages or --duration");
  if (inet_pton(AF_INET, C.host.c_str(), &g_dst.sin_addr) != 1) die("--host wants an IPv4 address");
  g_dst.sin_family = AF_INET, g_dst.sin_port = htons(u16(C.port));
#ifdef WITH_TLS
  if (C.tls) {  // a load generator, not a client: the certificate is not checked
    g_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(g_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  }
#else
  if (C.tls) die("built without TLS (-DWITH_TLS)");
#endif
  rlimit rl;
  if (!getrlimit(RLIMIT_NOFILE, &rl)) rl.rlim_cur = rl.rlim_max, setrlimit(RLIMIT_NOFILE, &rl);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, [](int) { g_stop = 1; });
  signal(SIGTERM, [](int) { g_stop = 1; });
  g_fill.resize(C.size);
  std::mt19937 rng(1);
  for (auto& b : g_fill) b = u8(rng());
  g_ep = epoll_create1(EPOLL_CLOEXEC);
  g_ping_scan = now_ns();
  g_deadline = now_ns() + u64(C.max_time * 1e9);
  js("scenario", scenario.c_str());
  int rc;
  if (scenario == "fanout" || scenario == "fanin" || scenario == "p2p")
    rc = live(scenario);
  else if (scenario == "idle")
    rc = idle();
  else if (scenario == "connect")
    rc = connect_rate();
  else if (scenario == "offline")
    rc = offline();
  else if (scenario == "subs")
    rc = subs();
  else
    die("unknown scenario %s (see --help)", scenario.c_str());
  if (now_ns() > g_deadline) printf("stopped by --max-time\n"), rc = rc ? rc : 1;
  js("rc", rc);
  printf("{%s}\n", g_json.c_str());
  return rc;
}
