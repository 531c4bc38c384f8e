// matrix.js - the alignment as a table: a row a word of the translation, a column a word of the source,
// the last one the end of the sentence; the more ink, the more it was looked at.

import { element, percent } from './text.js';
import { wordSpan } from './words.js';

function headRow(answer, number) {
  const row = element('tr', {}, element('td', { class: 'corner' }));
  answer.sentences[number].source.forEach((word, s) =>
    row.append(element('th', { scope: 'col' }, element('span', { class: 'upright', dir: 'auto' }, wordSpan(answer, 's', number, s)))));
  row.append(element('th', { scope: 'col', class: 'end' },
                     element('span', { class: 'upright' }, 'end', element('span', { class: 'unseen' }, ' of the sentence'))));
  return row;
}

function cell(weight, title) {
  const made = element('td', { title }, element('span', { class: 'unseen' }, percent(weight)));
  made.style.setProperty('--share', weight.toFixed(3));
  return made;
}

function bodyRow(answer, number, t) {
  const { source, target, weights } = answer.sentences[number];
  const row = element('tr', {}, element('th', { scope: 'row', dir: 'auto' }, wordSpan(answer, 't', number, t)));
  for (let s = 0; s <= source.length; s++) {
    const weight = weights[t]?.[s] ?? 0, from = source[s]?.text ?? 'end of the sentence';
    row.append(cell(weight, `${target[t].text} – ${from}: ${percent(weight)}`));
  }
  return row;
}

export function drawMatrix(container, answer, number) {
  const table = element('table', {},
    element('caption', { class: 'unseen' }, 'Rows are words of the translation, columns words of the source; how much each row looked at each column.'),
    element('thead', {}, headRow(answer, number)));
  const body = element('tbody');
  answer.sentences[number].target.forEach((_, t) => body.append(bodyRow(answer, number, t)));
  table.append(body);
  table.style.setProperty('--columns', answer.sentences[number].source.length + 2);
  table.addEventListener('pointerover', event => {
    const over = event.target.closest('td:not(.corner)');
    for (const old of table.querySelectorAll('.pointed')) old.classList.remove('pointed');
    if (!over) return;
    over.parentElement.classList.add('pointed');
    table.tHead.rows[0].cells[over.cellIndex].classList.add('pointed');
  });
  container.replaceChildren(table);
}

