import { script } from '../html/script.ts';

/**
 * Follows the server: at every event it fetches the page again and exchanges the parts that have changed. The one place where text
 * becomes markup is the answer of this very server, through the one Trusted Types policy that the Content-Security-Policy names.
 */
export const statusScript = `${script}
(() => {
  const policy = window.trustedTypes ? trustedTypes.createPolicy('inferpath-page', { createHTML: (text) => text }) : { createHTML: (text) => text };
  const restMs = 2500;
  let state = 'connecting';
  let dueMs = 0;
  let timer = 0;
  let busy = false;
  const said = new Map([...document.querySelectorAll('[data-part]')].map((part) => [part.dataset.part, part.innerHTML]));
  const show = () => {
    const live = document.getElementById('live');
    if (!live) return;
    live.dataset.state = state;
    const age = Math.max(0, Math.round((Date.now() - gotMs) / 1000));
    live.textContent = state === 'live' ? 'live · ' + (age < 2 ? 'now' : age + ' s ago') : state === 'lost' ? 'connection lost · ' + age + ' s ago' : 'connecting';
  };
  let gotMs = Date.now();
  const refresh = async () => {
    busy = true;
    dueMs = Date.now() + restMs;
    try {
      const answer = await fetch(location.pathname, { headers: { accept: 'text/html' }, credentials: 'same-origin' });
      // The log-in page stands at every address, and leads back to it.
      if (answer.status === 401) return location.reload();
      if (!answer.ok) return;
      const next = new DOMParser().parseFromString(policy.createHTML(await answer.text()), 'text/html');
      document.title = next.title;
      for (const part of next.querySelectorAll('[data-part]')) {
        const name = part.dataset.part;
        const now = document.querySelector('[data-part="' + name + '"]');
        if (!now || said.get(name) === part.innerHTML) continue;
        said.set(name, part.innerHTML);
        now.replaceWith(document.importNode(part, true));
      }
      gotMs = Date.now();
      dispatchEvent(new Event('inferpath:refreshed'));
    } catch {
      // The stream of events tells whether the server is there.
    } finally {
      busy = false;
      show();
    }
  };
  const want = () => {
    if (timer || document.hidden) return;
    timer = setTimeout(() => { timer = 0; if (busy) want(); else refresh(); }, Math.max(50, dueMs - Date.now()));
  };
  const events = new EventSource('/api/v1/events');
  events.onopen = () => { state = 'live'; show(); want(); };
  events.onerror = () => { state = 'lost'; show(); if (events.readyState === EventSource.CLOSED) want(); };
  for (const name of ['samples', 'alert', 'network', 'agent', 'reset']) events.addEventListener(name, want);
  addEventListener('visibilitychange', () => { if (!document.hidden) want(); });
  addEventListener('pagehide', () => events.close());
  setInterval(show, 1000);
  // Silence is news, too: an agent that stops is seen without an event.
  setInterval(want, 30000);
  document.getElementById('logout').addEventListener('click', async () => {
    await fetch('/api/v1/sessions/current', { method: 'DELETE' });
    location.replace('/login');
  });
  show();
})();
`;

/** Trades what stands behind the # of a link, or what was typed, for a session. */
export const loginScript = `
(() => {
  const why = document.getElementById('why');
  const open = async (secret) => {
    const answer = await fetch('/api/v1/sessions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ secret }) });
    if (answer.ok) return location.replace(location.pathname === '/login' ? '/' : location.pathname);
    const problem = await answer.json().catch(() => ({}));
    why.textContent = answer.status === 401 ? 'That opens nothing: it is unknown, over, or was used already.' : problem.detail || problem.title || 'It did not work.';
  };
  const begin = () => {
    const secret = location.hash.slice(1);
    if (secret === '') return;
    // Not into the history, nor into a bookmark.
    history.replaceState(null, '', location.pathname);
    open(secret);
  };
  document.getElementById('login').addEventListener('submit', (event) => {
    event.preventDefault();
    const text = document.getElementById('secret').value.trim();
    open(text.includes('#') ? text.slice(text.indexOf('#') + 1) : text);
  });
  addEventListener('hashchange', begin);
  begin();
})();
`;
