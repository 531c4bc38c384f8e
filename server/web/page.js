// page.js - the page: what is where, and what happens when.

import { Answer, wordsOfWarning } from './answer.js';
import { askJson, key } from './api.js';
import { History } from './history.js';
import { Languages } from './languages.js';
import { Light } from './light.js';
import { drawMatrix } from './matrix.js';
import { Readings } from './readings.js';
import { Ribbons } from './ribbons.js';
import { saveJson, savePicture } from './saving.js';
import { countCharacters, element, joined } from './text.js';
import { isDark, showThemeOn } from './theme.js';
import { Translating } from './translating.js';
import { drawText, makeRoving } from './words.js';

const N_BEST = 4;               // readings asked for, where the service gives as many
const ANNOUNCED_MAX = 500;      // characters of a translation that are read out
const POINT = 'Point at a word, or go from word to word with the arrow keys.';

const at = id => document.getElementById(id);
const source = at('source'), target = at('target'), mirror = at('mirror');

const limits = { characters: Infinity, nBest: 1 };
let best = null;                // the answer of the service
let shown = null;               // that, or another reading of it
let sentence = 0;               // whose words are drawn
let before = '';                // the text before it: while that stays, so does the choice
let picture = 'ribbons';

// ---- what is said ----

function say(text) {
  at('status').textContent = text;
}

function showError(text, retry) {
  const error = at('error');
  error.hidden = !text;
  error.replaceChildren(text ?? '');
  target.classList.toggle('is-old', Boolean(text && best) && best.readText !== source.value);
  if (text && retry) {
    const again = element('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', retry);
    error.append(' ', again);
  }
}

const PROBLEMS = {
  0: () => 'There is no connection to the server.' + (source.value ? ' Your text is still here.' : ''),
  401: problem => `This server asks for a key: ${problem.message}.`,
  429: () => 'That was more than this server answers in a minute.',
  503: () => 'The server has more to do than it can just now.',
};

function showProblem(problem, wait = 0) {
  const words = PROBLEMS[problem.status]?.(problem) ?? `This did not work: ${problem.message}.`;
  const soon = wait ? ` It is tried again in ${wait} ${wait === 1 ? 'second' : 'seconds'}.` : '';
  const needsKey = problem.status === 401 || problem.message === 'Invalid API key';
  if (needsKey) at('open-key').hidden = false;
  showError(words + soon, needsKey ? openKey : () => translating.now());
}

// ---- the source ----

function drawMirror() {
  const isCurrent = best && best.readText === source.value;
  if (isCurrent) drawText(mirror, source.value, best, 's');
  else mirror.textContent = source.value;
  mirror.append('\u200b');      // so that a last empty line has its height
}

function showCount() {
  const count = countCharacters(source.value);
  const isOver = count > limits.characters;
  at('count').textContent = count.toLocaleString();
  at('count-note').classList.toggle('is-over', isOver);
  at('clear').hidden = count === 0;
  source.setAttribute('aria-invalid', isOver);
  return isOver;
}

function clearAnswer() {
  best = shown = null;
  chooseSentence(0);
  drawAll();
}

function sourceChanged() {
  const isOver = showCount();
  showError(null);
  translating.stop();
  light.show(null);
  if (best && best.readText !== source.value) drawMirror();
  if (!best) mirror.textContent = source.value + '\u200b';
  if (isOver)
    showError(`The text is too long: ${at('count').textContent} characters, and this server takes ${limits.characters.toLocaleString()}.`);
  else if (source.value.trim() === '')
    clearAnswer();
  else
    translating.soon();
}

// ---- the translation ----

const light = new Light([mirror, target, at('ribbons'), at('matrix')], (name, partners, isByKeyboard) => {
  const words = name && light.inWords(name, partners);
  at('word-note').textContent = words ?? POINT;
  if (words && isByKeyboard) say(words);
});
const ribbons = new Ribbons(at('ribbons'));
const readings = new Readings(at('alternatives'), at('alternative-list'), show);

function languagesShown() {
  return { from: shown.via || languages.source, to: languages.to.value };
}

/** The sentence that is drawn: while an answer grows, one before it that has words already. */
function sentenceDrawn() {
  let number = Math.min(sentence, shown.sentences.length - 1);
  while (!shown.isWhole && number > 0 && !shown.sentences[number]?.target.length) number--;
  return number;
}

function chooseSentence(number) {
  sentence = number;
  before = shown?.readText.slice(0, shown.sentences[number]?.from ?? 0) ?? '';
}

function showSentence(number) {
  chooseSentence(number);
  drawPicture();
}

function drawPager(number) {
  const count = shown.sentences.length;
  at('pager').hidden = count < 2;
  at('sentence-number').textContent = `${number + 1} of ${count}`;
  at('sentence-before').disabled = number === 0;
  at('sentence-after').disabled = number === count - 1;
}

