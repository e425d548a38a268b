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
  const buttons = [...document.querySelectorAll('.filters button')];
  const choose = (wanted) => {
    for (const b of buttons) b.setAttribute('aria-pressed', String(b.dataset.filter === wanted));
    for (const row of document.querySelectorAll('[data-verdict]')) row.hidden = wanted !== 'all' && row.dataset.verdict !== wanted;
  };
  for (const b of buttons) b.addEventListener('click', () => choose(b.dataset.filter));
  const reveal = () => { if (location.hash && document.querySelector('[hidden]' + location.hash)) choose('all'); };
  addEventListener('hashchange', reveal);
  document.querySelector('.filters').hidden = false;
})();
`;
