'use strict';
// Words, cells and bands say with data-s and data-t of which tokens they are; the table has the
// weights: a row a target token, a column a source token and one for the sentence's end.
const weights = Array.from(document.querySelectorAll('tbody tr'),
    row => Array.from(row.querySelectorAll('td'), cell => Number(cell.textContent)));
const lines = ['source', 'target'].map(
    id => Array.from(document.querySelectorAll(`#${id} button`)));
const shapes = document.querySelectorAll('svg [data-s], svg [data-t]');
const output = document.querySelector('output');
const advice = output.textContent;

function tokenOf(element, side) {
    return side in element.dataset ? Number(element.dataset[side]) : null;
}

// 0 to 1: how much something about tokens s and t has to do with the chosen ones.
function shareOf(s, t, chosen) {
    if (s !== null && t !== null)
        return (chosen.s === null || chosen.s === s) && (chosen.t === null || chosen.t === t) ? 1 : 0;
    if (s !== null)
        return chosen.s !== null ? Number(chosen.s === s) : weights[chosen.t][s];
    return chosen.t !== null ? Number(chosen.t === t) : weights[t][chosen.s];
}

function partners(chosen) {
    const [others, weightOf] = chosen.t !== null
        ? [lines[0], i => weights[chosen.t][i]] : [lines[1], i => weights[i][chosen.s]];
    return others.map((button, i) => ({ text: button.textContent, weight: weightOf(i) }))
        .filter(partner => partner.weight >= 0.01)
        .sort((a, b) => b.weight - a.weight)
        .slice(0, 6);
}

function inWords(chosen) {
    if (chosen.s !== null && chosen.t !== null)
        return `${lines[1][chosen.t].textContent} - ${lines[0][chosen.s].textContent}: ` +
            weights[chosen.t][chosen.s].toFixed(2);
    const word = chosen.t !== null ? lines[1][chosen.t] : lines[0][chosen.s];
    const list = partners(chosen).map(p => `${p.text} ${p.weight.toFixed(2)}`).join(', ');
    const note = word.dataset.note ? ` (${word.dataset.note})` : '';
    return `${word.textContent}${note}: ${list || 'nothing'}`;
}

function show(chosen) {
    for (const button of lines.flat())
        button.style.setProperty('--share', chosen
            ? shareOf(tokenOf(button, 's'), tokenOf(button, 't'), chosen) : 0);
    for (const shape of shapes) {
        const share = chosen ? shareOf(tokenOf(shape, 's'), tokenOf(shape, 't'), chosen) : 1;
        shape.style.opacity = !chosen || share === 1 ? '' : String(0.15 + 0.85 * share);
    }
    output.textContent = chosen ? inWords(chosen) : advice;
}

// What the pointer is over, else what has the focus.
function showFor(element) {
    const about = element instanceof Element ? element.closest('[data-s], [data-t]') : null;
    const chosen = about ?? document.activeElement.closest('[data-s], [data-t]');
    show(chosen ? { s: tokenOf(chosen, 's'), t: tokenOf(chosen, 't') } : null);
}

function step(event) {
    const side = lines.findIndex(line => line.includes(event.target));
    if (side < 0)
        return;
    const line = lines[side], at = line.indexOf(event.target);
    const forward = event.target.parentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
    const backward = forward === 'ArrowLeft' ? 'ArrowRight' : 'ArrowLeft';
    const next = { [forward]: line[at + 1], [backward]: line[at - 1], Home: line[0],
        End: line[line.length - 1] }[event.key];
    if (event.key === 'Escape')
        event.target.blur();
    if (next) {
        next.focus();
        event.preventDefault();
    }
}

document.addEventListener('pointerover', event => showFor(event.target));
document.documentElement.addEventListener('pointerleave', () => showFor(null));
document.addEventListener('focusin', () => showFor(null));
document.addEventListener('focusout', () => show(null));
document.addEventListener('keydown', step);
