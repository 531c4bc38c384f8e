// saving.js - an alignment as a file of the reader's.

import { ask, pathWith } from './api.js';
import { element } from './text.js';

function offer(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = element('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** What is stored, drawn by the service. */
export async function savePicture(answer, form, options) {
  const path = pathWith(`/v1/translations/${answer.id}/alignment.${form}`, { n: answer.sentences[options.sentence].hypothesis, ...options });
  const reply = await ask('GET', path);
  offer(await reply.blob(), `${answer.id}.${form}`);
}

/** What is shown, stored or not. */
export function saveJson(answer, languages) {
  const words = list => list.map(({ text, confidence, coverage }) => ({ text, confidence, coverage }));
  const data = {
    id: answer.id, model: answer.model, source: languages.from, target: languages.to,
    source_text: answer.readText, text: answer.text,
    sentences: answer.sentences.map(s => ({
      source: words(s.source), target: words(s.target), alignment: s.weights, links: s.target.map(w => w.links),
    })),
    warnings: answer.warnings.map(({ kind, text }) => ({ kind, text })),
  };
  offer(new Blob([JSON.stringify(data, null, 1)], { type: 'application/json' }), `${answer.id ?? 'translation'}.json`);
}
