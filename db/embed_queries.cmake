# cmake -DIN=x.sql -DOUT=x.sql.hpp -P embed_queries.cmake: a file of named queries becomes a header of constants.
# What a query file looks like is told in sql/README.md.
get_filename_component(stem ${IN} NAME_WE)
file(READ ${IN} text)
string(FIND "${text}" "-- name: " first)
if(first EQUAL -1)
  message(FATAL_ERROR "${IN}: no '-- name: ' line")
endif()
string(SUBSTRING "${text}" ${first} -1 text)
string(REGEX REPLACE "\n*-- name: ([a-z0-9_]+)[ \t]*\n"
       ")sql\"};\ninline constexpr Query \\1{\"${stem}.\\1\", R\"sql(" text "${text}")
if(text MATCHES "-- name: ")
  message(FATAL_ERROR "${IN}: a query's name is lower case letters, digits and _, alone on its line")
endif()
string(LENGTH ")sql\"};" tail)
string(SUBSTRING "${text}" ${tail} -1 text)
file(WRITE ${OUT} "// Made from db/sql/${stem}.sql; edit that.\n#pragma once\n\n#include \"db/query.hpp\"\n\n"
     "namespace wake::db::sql {\n${text})sql\"};\n}  // namespace wake::db::sql\n")
