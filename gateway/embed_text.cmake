# cmake -DIN=openapi.json -DOUT=openapi_text.cpp -P embed_text.cmake: the binary serves the file it was built with.
file(READ ${IN} text)
file(WRITE ${OUT} "// Made from openapi.json; edit that.\n#include \"gateway/rest/openapi_text.hpp\"\n\nnamespace wake::gateway::rest {\n"
     "std::string_view openapi_text() {\n  return R\"openapi(${text})openapi\";\n}\n}  // namespace wake::gateway::rest\n")
