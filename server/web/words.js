// words.js - a text whose words know which they are: data-word is "s-0-3" or "t-0-3", the side, the
// sentence and the number of the word.

import { element } from './text.js';

export function wordName(side, sentence, number) {
  return `${side}-${sentence}-${number}`;
}

export function wordSpan(answer, side, sentence, number) {
  const word = answer.sentences[sentence][side === 's' ? 'source' : 'target'][number];
  const span = element('span', { class: 'word', 'data-word': wordName(side, sentence, number) }, word.text);
  if (side === 't') span.style.setProperty('--doubt', (1 - word.confidence).toFixed(3));
  if (side === 's' && answer.isUncovered(word)) span.classList.add('left-out');
  return span;
}

function isAsItSays(text, word) {
  return word.to > word.from && text.slice(word.from, word.to) === word.text;
}

/** The text with its words marked; those that are not in it (of a text in between) are left out. */
export function drawText(container, text, answer, side) {
  const content = document.createDocumentFragment();
  let at = 0;
  answer.sentences.forEach((sentence, i) => (side === 's' ? sentence.source : sentence.target).forEach((word, k) => {
    if (word.from < at || !isAsItSays(text, word)) return;
    content.append(text.slice(at, word.from), wordSpan(answer, side, i, k));
    at = word.to;
  }));
  content.append(text.slice(at));
  container.replaceChildren(content);
}

/** One stop for Tab, arrow keys from word to word. */
export function makeRoving(container) {
  const words = () => [...container.querySelectorAll('.word')];
  const first = () => { const all = words(); if (all.length && !all.some(w => w.tabIndex === 0)) all[0].tabIndex = 0; };
  const move = (from, to) => { from.tabIndex = -1; to.tabIndex = 0; to.focus(); };
  container.addEventListener('keydown', event => {
    const all = words(), here = all.indexOf(event.target);
    if (here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const isLeftward = getComputedStyle(event.target.parentElement).direction === 'rtl';
    const steps = { ArrowRight: isLeftward ? -1 : 1, ArrowLeft: isLeftward ? 1 : -1, ArrowDown: 1, ArrowUp: -1,
                    Home: -here, End: all.length - 1 - here };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = all[here + steps[event.key]];
    if (next) move(event.target, next);
  });
  new MutationObserver(() => {
    for (const word of words()) if (!word.hasAttribute('tabindex')) word.tabIndex = -1;
    first();
  }).observe(container, { childList: true, subtree: true });
}
