# Writes ${OUT}: the migrations of ${DIR} in order of their names as C byte arrays.
file(GLOB files ${DIR}/*.sql)
list(SORT files)
set(arrays "")
set(table "")
foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")    # not 0xe2: a char may be signed
    string(REPLACE "'\\x0a'," "'\\x0a',\n" bytes "${bytes}")
    string(APPEND arrays "static const char m_${name}[] = {\n${bytes}0};\n")
    string(APPEND table "    { \"${name}\", m_${name} },\n")
endforeach()
file(WRITE ${OUT} "#include \"migrations/migrations.h\"\n${arrays}
const struct migration migrations[] = {\n${table}    { 0, 0 },\n};\n")
