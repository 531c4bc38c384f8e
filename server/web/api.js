// api.js - what the page asks of the service, and how it may fail.

const KEY = 'verso-key';        // in sessionStorage: gone with the tab

export const key = {
  get() { return sessionStorage.getItem(KEY) ?? ''; },
  set(value) { value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY); },
};

/** A failure in words; status 0: the server could not be reached. */
export class Problem extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

async function problemOf(reply) {
  let detail = `the server answered ${reply.status}`;
  try {
    const said = await reply.json();
    detail = said.detail ?? said.error ?? detail;
  } catch { /* not JSON: the status has to do */ }
  return new Problem(reply.status, detail, Number(reply.headers.get('Retry-After')) || 0);
}

/** A reply that is a success; everything else is thrown as a Problem, a request given up as AbortError. */
export async function ask(method, path, { body, signal } = {}) {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (key.get()) headers.Authorization = 'Bearer ' + key.get();
  let reply;
  try {
    reply = await fetch(path, { method, headers, signal, cache: 'no-cache', body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, 'the server cannot be reached');
  }
  if (!reply.ok) throw await problemOf(reply);
  return reply;
}

export async function askJson(method, path, options) {
  return (await ask(method, path, options)).json();
}

/** Path and query, without what is empty. */
export function pathWith(path, query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== '' && value !== undefined && value !== null) parameters.set(name, value);
  return parameters.size ? `${path}?${parameters}` : path;
}

function eventOf(block) {
  const event = { name: 'message', data: '' };
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) event.name = line.slice(7);
    if (line.startsWith('data: ')) event.data += line.slice(6);
  }
  return event;
}

/** The events of POST /v1/translate/stream as [name, data], while they come. EventSource cannot POST. */
export async function* stream(body, signal) {
  const reply = await ask('POST', '/v1/translate/stream', { body, signal });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Problem(0, 'the connection broke off');
    }
    if (part.done) return;
    const blocks = (pending + part.value).split('\n\n');
    pending = blocks.pop();
    for (const { name, data } of blocks.map(eventOf)) {
      const value = JSON.parse(data);
      if (name === 'error') throw new Problem(value.status, value.detail);
      yield [name, value];
    }
  }
}
