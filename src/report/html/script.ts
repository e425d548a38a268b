// The page is complete without it: only tooltips over charts and the filter of the findings need script.
export const script = `
(() => {
  const tip = document.getElementById('tip');
  const show = (e) => {
    const shape = e.target instanceof Element ? e.target.closest('[data-tip]') : null;
    tip.classList.toggle('on', shape !== null);
    if (shape === null) return;
    tip.textContent = shape.getAttribute('data-tip');
    const x = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const above = e.clientY + 18 + tip.offsetHeight > innerHeight;
    tip.style.left = Math.max(8, x) + 'px';
    tip.style.top = (above ? e.clientY - tip.offsetHeight - 10 : e.clientY + 18) + 'px';
  };
  addEventListener('pointermove', show);
  addEventListener('pointerdown', show);
  addEventListener('scroll', () => tip.classList.remove('on'), { passive: true });
  let chosen = 'all';
  const choose = (wanted) => {
    chosen = wanted;
    for (const b of document.querySelectorAll('.filters button')) b.setAttribute('aria-pressed', String(b.dataset.filter === wanted));
    for (const row of document.querySelectorAll('[data-verdict]')) row.hidden = wanted !== 'all' && row.dataset.verdict !== wanted;
  };
  addEventListener('click', (e) => {
    const button = e.target instanceof Element ? e.target.closest('.filters button') : null;
    if (button) choose(button.dataset.filter);
  });
  const reveal = () => { if (location.hash && document.querySelector('[hidden]' + location.hash)) choose('all'); };
  addEventListener('hashchange', reveal);
  const begin = () => {
    for (const f of document.querySelectorAll('.filters')) f.hidden = false;
    choose(chosen);
  };
  // A page that follows what it tells of has new rows.
  addEventListener('inferpath:refreshed', begin);
  begin();
})();
`;
