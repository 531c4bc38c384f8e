// languages.js - from which language, into which.

import { element } from './text.js';

const AUTO = 'auto';
const CERTAIN = 50;             // percent; below, it is said that it may be another

export class Languages {
  constructor(from, to, onChange) {
    this.from = from;
    this.to = to;
    from.addEventListener('change', () => { this.fillTargets(); onChange(); });
    to.addEventListener('change', onChange);
  }

  /** list: of GET /languages. */
  fill(list, hasAuto, first) {
    this.list = list;
    this.from.replaceChildren(...(hasAuto ? [new Option('Detect language', AUTO)] : []),
                              ...list.map(l => new Option(l.name, l.code)));
    this.from.value = hasAuto || first.source === AUTO ? this.from.options[0].value : first.source;
    this.fillTargets(first.target);
  }

  fillTargets(wanted = this.to.value) {
    const here = this.list.find(l => l.code === this.from.value);
    const codes = (here ? here.targets : this.list.map(l => l.code)).filter(code => code !== this.from.value);
    const nameOf = code => this.list.find(l => l.code === code)?.name ?? code;
    this.to.replaceChildren(...codes.map(code => new Option(nameOf(code), code)));
    if (codes.includes(wanted)) this.to.value = wanted;
  }

  /** Of the text; then it is translated into another. */
  detected(language, confidence) {
    const found = this.list.find(l => l.code === language);
    this.found = language;
    this.from.options[0].textContent = `${found?.name ?? language}, ${confidence < CERTAIN ? 'perhaps' : 'detected'}`;
    if (this.to.value === language) this.to.value = found?.targets.find(code => code !== language) ?? language;
  }

  /** What the text is in, as far as that is known. */
  get source() {
    return this.from.value === AUTO ? this.found ?? '' : this.from.value;
  }

  choose(source, target) {
    if ([...this.from.options].some(o => o.value === source)) this.from.value = source;
    this.fillTargets(target);
  }

  canSwap() {
    const there = this.list?.find(l => l.code === this.to.value);
    return Boolean(this.source) && Boolean(there?.targets.includes(this.source));
  }

  swap() {
    this.choose(this.to.value, this.source);
  }
}
