// What each path of the control port does. No sockets here.
#include <charconv>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "tests/sim/control.hpp"
#include "tests/sim/encoding.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kPhones = "/phones/";

Reply json_reply(const Json& json, int status = 200) {
  return {status,
          {{"content-type", "application/json"}},
          json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}
Reply done() { return json_reply({{"ok", true}}); }

std::uint64_t number(const Ask& ask, const std::string& name, std::uint64_t otherwise) {
  const auto found = ask.query.find(name);
  if (found == ask.query.end()) return otherwise;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(name + " is a number");
  return value;
}

Json body_of(const Ask& ask) {
  if (ask.body.empty()) return Json::object();
  auto json = Json::parse(ask.body, nullptr, false);
  if (json.is_discarded()) throw std::invalid_argument("the body is not JSON");
  return json;
}

std::string token_in(const Engine& engine, const Json& body) {
  if (!body.is_object() || !body.contains("token") || !body["token"].is_string()) {
    throw std::invalid_argument("token is missing");
  }
  return const_cast<Engine&>(engine).service().canonical_token(body["token"].get<std::string>());
}

std::string phone_of(Engine& engine, const Ask& ask) {
  const auto token = from_percent(std::string_view(ask.path).substr(kPhones.size()));
  if (!token || token->empty()) throw std::invalid_argument("no token in the path");
  return engine.service().canonical_token(*token);
}

Reply add_script(Engine& engine, const Json& body) {
  const std::string token = token_in(engine, body);
  const auto found = body.find("answers");
  if (found == body.end() || !found->is_array()) throw std::invalid_argument("answers is an array");
  const std::uint64_t repeat = body.value("repeat", std::uint64_t{1});
  if (repeat * found->size() > 1'000'000) throw std::invalid_argument("at most a million answers");
  std::vector<Answer> answers;
  for (const auto& answer : *found) answers.push_back(parse_answer(answer));
  for (std::uint64_t i = 0; i < repeat; ++i) engine.scripts().add(token, answers);
  return done();
}

Reply switch_phone(Engine& engine, const Ask& ask) {
  const Json body = body_of(ask);
  if (!body.contains("online") || !body["online"].is_boolean())
    throw std::invalid_argument("online is true or false");
  const std::string token = phone_of(engine, ask);
  engine.ledger().set_online(token, body["online"].get<bool>(),
                             std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
  return json_reply(engine.ledger().phone(token));
}

Reply post(Engine& engine, const Ask& ask) {
  if (ask.path.starts_with(kPhones)) return switch_phone(engine, ask);
  const Json body = body_of(ask);
  if (ask.path == "/script") return add_script(engine, body);
  if (ask.path == "/settings") {
    engine.apply_settings(body);
    return json_reply(to_json(engine.settings()));
  }
  if (ask.path == "/tokens") {
    engine.service().declare(body);
  } else if (ask.path == "/goaway") {
    const std::string reason = body.value("reason", "Shutdown");
    engine.server().go_away(reason.empty() ? "" : Json{{"reason", reason}}.dump(),
                            body.value("keep", std::size_t{SIZE_MAX}));
  } else if (ask.path == "/down") {
    engine.server().down();
  } else if (ask.path == "/up") {
    engine.server().up();
  } else if (ask.path == "/drop") {
    engine.server().drop();
  } else if (ask.path == "/freeze") {
    engine.server().freeze();
  } else if (ask.path == "/reset") {
    engine.reset();
  } else {
    return json_reply({{"error", "no such path"}}, 404);
  }
  return done();
}

/// True when a GET that may wait has what it asks for.
bool is_there(Engine& engine, const Ask& ask) {
  if (ask.path == "/log") return engine.journal().last() >= number(ask, "since", 0) + number(ask, "count", 1);
  if (!ask.path.starts_with(kPhones)) return true;
  const auto wanted = ask.query.find("shown");
  return wanted == ask.query.end() ||
         engine.ledger().on_screen(phone_of(engine, ask)) >= number(ask, "shown", 0);
}

Reply get(Engine& engine, const Ask& ask) {
  if (ask.path == "/log") {
    return {200, {{"content-type", "application/x-ndjson"}}, engine.journal().lines(number(ask, "since", 0))};
  }
  if (ask.path == "/phones") return json_reply(engine.ledger().summary());
  if (ask.path.starts_with(kPhones)) return json_reply(engine.ledger().phone(phone_of(engine, ask)));
  if (ask.path == "/settings") return json_reply(to_json(engine.settings()));
  if (ask.path == "/stats") return json_reply(engine.stats());
  if (ask.path == "/credential") {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    return {200, {{"content-type", "text/plain"}}, engine.service().credential(now) + "\n"};
  }
  return json_reply({{"error", "no such path"}}, 404);
}

template <class F>
std::optional<Reply> guarded(F run) {
  try {
    return run();
  } catch (const std::invalid_argument& problem) {
    return json_reply({{"error", problem.what()}}, 400);
  } catch (const Json::exception& problem) {
    return json_reply({{"error", problem.what()}}, 400);
  } catch (const std::runtime_error& problem) {
    return json_reply({{"error", problem.what()}}, 500);
  }
}

}  // namespace

std::optional<Reply> serve(Engine& engine, const Ask& ask) {
  return guarded([&]() -> std::optional<Reply> {
    if (ask.method == "POST") return post(engine, ask);
    if (ask.method != "GET") return json_reply({{"error", "GET or POST"}}, 405);
    if (number(ask, "wait_ms", 0) > 0 && !is_there(engine, ask)) return std::nullopt;
    return get(engine, ask);
  });
}

Reply serve_now(Engine& engine, const Ask& ask) {
  return *guarded([&]() -> std::optional<Reply> { return get(engine, ask); });
}

}  // namespace wake::sim
