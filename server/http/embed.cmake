# embed.cmake - the description as a C string: cmake -DOUT=openapi_json.c -DIN=openapi.json -P embed.cmake
file(READ ${IN} text HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," text "${text}")
file(WRITE ${OUT} "#include \"server/http/openapi.h\"\nconst char openapi_json[] = { ${text} 0 };\n")
