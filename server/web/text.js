// text.js - offsets: the service counts bytes of UTF-8, a page counts units of UTF-16; elements.

const encoder = new TextEncoder();

/** From a byte of the text to the index of its character: a function. */
export function indexOfByte(text) {
  const bytes = encoder.encode(text).length;
  if (bytes === text.length) return byte => byte;
  const indices = new Uint32Array(bytes + 1);
  let at = 0, index = 0;
  for (const character of text) {
    const code = character.codePointAt(0);
    const length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    indices.fill(index, at, at + length);
    at += length;
    index += character.length;
  }
  indices[bytes] = index;
  return byte => indices[Math.min(byte, bytes)];
}

/** As many as the service counts. */
export function countCharacters(text) {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) count--;
  }
  return count;
}

export function percent(share) {
  return Math.round(share * 100) + ' %';
}

/** An element with attributes and what is in it; an attribute that is undefined or false is left out. */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  made.append(...content);
  return made;
}

/** A list with a separator between its parts. */
export function joined(parts, separator) {
  return parts.flatMap((part, i) => i ? [separator, part] : [part]);
}