function drawPicture() {
  const number = shown ? sentenceDrawn() : 0, drawn = shown?.sentences[number];
  if (drawn?.isOpen) {          // what was drawn before stays until then
    alignSentence(number);
    return;
  }
  const isThere = Boolean(drawn?.target.length);
  at('alignment').hidden = !isThere;
  if (!isThere) return;
  at('ribbons').hidden = picture !== 'ribbons';
  at('matrix').hidden = picture !== 'matrix';
  if (picture === 'ribbons') ribbons.draw(shown, number, languagesShown());
  else drawMatrix(at('matrix'), shown, number);
  light.again();
  drawPager(number);
}

function drawWarnings() {
  const list = shown?.isWhole ? shown.warnings.map(w => element('li', {}, wordsOfWarning(w))) : [];
  at('warnings').replaceChildren(...list);
  at('warnings').hidden = list.length === 0;
}

function drawMadeBy() {
  const parts = [];
  if (shown?.isWhole && shown.model) parts.push(shown.via ? `${shown.model}, through ${shown.via}` : shown.model);
  if (shown?.origin === 'suggestion') parts.push('suggested by people');
  if (shown?.id) parts.push(element('a', { href: '#' + shown.id, title: 'The address of this translation' }, shown.id));
  at('made-by').replaceChildren(...joined(parts, ' · '));
  for (const id of ['save-svg', 'save-png']) {
    at(id).disabled = !shown?.id;
    at(id).title = shown?.id ? '' : 'There when the translation has been stored';
  }
}

function drawAll() {
  light.of(shown);
  drawMirror();
  if (shown) drawText(target, shown.text, shown, 't');
  else target.replaceChildren();
  target.lang = languages.to.value;
  at('copy').hidden = !shown?.text;
  drawPicture();
  drawWarnings();
  readings.draw(best, shown, languages.to.value);
  drawMadeBy();
}

/** While an answer grows it is drawn as often as drawing leaves time for other things. */
const growing = { timer: 0, took: 0 };

function drawSoon() {
  if (growing.timer) return;
  growing.timer = setTimeout(() => {
    const from = performance.now();
    growing.timer = 0;
    drawAll();
    growing.took = performance.now() - from;
  }, Math.max(16, growing.took * 3));
}

function show(answer) {
  shown = answer;
  drawSoon();
}

/** The words of the sentence that is drawn, where they are not known yet. */
async function alignSentence(number) {
  const asked = shown, { from, to, text } = asked.sentences[number];
  asked.sentences[number].isOpen = false;
  try {
    const body = { source_text: asked.readText.slice(from, to), target_text: text,
                   source: asked.via || languages.source, target: languages.to.value };
    asked.takeAligned(number, await askJson('POST', '/v1/align', { body }));
    if (asked === shown) drawSoon();
  } catch (problem) {
    asked.sentences[number].isOpen = true;
    showProblem(problem);
  }
}

// ---- languages, asking, history ----

const languages = new Languages(at('from'), at('to'), () => { clearAnswer(); sourceChanged(); });

function wish() {
  return { text: source.value, source: languages.from.value, target: languages.to.value, n_best: Math.min(N_BEST, limits.nBest) };
}

const translating = new Translating(wish, {
  mayKeep: () => history.isStoring,
  onBusy: isBusy => at('progress').classList.toggle('is-busy', isBusy),
  onDetected: (language, confidence) => languages.detected(language, confidence),
  onProblem: showProblem,
  onAnswer(answer) {
    showError(null);
    if (!answer.isWhole && !answer.text) return;            // what was there stays until there is more
    if (best !== answer && !answer.readText.startsWith(before)) chooseSentence(0);
    best = answer;
    show(answer);
    if (answer.isWhole && answer.text) say('Translation: ' + answer.text.slice(0, ANNOUNCED_MAX));
  },
  onKept() {
    drawMadeBy();
    drawWarnings();
    setTimeout(() => history.refresh(), 200);   // it is in the file by then
  },
});

const history = new History(
  { section: at('history'), search: at('history-search'), list: at('history-list'), more: at('history-more'), note: at('history-note') },
  openStored, showProblem);

async function openStored(id) {
  try {
    const stored = await askJson('GET', '/v1/translations/' + id);
    translating.stop();
    showError(null);
    languages.choose(stored.source, stored.target);
    source.value = stored.source_text ?? '';
    best = shown = Answer.ofStored(stored);
    chooseSentence(0);
    showCount();
    drawAll();
    say('Opened. Translation: ' + (stored.target_text ?? 'the service keeps no text').slice(0, ANNOUNCED_MAX));
    scrollTo({ top: 0 });
    source.focus({ preventScroll: true });
  } catch (problem) {
    showProblem(problem);
  }
}

function toggleHistory() {
  const section = at('history');
  if (at('open-history').hidden) return;
  section.hidden = !section.hidden;
  at('open-history').setAttribute('aria-expanded', !section.hidden);
  if (section.hidden) return;
  history.load('');
  at('history-search').focus();
}

// ---- buttons and keys ----

function swap() {
  if (!languages.canSwap()) return;
  const text = shown?.isWhole ? shown.text : source.value;
  languages.swap();
  source.value = text;
  clearAnswer();
  sourceChanged();
}

