// readings.js - the readings of a text as a list to choose from; in each is marked what it has that
// the first one has not, and struck out what it lacks.

import { element, joined } from './text.js';

const AROUND = 4;               // words that are left beside what differs, in a text of several sentences

/** [i][k]: how many words here, from the i-th on, are also there, from the k-th on, in that order. */
function countCommon(here, there) {
  const count = Array.from({ length: here.length + 1 }, () => new Uint16Array(there.length + 1));
  for (let i = here.length - 1; i >= 0; i--)
    for (let k = there.length - 1; k >= 0; k--)
      count[i][k] = here[i] === there[k] ? count[i + 1][k + 1] + 1 : Math.max(count[i + 1][k], count[i][k + 1]);
  return count;
}

/** In turn: words that are in both, then those that are only here or only there. */
function runsOf(here, there) {
  const common = countCommon(here, there), runs = [];
  let i = 0, k = 0;
  const isSame = () => i < here.length && here[i] === there[k];
  while (i < here.length || k < there.length) {
    const run = { same: [], here: [], there: [] };
    for (; isSame(); i++, k++) run.same.push(here[i]);
    while (!isSame() && (i < here.length || k < there.length)) {
      if (k === there.length || (i < here.length && common[i + 1][k] >= common[i][k + 1])) run.here.push(here[i++]);
      else run.there.push(there[k++]);
    }
    runs.push(run);
  }
  return runs;
}

function shortened(words) {
  return words.length <= 2 * AROUND ? words : [...words.slice(0, AROUND), '…', ...words.slice(-AROUND)];
}

/** A sentence as nodes, with its differences from another one. */
function differing(text, other, isShort) {
  const parts = [];
  for (const { same, here, there } of runsOf(text.split(' '), other.split(' '))) {
    if (same.length) parts.push((isShort ? shortened(same) : same).join(' '));
    if (here.length) parts.push(element('mark', {}, here.join(' ')));
    else if (there.length) parts.push(element('del', { 'aria-hidden': 'true' }, there.join(' ')));
  }
  return joined(parts, ' ');
}

function nodesOf(reading, best) {
  if (reading === best) return [best.text];
  const nodes = [];
  let at = 0;
  reading.sentences.forEach((s, i) => {
    nodes.push(reading.text.slice(at, s.at), ...differing(s.text, best.sentences[i].text, best.sentences.length > 1));
    at = s.at + s.text.length;
  });
  return [...nodes, reading.text.slice(at)];
}

export class Readings {
  constructor(section, list, onChoose) {
    Object.assign(this, { section, list, onChoose });
  }

  /** While the next answer grows the list of the last one keeps its place, and cannot be used. */
  draw(best, shown, language) {
    this.section.inert = Boolean(best) && !best.isWhole;
    if (this.section.inert) return;
    if (best !== this.best) this.fill(best, language);
    for (const button of this.list.querySelectorAll('button'))
      button.setAttribute('aria-pressed', Number(button.dataset.number) === shown?.number);
  }

  fill(best, language) {
    this.best = best;
    const others = best?.readings() ?? [];
    this.section.hidden = others.length === 0;
    this.list.replaceChildren(...(others.length ? [best, ...others] : []).map(reading => this.item(reading, language)));
  }

  item(reading, language) {
    const button = element('button', { type: 'button', 'data-number': reading.number, dir: 'auto', lang: language },
                           element('span', {}, ...nodesOf(reading, this.best)));
    button.addEventListener('click', () => this.onChoose(reading.number ? this.best.reading(reading.number) : this.best));
    return element('li', {}, button);
  }
}
