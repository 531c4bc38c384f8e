// answer.js - a translation as the page shows it, while it grows or whole.
//
//   { text, readText, id, model, via, origin, warnings, isWhole,
//     sentences: [{ from, to, at, text, source: [word], target: [word], weights: [[...]],
//                   others: [{ text, score }], hypothesis }] }
//
// A sentence is readText from..to and begins in text at `at`; `others` are its n-best without the best.
// A word has its text and from, to: indices in readText (what the model was given) or in text. A row of
// weights is a target word, a column a source word, the last one the end of the sentence.

import { indexOfByte } from './text.js';
import { wordName } from './words.js';

function wordsOf(tokens, index) {
  return tokens.map(t => ({ ...t, from: index(t.span[0]), to: index(t.span[1]) }));
}

function moved(words, by) {
  return words.map(w => ({ ...w, from: w.from + by, to: w.to + by }));
}

export class Answer {
  constructor(readText) {
    this.readText = readText;
    this.readIndex = indexOfByte(readText);
    this.text = '';
    this.sentences = [];
    this.warnings = [];
    this.id = null;
    this.number = 0;            // of the reading; 0: the best
    this.isWhole = false;
  }

  /** An event of the stream. */
  take(name, data) {
    if (name === 'sentence')
      this.sentences[data.sentence] = {
        source: wordsOf(data.source_tokens, this.readIndex), target: [], weights: [], others: [],
      };
    else if (name === 'token')
      this.takeToken(data);
    else if (name === 'translation')
      this.takeWhole(data);
    else if (name === 'done')
      Object.assign(this, { model: data.model, via: data.via ?? null, isWhole: true });
  }

  takeToken({ sentence, text, token, alignment }) {
    if (token) {
      const from = this.text.length + text.lastIndexOf(token.text);
      this.sentences[sentence].target.push({ ...token, from, to: from + token.text.length });
      this.sentences[sentence].weights.push(alignment ?? []);
    }
    this.text += text;
  }

  takeWhole(translation) {
    this.readText = translation.via_text ?? this.readText;
    this.readIndex = indexOfByte(this.readText);
    const index = indexOfByte(translation.text);
    this.id = translation.id ?? null;
    this.origin = translation.origin;
    this.text = translation.text;
    this.sentences = translation.sentences.map(s => ({
      from: this.readIndex(s.source[0]), to: this.readIndex(s.source[1]), at: index(s.target[0]),
      text: translation.text.slice(index(s.target[0]), index(s.target[1])), hypothesis: 0,
      source: wordsOf(s.source_tokens, this.readIndex),
      target: wordsOf(s.tokens, index),
      weights: s.alignment ?? [],
      others: s.n_best ?? [],
    }));
    this.warnings = translation.warnings.map(w => ({
      kind: w.kind, text: this.textOf(w, translation.text, index),
      from: w.source && this.readIndex(w.source[0]),
    }));
  }

  textOf(warning, text, index) {
    if (warning.source)
      return this.readText.slice(this.readIndex(warning.source[0]), this.readIndex(warning.source[1]));
    return warning.target ? text.slice(index(warning.target[0]), index(warning.target[1])) : '';
  }

  /** Of GET /v1/translations/{id}; null where the service keeps no text. */
  static ofStored(stored) {
    if (!stored.answer) return null;
    const answer = new Answer(stored.answer.source_text);
    answer.takeWhole({ ...stored.answer, id: stored.id, origin: stored.origin });
    return Object.assign(answer, { model: stored.model, via: stored.via, isWhole: true });
  }

  /** Another reading: of each sentence the k-th hypothesis (or the last), without its words. */
  reading(k) {
    const { readText, id, model, via } = this;
    const other = Object.assign(new Answer(readText), { id, model, via, isWhole: true, number: k });
    let read = 0;
    for (const s of this.sentences) {
      const hypothesis = Math.min(k, s.others.length);
      const text = hypothesis ? s.others[hypothesis - 1].text : s.text;
      other.text += readText.slice(read, s.from);
      const at = other.text.length;
      const words = hypothesis ? { target: [], weights: [], isOpen: text !== '' } : { target: moved(s.target, at - s.at) };
      other.sentences.push({ ...s, at, text, hypothesis, ...words });
      other.text += text;
      read = s.to;
    }
    other.text += readText.slice(read);
    return other;
  }

  /** All other readings, each once. */
  readings() {
    const most = Math.max(0, ...this.sentences.map(s => s.others.length));
    const seen = new Set([this.text]);
    return Array.from({ length: most }, (_, i) => this.reading(i + 1))
      .filter(({ text }) => !seen.has(text) && seen.add(text));
  }

  /** The words of an open sentence: the answer of POST /v1/align. */
  takeAligned(number, reply) {
    const s = this.sentences[number];
    const alone = new Answer(this.readText.slice(s.from, s.to));
    alone.takeWhole(reply.translations[0]);
    const [{ source, target, weights }] = alone.sentences;
    Object.assign(s, { source: moved(source, s.from), target: moved(target, s.at), weights, isOpen: false });
    this.warnings.push(...alone.warnings.map(w => ({ ...w, from: w.from + s.from })));
  }

  /** The word of the source that has this index of readText: its name, or null. */
  wordAt(index) {
    for (const [i, s] of this.sentences.entries()) {
      const k = s?.source.findIndex(word => word.from <= index && index < word.to) ?? -1;
      if (k >= 0) return wordName('s', i, k);
    }
    return null;
  }

  isUncovered(word) {
    return this.warnings.some(w => w.kind === 'uncovered' && w.from === word.from);
  }
}

const WORDS_OF_WARNINGS = {
  uncovered: text => `“${text}” seems to be left out.`,
  repetition: text => text ? `“${text}” says again what the source says once.`
                           : 'It says again what the source says once.',
  split: () => 'A sentence was too long for the model and was split.',
  truncated: () => 'The model did not come to an end: it was stopped at the length limit.',
  not_stored: () => 'It could not be stored: it is not in the history.',
};

/** A warning as a sentence. */
export function wordsOfWarning({ kind, text }) {
  return WORDS_OF_WARNINGS[kind]?.(text) ?? kind;
}
