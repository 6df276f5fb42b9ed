#include "db/account_row.hpp"

#include <stdexcept>
#include <tuple>

#include <pqxx/array>

namespace wake::db::account {

User to_user(const pqxx::row& row) {
  return {broker::UserId{row["id"].as<std::int64_t>()}, row["username"].as<std::string>(),
          row["password_hash"].as<std::string>(), to_time(row["created_us"]), row["scram"].as<std::string>()};
}

std::string array_text(const std::vector<std::string>& items) {
  std::string out = "{";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : item) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + '}';
}

std::vector<std::string> array_items(const pqxx::field& field) {
  std::vector<std::string> items;
  pqxx::array_parser parser = field.as_array();
  for (auto [what, text] = parser.get_next(); what != pqxx::array_parser::juncture::done;
       std::tie(what, text) = parser.get_next()) {
    if (what == pqxx::array_parser::juncture::string_value) items.push_back(text);
  }
  return items;
}

std::string to_hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

namespace {
int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  throw std::runtime_error("not a hexadecimal digit");
}
}  // namespace

std::string from_hex(const std::string& digits) {
  if (digits.size() % 2 != 0) throw std::runtime_error("an odd number of hexadecimal digits");
  std::string out;
  out.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    out += static_cast<char>(digit_value(digits[i]) * 16 + digit_value(digits[i + 1]));
  }
  return out;
}

}  // namespace wake::db::account