function choosePicture(which) {
  picture = which;
  at('show-ribbons').setAttribute('aria-pressed', which === 'ribbons');
  at('show-matrix').setAttribute('aria-pressed', which === 'matrix');
  drawPicture();
}

async function copy() {
  if (!shown?.text) return;
  try {
    await navigator.clipboard.writeText(shown.text);
    say('Copied.');
    at('copy').textContent = 'Copied';
    setTimeout(() => { at('copy').textContent = 'Copy'; }, 1500);
  } catch {
    getSelection().selectAllChildren(target);
    say('The browser does not let pages copy: the translation is selected.');
  }
}

function save(form) {
  if (form === 'json') return saveJson(shown, languagesShown());
  const options = { sentence: sentenceDrawn(), ribbons: picture === 'ribbons', theme: isDark() ? 'dark' : 'light' };
  return savePicture(shown, form, options).catch(showProblem);
}

function openKey() {
  at('key').value = key.get();
  at('key-dialog').showModal();
}

const shortcuts = {
  KeyS: () => source.focus(),
  KeyT: () => target.querySelector('.word[tabindex="0"]')?.focus(),
  KeyX: swap,
  KeyC: copy,
  KeyM: () => choosePicture(picture === 'ribbons' ? 'matrix' : 'ribbons'),
  KeyH: toggleHistory,
  KeyD: () => at('theme').click(),
  KeyK: () => at('shortcuts').showModal(),
};

document.addEventListener('keydown', event => {
  if ((event.ctrlKey || event.metaKey) && event.key === 'Enter' && source.value.trim()) {
    event.preventDefault();
    if (!showCount()) translating.now({ keepAtOnce: true });
  } else if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && shortcuts[event.code]) {
    event.preventDefault();
    if (!document.querySelector('dialog[open]')) shortcuts[event.code]();
  }
});

/** The word of the source that the cursor is in. */
document.addEventListener('selectionchange', () => {
  if (document.activeElement !== source || !best || best.readText !== source.value) return;
  const name = best.wordAt(source.selectionStart);
  if (name && Light.read(name)[1] !== sentenceDrawn()) showSentence(Light.read(name)[1]);
  light.show(name);
});

source.addEventListener('pointermove', event => {
  const below = document.elementsFromPoint(event.clientX, event.clientY);
  light.show(below.find(e => e.parentElement === mirror)?.dataset.word);
});
source.addEventListener('pointerleave', () => light.show(null));
source.addEventListener('input', sourceChanged);
for (const place of [target, at('ribbons'), at('matrix')]) makeRoving(place);
at('matrix').addEventListener('pointerover', event => {
  const cell = event.target.closest('td[title]');
  if (cell) at('word-note').textContent = cell.title;
});
target.addEventListener('click', event => {
  const word = event.target.closest('.word');
  if (word) showSentence(Light.read(word.dataset.word)[1]);
});

const clicks = {
  'swap': swap, 'copy': copy, 'open-history': toggleHistory, 'open-key': openKey,
  'open-shortcuts': shortcuts.KeyK,
  'clear': () => { source.value = ''; sourceChanged(); source.focus(); },
  'show-ribbons': () => choosePicture('ribbons'), 'show-matrix': () => choosePicture('matrix'),
  'sentence-before': () => showSentence(sentenceDrawn() - 1), 'sentence-after': () => showSentence(sentenceDrawn() + 1),
  'save-svg': () => save('svg'), 'save-png': () => save('png'), 'save-json': () => save('json'),
};
for (const [id, onClick] of Object.entries(clicks)) at(id).addEventListener('click', onClick);

at('key-form').addEventListener('submit', event => {
  key.set(event.submitter?.value === 'forget' ? '' : at('key').value.trim());
  at('key').value = '';
  start();
});
addEventListener('online', () => { if (!at('error').hidden && source.value.trim()) translating.now(); });
addEventListener('hashchange', openHash);

// ---- the beginning ----

function openHash() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (/^\w{1,8}-\w{13}$/.test(id)) openStored(id);
}

async function start() {
  try {
    const [settings, list, spec] = await Promise.all(
      ['/frontend/settings', '/languages', '/v1/openapi.json'].map(path => askJson('GET', path)));
    limits.characters = settings.charLimit < 0 ? Infinity : settings.charLimit;
    limits.nBest = spec.components.schemas.NBest.maximum;
    at('limit').textContent = limits.characters.toLocaleString();
    at('open-key').hidden = !settings.keyRequired && !settings.apiKeys && !key.get();
    const { source: from, target: to } = settings.language;
    if (!languages.list) languages.fill(list, from.code === 'auto', { source: from.code, target: to.code });
    at('open-history').hidden = !await history.isThere();
    openHash();
    if (source.value) sourceChanged();
    showError(null);
    if (settings.keyRequired && !key.get()) openKey();
  } catch (problem) {
    showProblem(problem);
    showError(at('error').firstChild.textContent, start);
  }
}

showThemeOn(at('theme'));
start();
