/* replies.h - what a server may say, in full: every field that the library reads is there. */
#ifndef TESTS_SERVER_CLIENT_REPLIES_H
#define TESTS_SERVER_CLIENT_REPLIES_H

#define ASKED "The cat."

static const char *const asked[] = { ASKED };

#define TRANSLATION                                                                                \
    "{\"id\":\"a1-0000000000001\",\"origin\":\"model\",\"text\":\"Le chat é.\",\"score\":-0.5,"   \
    "\"sentences\":[{\"source\":[0,8],\"target\":[0,11],\"score\":-0.5,"                           \
    "\"tokens\":[{\"text\":\"Le\",\"span\":[0,2],\"log_prob\":-0.25,\"confidence\":0.75,"          \
    "\"links\":[0]},{\"text\":\"chat\",\"span\":[3,7],\"log_prob\":-0.25,\"confidence\":1,"        \
    "\"links\":[1,0]}],\"source_tokens\":[{\"text\":\"The\",\"span\":[0,3],\"coverage\":1.0},"     \
    "{\"text\":\"cat\",\"span\":[4,7],\"coverage\":0.5}],\"alignment\":[[0.5,0.25,0.25],"          \
    "[0.125,0.75,0.125]],\"n_best\":[{\"text\":\"Un\",\"score\":-2,\"alignment\":[[1,0,0]]}]}],"   \
    "\"warnings\":[{\"kind\":\"uncovered\",\"source\":[4,7]},{\"kind\":\"repetition\","            \
    "\"target\":[0,2]}],\"via_text\":\"The cat.\",\"detected\":{\"language\":\"en\","              \
    "\"confidence\":0.5},\"model\":\"en-fr\",\"via\":\"en\"}"

static const char translations_reply[] =
    "{\"model\":\"en-fr\",\"via\":\"en\",\"translations\":[" TRANSLATION "]}";

static const char detections_reply[] =
    "{\"detections\":[{\"language\":\"en\",\"confidence\":0.5,\"candidates\":["
    "{\"language\":\"en\",\"confidence\":0.5}]}]}";

static const char languages_reply[] =
    "[{\"code\":\"en\",\"name\":\"English\",\"targets\":[\"de\",\"fr\"]}]";

static const char models_reply[] =
    "{\"models\":[{\"name\":\"en-fr\",\"source\":\"en\",\"target\":\"fr\",\"state\":\"live\","
    "\"digest\":\"00\",\"sizes\":{\"vocabulary\":1,\"embedding\":2,\"hidden\":3,\"attention\":4,"
    "\"encoder_layers\":5,\"decoder_layers\":6},\"card\":{\"name\":\"en-fr\"}}]}";

static const char stored_reply[] =
    "{\"id\":\"a1-0000000000001\",\"created\":\"2026-01-01T00:00:00Z\",\"origin\":\"model\","
    "\"model\":\"en-fr\",\"via\":null,\"source\":\"en\",\"target\":\"fr\",\"source_text\":\"The "
    "cat.\",\"target_text\":\"Le chat.\",\"source_length\":8,\"target_length\":8,\"beam\":4,"
    "\"took_ms\":1.5,\"answer\":{\"source_text\":\"The cat.\",\"text\":\"Le chat.\","
    "\"sentences\":[],\"warnings\":[]}}";

static const char health_reply[] = "{\"status\":\"ready\",\"models\":3,\"storing\":true}";

static const char token_reply[] =
    "{\"index\":0,\"sentence\":0,\"text\":\"Le\",\"token\":{\"text\":\"Le\",\"span\":[0,2],"
    "\"log_prob\":-0.25,\"confidence\":0.75,\"links\":[0]},\"alignment\":[0.5,0.25,0.25]}";

#define STREAM                                                                                     \
    ": hello\r\nevent: sentence\ndata: {\"index\":0}\n\n"                                          \
    "event: token\rdata: {\"index\":0,\"sentence\":0,\"text\":\"Le\",\"token\":{\"text\":\"Le\","  \
    "\"span\":[0,2],\rdata: \"log_prob\":-0.25,\"confidence\":0.75,\"links\":[0]},"                \
    "\"alignment\":[0.5,0.25,0.25]}\r\r"                                                           \
    "event: token\r\ndata: {\"index\":0,\"text\":\" chat é.\"}\r\n\r\n"                           \
    "event: translation\ndata: " TRANSLATION "\n\n"                                                \
    "event: done\ndata: {\"model\":\"en-fr\"}\n\n"

#endif
