/*
 * page_parts.h - page.css and page.js, embedded when the program is built.
 *
 * Private to server/render.
 */
#ifndef SERVER_RENDER_PAGE_PARTS_H
#define SERVER_RENDER_PAGE_PARTS_H

extern const char page_css[], page_js[];

#endif
