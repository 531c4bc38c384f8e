// theme.js - dark or light: what the system says, or what somebody chose here. The browser waits for
// this file before it paints, so that a choice is seen from the first picture on.

const CHOICE = 'verso-theme';   // in localStorage

const root = document.documentElement;
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

export function isDark() {
  return root.dataset.theme ? root.dataset.theme === 'dark' : systemIsDark.matches;
}

/** The button says what is so, also after the system has changed. */
export function showThemeOn(button) {
  const show = () => button.setAttribute('aria-pressed', isDark());
  systemIsDark.addEventListener('change', show);
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    remember(root.dataset.theme);
    show();
  });
  show();
}

// A browser that keeps nothing throws.
function remembered() {
  try { return localStorage.getItem(CHOICE); } catch { return null; }
}

function remember(choice) {
  try { localStorage.setItem(CHOICE, choice); } catch { /* until the page is left */ }
}

const chosen = remembered();
if (chosen) root.dataset.theme = chosen;
