// answer.js - a translation as the page shows it, while it grows or whole.
//
//   { text, readText, id, model, via, origin, warnings, isWhole,
//     sentences: [{ source: [word], target: [word], weights: [[...]], others: [{ text, score }] }] }
//
// A word has its text and from, to: indices in readText (what the model was given) or in text. A row of
// weights is a target word, a column a source word, the last one the end of the sentence.

import { indexOfByte } from './text.js';

function wordsOf(tokens, index) {
  return tokens.map(t => ({ ...t, from: index(t.span[0]), to: index(t.span[1]) }));
}

export class Answer {
  constructor(readText) {
    this.readText = readText;
    this.readIndex = indexOfByte(readText);
    this.text = '';
    this.sentences = [];
    this.warnings = [];
    this.id = null;
    this.hypothesis = 0;        // which of its n-best it shows
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

  /** Of POST /v1/align with the k-th other hypothesis of this one. */
  ofOther(k, reply) {
    const other = new Answer(this.readText);
    other.takeWhole(reply.translations[0]);
    return Object.assign(other, { id: this.id, model: this.model, via: this.via, hypothesis: k + 1, isWhole: true });
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
