#include "tests/sim/program.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include <boost/asio/signal_set.hpp>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/sim/control.hpp"

namespace wake::sim {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::string url(const char* scheme, const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return std::string(scheme) + "://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

void serve_until_signal(const ProgramOptions& options, const Keys& keys, Parts& parts) {
  boost::asio::io_context io(1);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](auto, int) { io.stop(); });
  const auto certificate = make_server_certificate(text_of(keys.ca_file), keys.ca_key.get(), options.hosts);
  Engine engine(io, options.engine, certificate, parts.settings, *parts.service);
  const Control control(io, options.control_address, options.control_port, engine);
  const std::string endpoint = url("https", options.hosts.front(), engine.server().port());
  nlohmann::json line = parts.announce(endpoint);
  line["program"] = parts.service->name();
  line["pid"] = getpid();
  line["port"] = engine.server().port();
  line["control_port"] = control.port();
  line["endpoint"] = endpoint;
  line["control"] = url("http", options.control_address, control.port());
  line["ca_file"] = std::filesystem::absolute(keys.ca_file);
  std::cout << line.dump() << std::endl;
  io.run();
}

}  // namespace

void add_options(CLI::App& app, ProgramOptions& options) {
  EngineOptions& engine = options.engine;
  app.add_option("--dir", options.dir, "folder of the test credentials; what is missing in it is made")
      ->required();
  app.add_flag("--make-keys", options.make_keys_only, "only make the credentials, then exit");
  app.add_option("--address", engine.listen.address, "address to listen on for pushes")
      ->capture_default_str();
  app.add_option("--port", engine.listen.port,
                 "port for pushes; 0: any free one, see the line printed at start");
  app.add_option("--host", options.hosts,
                 "name for the server certificate, repeatable; default localhost 127.0.0.1 ::1");
  app.add_option("--control-address", options.control_address, "address of the control port")
      ->capture_default_str();
  app.add_option("--control-port", options.control_port,
                 "port for scripts and logs (plain HTTP); 0: any free one");
  app.add_option("--log", engine.log_file, "append every request to this file as a JSON line");
  app.add_option("--log-keep", engine.log_entries, "requests kept in memory for GET /log")
      ->capture_default_str();
  app.add_option("--phones-keep", engine.ledger_entries, "notifications kept over all phones")
      ->capture_default_str();
  app.add_flag("--die-with-parent", options.die_with_parent, "end when the program that started it ends");
  app.add_flag("--quiet", engine.quiet, "no line per push on stderr");
}

int run(const ProgramOptions& given, const std::function<void(const Keys&, Parts&)>& make) {
  try {
    ProgramOptions options = given;
    if (options.hosts.empty()) options.hosts = {"localhost", "127.0.0.1", "::1"};
    const Keys keys = open_keys(options.dir);
    if (options.make_keys_only) return 0;
    if (options.die_with_parent) prctl(PR_SET_PDEATHSIG, SIGTERM);
    std::signal(SIGPIPE, SIG_IGN);  // whoever read stderr may go away before us
    Parts parts;
    make(keys, parts);
    serve_until_signal(options, keys, parts);
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cannot start: %s\n", problem.what());
    return 1;
  }
}

}  // namespace wake::sim
