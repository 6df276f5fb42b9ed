# cmake -DIN=openapi.json -DNAME=openapi_text -DOUT=openapi_text.cpp -P embed_text.cmake: the binary serves the file it was
# built with.
get_filename_component(file ${IN} NAME)
file(READ ${IN} text)
file(WRITE ${OUT} "// Made from ${file}; edit that.\n#include \"gateway/rest/embedded_texts.hpp\"\n\nnamespace wake::gateway::rest {\n"
     "std::string_view ${NAME}() {\n  return R\"text(${text})text\";\n}\n}  // namespace wake::gateway::rest\n")
