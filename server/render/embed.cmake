# embed.cmake - files as C strings: cmake -DOUT=page_parts.c -DDIR=... -P embed.cmake
set(code "#include \"server/render/page_parts.h\"\n")
foreach(name css js)
    file(READ ${DIR}/page.${name} text HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," text "${text}")
    string(APPEND code "const char page_${name}[] = { ${text} 0 };\n")
endforeach()
file(WRITE ${OUT} "${code}")
