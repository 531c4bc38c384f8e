// ribbons.js - a sentence and its translation as two lines, with bands between words: as wide as the
// weight. Where the lines do not fit beside each other's words, they stand as facing columns.

import { element } from './text.js';
import { wordName, wordSpan } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const LEAST = 0.05;             // of attention that gets a band

function lineOf(answer, side, number, language) {
  const line = element('p', { class: `line ${side === 's' ? 'line-source' : 'line-target'}`, dir: 'auto', lang: language });
  const words = answer.sentences[number][side === 's' ? 'source' : 'target'];
  words.forEach((word, k) => word.text && line.append(wordSpan(answer, side, number, k), ' '));
  return line;
}

/** Room for words that are still to come, so that those that are there keep their places. */
function roomFor(count) {
  return Array.from({ length: Math.max(0, count) }, () => element('span', { class: 'to-come' }));
}

/** Of a rectangle: where a band of this weight begins and ends on the side that faces the other line. */
function edge(box, frame, weight, isTall, isFirst) {
  const middle = isTall ? box.top + box.height / 2 - frame.top : box.left + box.width / 2 - frame.left;
  const half = Math.max(0.6, weight * (isTall ? box.height : box.width) * 0.46);
  const across = isTall ? (isFirst ? box.right : box.left) - frame.left
                        : (isFirst ? box.bottom : box.top) - frame.top;
  return { from: middle - half, to: middle + half, across };
}

function bandPath(a, b, isTall) {
  const at = (along, across) => isTall ? `${across.toFixed(1)} ${along.toFixed(1)}` : `${along.toFixed(1)} ${across.toFixed(1)}`;
  const half = (a.across + b.across) / 2;
  return `M${at(a.from, a.across)} C${at(a.from, half)} ${at(b.from, half)} ${at(b.from, b.across)} ` +
         `L${at(b.to, b.across)} C${at(b.to, half)} ${at(a.to, half)} ${at(a.to, a.across)}Z`;
}

export class Ribbons {
  constructor(container) {
    this.container = container;
    new ResizeObserver(() => this.layOut()).observe(container);
  }

  draw(answer, number, languages) {
    this.answer = answer;
    this.number = number;
    const { source, target } = answer.sentences[number];
    this.container.style.setProperty('--words', Math.max(source.length, target.length));
    this.lines = [lineOf(answer, 's', number, languages.from), lineOf(answer, 't', number, languages.to)];
    if (!answer.isWhole) this.lines[1].append(...roomFor(source.length - target.length));
    this.bands = document.createElementNS(SVG, 'svg');
    this.bands.setAttribute('class', 'bands');
    this.bands.setAttribute('aria-hidden', 'true');
    this.container.replaceChildren(this.lines[0], this.lines[1], this.bands);
    this.layOut();
  }

  layOut() {
    if (!this.answer || !this.container.clientWidth) return;
    this.container.classList.remove('is-tall');
    const isTall = this.lines.some(line => line.scrollWidth > this.container.clientWidth);
    this.container.classList.toggle('is-tall', isTall);
    this.drawBands(isTall);
  }

  drawBands(isTall) {
    const frame = this.container.getBoundingClientRect();
    const box = (side, k) => this.container.querySelector(`.word[data-word="${wordName(side, this.number, k)}"]`)?.getBoundingClientRect();
    const { source, target, weights } = this.answer.sentences[this.number];
    const sources = source.map((_, s) => box('s', s)), targets = target.map((_, t) => box('t', t));
    const paths = [];
    targets.forEach((to, t) => sources.forEach((from, s) => {
      const weight = weights[t]?.[s] ?? 0;
      if (!from || !to || weight < LEAST) return;
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('d', bandPath(edge(from, frame, weight, isTall, true), edge(to, frame, weight, isTall, false), isTall));
      path.dataset.ends = `${wordName('s', this.number, s)} ${wordName('t', this.number, t)}`;
      path.style.setProperty('--share', weight.toFixed(3));
      paths.push(path);
    }));
    this.bands.replaceChildren(...paths);
  }
}
