// translating.js - from keys to a translation: when to ask, what to do when it fails, what to keep.
//
// While somebody types, nothing is stored: what they stop at is, with one more request.

import { Answer } from './answer.js';
import { askJson, stream } from './api.js';

const TYPED_MS = 250;           // after the last key, before it is translated
const SETTLED_MS = 1500;        // after the translation, before it is kept
const RETRIES_MAX = 5;          // by itself, of a service that is busy

export class Translating {
  /** wish() gives { text, source, target, n_best }; hooks: onAnswer, onKept, onProblem, onBusy. */
  constructor(wish, hooks) {
    this.wish = wish;
    this.hooks = hooks;
    this.retries = 0;
  }

  stop() {
    clearTimeout(this.timer);
    this.controller?.abort();
    this.controller = null;
    this.hooks.onBusy(false);
  }

  soon() {
    this.stop();
    this.retries = 0;
    this.timer = setTimeout(() => this.now(), TYPED_MS);
  }

  async now({ keepAtOnce = false } = {}) {
    this.stop();
    const { signal } = this.controller = new AbortController();
    this.hooks.onBusy(true);
    try {
      const wish = await this.withLanguage(this.wish(), signal);
      const answer = await this.translate(wish, signal);
      this.hooks.onBusy(false);
      this.retries = 0;
      if (this.hooks.mayKeep()) this.timer = setTimeout(() => this.keep(wish, answer, signal), keepAtOnce ? 0 : SETTLED_MS);
    } catch (error) {
      this.failed(error, signal);
    }
  }

  async withLanguage(wish, signal) {
    if (wish.source !== 'auto') return wish;
    const [best] = await askJson('POST', '/detect', { body: { q: wish.text }, signal });
    this.hooks.onDetected(best.language, best.confidence);
    return { ...this.wish(), source: best.language };
  }

  async translate(wish, signal) {
    const answer = new Answer(wish.text);
    const body = { ...wish, alignment: true, store: false };
    for await (const [name, data] of stream(body, signal)) {
      if (signal.aborted) break;
      answer.take(name, data);
      this.hooks.onAnswer(answer, wish);
    }
    return answer;
  }

  async keep(wish, answer, signal) {
    try {
      const reply = await askJson('POST', '/v1/translate', { body: wish, signal });
      const [kept] = reply.translations;
      if (signal.aborted || kept.text !== answer.text) return;
      answer.id = kept.id;
      if (kept.warnings.some(w => w.kind === 'not_stored')) answer.warnings.push({ kind: 'not_stored', text: '' });
      this.hooks.onKept(answer);
    } catch (error) {
      this.failed(error, signal);
    }
  }

  failed(error, signal) {
    if (signal.aborted || error.name === 'AbortError') return;
    this.hooks.onBusy(false);
    const wait = this.retries < RETRIES_MAX ? error.retryAfter ?? 0 : 0;
    if (wait) {
      this.retries++;
      this.timer = setTimeout(() => this.now(), wait * 1000);
    }
    this.hooks.onProblem(error, wait);
  }
}
