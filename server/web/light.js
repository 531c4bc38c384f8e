// light.js - a word and its partners light up, wherever they are shown.

import { percent } from './text.js';

const LEAST = 0.05;             // of attention that is shown

export class Light {
  /** `places`: elements that have words in them; onLit is told the word that was chosen, or null. */
  constructor(places, onLit) {
    this.places = places;
    this.onLit = onLit;
    this.answer = null;
    this.name = null;
    for (const place of places) {
      place.addEventListener('pointerover', event => this.show(event.target.closest('[data-word]')?.dataset.word));
      place.addEventListener('pointerleave', () => this.show(null));
      place.addEventListener('focusin', event => this.show(event.target.closest('[data-word]')?.dataset.word, true));
      place.addEventListener('focusout', () => this.show(null));
    }
  }

  of(answer) {
    this.answer = answer;
    this.name = null;
  }

  /** [side, sentence, number] */
  static read(name) {
    const [side, sentence, number] = name.split('-');
    return [side, Number(sentence), Number(number)];
  }

  /** The word of this name in the answer that is drawn; a newer answer may have others. */
  word(name) {
    const [side, i, number] = Light.read(name);
    return this.answer?.sentences[i]?.[side === 's' ? 'source' : 'target'][number];
  }

  /** What the word looked at, or who looked at it: [{ name, word, weight }], strongest first. */
  partners(name) {
    const [side, i, number] = Light.read(name);
    const sentence = this.answer.sentences[i];
    const others = side === 't' ? sentence.source : sentence.target;
    const weight = k => (side === 't' ? sentence.weights[number]?.[k] : sentence.weights[k]?.[number]) ?? 0;
    return others
      .map((word, k) => ({ name: `${side === 't' ? 's' : 't'}-${i}-${k}`, word, weight: weight(k) }))
      .filter(p => p.weight >= LEAST)
      .sort((a, b) => b.weight - a.weight);
  }

  show(name, isByKeyboard = false) {
    name = name && this.word(name) ? name : null;
    if (name === this.name) return;
    this.name = name;
    const partners = name ? this.partners(name) : [];
    for (const place of this.places) this.paint(place, name, partners);
    this.onLit(name, partners, isByKeyboard);
  }

  /** What is new in the places lights up as well. */
  again() {
    const name = this.name;
    this.name = null;
    this.show(name);
  }

  paint(place, name, partners) {
    for (const old of place.querySelectorAll('.lit, .chosen')) old.classList.remove('lit', 'chosen');
    if (!name) return;
    for (const chosen of place.querySelectorAll(`[data-word="${name}"]`)) chosen.classList.add('chosen');
    for (const partner of partners)
      for (const lit of place.querySelectorAll(`[data-word="${partner.name}"]`)) {
        lit.classList.add('lit');
        lit.style.setProperty('--share', partner.weight.toFixed(3));
      }
    for (const band of place.querySelectorAll(`[data-ends~="${name}"]`)) band.classList.add('lit');
  }

  /** For those who hear it, and below the picture. */
  inWords(name, partners) {
    const [side] = Light.read(name), word = this.word(name);
    const list = partners.slice(0, 3).map(p => `“${p.word.text}” ${percent(p.weight)}`).join(', ');
    const sure = side === 't' ? ` Confidence ${percent(word.confidence)}.` : '';
    return `“${word.text}”: ${list || (side === 's' ? 'left out' : 'from no word')}.${sure}`;
  }
}
