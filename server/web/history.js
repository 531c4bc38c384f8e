// history.js - what the database has: searched, opened again, deleted.

import { ask, askJson, pathWith } from './api.js';
import { element } from './text.js';

const PAGE = 20;
const WAIT_MS = 250;            // after the last key in the search field

export class History {
  /** onOpen(id), onProblem(problem) */
  constructor(parts, onOpen, onProblem) {
    Object.assign(this, parts, { onOpen, onProblem });      // section, search, list, more, note
    this.gone = new Set();      // deleted: a list that was asked for before may still have them
    let timer;
    this.search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(() => this.refresh(), WAIT_MS); });
    this.more.addEventListener('click', () => this.load(this.next));
  }

  /** Whether there is one for this caller. */
  async isThere() {
    try {
      const page = await askJson('GET', pathWith('/v1/translations', { limit: 1 }));
      this.isStoring = page.storing;
      return page.storing || page.translations.length > 0;
    } catch (problem) {
      if (problem.status !== 401 && problem.status !== 403) this.onProblem(problem);
      this.isStoring = false;
      return false;
    }
  }

  refresh() {
    return this.section.hidden ? undefined : this.load('');
  }

  async load(before) {
    this.controller?.abort();
    const { signal } = this.controller = new AbortController();
    try {
      const path = pathWith('/v1/translations', { q: this.search.value, limit: PAGE, before });
      const page = await askJson('GET', path, { signal });
      this.show(page, before !== '');
    } catch (error) {
      if (error.name !== 'AbortError') this.onProblem(error);
    }
  }

  show(page, isMore) {
    const items = page.translations.filter(t => !this.gone.has(t.id)).map(t => this.item(t));
    isMore ? this.list.append(...items) : this.list.replaceChildren(...items);
    if (isMore) items[0]?.querySelector('button').focus();
    this.next = page.next;
    this.more.hidden = !page.next;
    this.note.hidden = this.list.children.length > 0;
    this.note.textContent = this.search.value ? 'Nothing stored has this in it.' : 'Nothing is stored yet.';
  }

  item(t) {
    const text = (value, length, language) =>
      element('span', { class: 'text', dir: 'auto', lang: language }, value ?? `${length} characters`);
    const when = element('time', { datetime: t.created }, new Date(t.created).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }));
    const open = element('button', { type: 'button', class: 'open' },
      text(t.source_text, t.source_length, t.source), text(t.target_text, t.target_length, t.target));
    const remove = element('button', { type: 'button', class: 'remove', 'aria-label': `Delete: ${t.source_text ?? t.id}` }, 'Delete');
    open.addEventListener('click', () => this.onOpen(t.id));
    const item = element('li', { 'data-id': t.id }, open,
      element('p', { class: 'quiet' }, when, ` · ${t.source} → ${t.target} `, remove));
    remove.addEventListener('click', () => this.remove(t.id));
    return item;
  }

  async remove(id) {
    if (!confirm('Delete this translation from the database?')) return;
    try {
      await ask('DELETE', '/v1/translations/' + id);
      this.gone.add(id);
      const shown = this.list.querySelector(`[data-id="${id}"]`);     // perhaps drawn anew meanwhile
      (shown?.nextElementSibling?.querySelector('button') ?? this.search).focus();
      shown?.remove();
    } catch (problem) {
      this.onProblem(problem);
    }
  }
}
